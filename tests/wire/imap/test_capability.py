"""What is offered where."""

from mailstack.wire.imap.capability import after_login, before_login


def test_without_privacy_no_login_is_offered() -> None:
    names = before_login(offers_starttls=True, mechanisms=(), message_octets=1, messages=1)

    assert {"STARTTLS", "LOGINDISABLED"} <= set(names)
    assert not any(name.startswith("AUTH=") for name in names)


def test_with_privacy_mechanisms_are_named() -> None:
    names = before_login(offers_starttls=False, mechanisms=("PLAIN", "LOGIN"), message_octets=1, messages=1)

    assert {"AUTH=PLAIN", "AUTH=LOGIN"} <= set(names)
    assert not {"STARTTLS", "LOGINDISABLED"} & set(names)


def test_after_login_nothing_speaks_of_logging_in() -> None:
    assert not any(
        name.startswith(("AUTH=", "STARTTLS", "LOGIN")) for name in after_login(message_octets=1, messages=1)
    )


def test_the_largest_message_is_told() -> None:
    """RFC 7889 §2."""
    assert {"APPENDLIMIT=1000", "MESSAGELIMIT=9"} <= set(after_login(message_octets=1_000, messages=9))
    assert {"APPENDLIMIT=1000", "MESSAGELIMIT=9"} <= set(
        before_login(offers_starttls=False, mechanisms=(), message_octets=1_000, messages=9)
    )
