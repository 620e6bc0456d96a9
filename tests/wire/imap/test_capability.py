"""What is offered where."""

from mailstack.wire.imap.capability import after_login, before_login


def test_without_privacy_no_login_is_offered() -> None:
    names = before_login(offers_starttls=True, mechanisms=())

    assert {"STARTTLS", "LOGINDISABLED"} <= set(names)
    assert not any(name.startswith("AUTH=") for name in names)


def test_with_privacy_mechanisms_are_named() -> None:
    names = before_login(offers_starttls=False, mechanisms=("PLAIN", "LOGIN"))

    assert {"AUTH=PLAIN", "AUTH=LOGIN"} <= set(names)
    assert not {"STARTTLS", "LOGINDISABLED"} & set(names)


def test_after_login_nothing_speaks_of_logging_in() -> None:
    assert not any(name.startswith(("AUTH=", "STARTTLS", "LOGIN")) for name in after_login())
