"""RFC 5436 §2.7 and its example, §3."""

import email
import email.policy

import pytest

from mailstack.formats.headers import scan_fields
from mailstack.formats.mailto import parse_mailto
from mailstack.formats.notification import Notification, recipients, write_notification
from mailstack.model.errors import Invalid
from mailstack.model.instant import Instant

MAIL = (
    b'From: "Jeff Smith" <jeff@hobbies.example.com>\r\nSubject: [Knitting] A new sweater\r\n'
    b"Message-ID: <1234567.89ABCDEF@example.com>\r\n\r\nI just finished a great new sweater!\r\n"
)


def written(uri: str, *, message: str = "", sender: str = "recipient@example.org") -> email.message.EmailMessage:
    parsed = parse_mailto(uri)
    assert parsed is not None
    notification = Notification(
        uri=parsed,
        sender=sender,
        owner="recipient@example.org",
        message=message,
        written_at=Instant(1_700_000_000_000),
        domain="example.org",
        fields=scan_fields(MAIL),
    )
    raw = write_notification(notification, token="0123456789abcdef")
    found = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(found, email.message.EmailMessage)
    assert not found.defects
    return found


def test_the_example() -> None:
    found = written(
        "mailto:0123456789@sms.example.net?to=backup@example.com", message="From Knitting list: A new sweater"
    )
    assert found["auto-submitted"] == 'auto-notified; owner-email="recipient@example.org"'
    assert found["to"] == "0123456789@sms.example.net, backup@example.com"
    assert (found["from"], found["subject"]) == ("recipient@example.org", "From Knitting list: A new sweater")
    assert found["references"] == "<1234567.89ABCDEF@example.com>"


@pytest.mark.parametrize(
    ("uri", "message", "subject"),
    [
        ("mailto:a@b.example", "", "[Knitting] A new sweater"),
        ("mailto:a@b.example?subject=caf%C3%A9", "", "caf\u00e9"),
        ("mailto:a@b.example?subject=x", "said", "said"),
        ("mailto:a@b.example", "x" * 1000, f"{'x' * 255}\u2026"),
    ],
)
def test_whose_subject_it_is(uri: str, message: str, subject: str) -> None:
    assert written(uri, message=message)["subject"] == subject


def test_a_body_of_the_uri_or_what_the_mail_is() -> None:
    assert written("mailto:a@b.example?body=one%0D%0Atwo").get_content() == "one\r\ntwo\r\n"
    told = written("mailto:a@b.example").get_content()
    assert told == 'From: "Jeff Smith" <jeff@hobbies.example.com>\r\nSubject: [Knitting] A new sweater\r\n'


def test_a_uri_sets_other_fields_but_none_that_deceive() -> None:
    unsafe = "&".join(
        f"{name}=x" for name in ("from", "date", "message-id", "auto-submitted", "received", "bcc", "sender")
    )
    found = written(f"mailto:a@b.example?x-pager=7&cc=c@d.example&{unsafe}&content-type=text/html&list-id=x")
    assert found["x-pager"] == "7"
    assert found["cc"] == "c@d.example"
    assert found["from"] == "recipient@example.org"
    assert [found[name] for name in ("received", "bcc", "sender", "list-id")] == [None] * 4
    assert (len(found.get_all("date", [])), len(found.get_all("auto-submitted", []))) == (1, 1)
    assert found.get_content_type() == "text/plain"


def test_who_gets_it_gets_it_once() -> None:
    uri = parse_mailto("mailto:a@b.example,c@d.example?cc=a@b.example,e@f.example&to=c@d.example")
    assert uri is not None
    assert recipients(uri) == ("a@b.example", "c@d.example", "e@f.example")
    assert written("mailto:a@b.example?cc=a@b.example,e@f.example")["cc"] == "e@f.example"
    assert written("mailto:a@b.example?cc=a@b.example")["cc"] is None


def test_who_gets_it_may_have_a_name() -> None:
    uri = "mailto:G%C3%BCnther%20M.%20Karotte%20%3Cg.m.karotte@example.com%3E?cc=%22C,%20D%22%20%3Cc@d.example%3E"
    found = written(uri)
    parsed = parse_mailto(uri)
    assert parsed is not None
    assert recipients(parsed) == ("g.m.karotte@example.com", "c@d.example")
    assert [str(one) for one in found["to"].addresses] == ['"G\u00fcnther M. Karotte" <g.m.karotte@example.com>']
    assert [one.addr_spec for one in found["cc"].addresses] == ["c@d.example"]


def test_nothing_is_smuggled_into_the_header() -> None:
    with pytest.raises(Invalid):
        written("mailto:a@b.example", sender="a@b.example>\r\nBcc: c@d.example")
    assert written("mailto:a@b.example", message="a\r\nBcc: c@d.example")["bcc"] is None
