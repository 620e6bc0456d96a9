"""The first address of a stored ENVELOPE. RFC 5256 §3, RFC 5957 §3."""

import pytest

from mailstack.formats.digest import digest_message
from mailstack.formats.first_address import AddressField, first_display, first_mailbox


@pytest.mark.parametrize(
    ("header", "mailbox", "display"),
    [
        (b"a.b@c.d", "a.b", "a.b@c.d"),
        (b"Zoe <a@b>, Al <c@d>", "a", "Zoe"),
        (b'"Q \\"uote\\" \\\\" <a@b>', "a", 'Q "uote" \\'),
        (b"=?utf-8?q?J=C3=BCrgen?= <j@b>", "j", "Jürgen"),
        ("Jürgen {5} <j@b>".encode(), "j", "Jürgen {5}"),
        ('"Jürgen \\"x\\\\" <"ä\\"@"@b>'.encode(), 'ä"@', 'Jürgen "x\\'),
        (b"friends: a@b, c@d;", "friends", "friends"),
        (b"", "", ""),
    ],
)
@pytest.mark.parametrize("field", list(AddressField))
def test_first_address(field: AddressField, header: bytes, mailbox: str, display: str) -> None:
    raw = b"Subject: {3}\r\n" + field.name.encode() + b": " + header + b"\r\nSender: s@t\r\n\r\n"
    envelope = digest_message(raw).envelope

    assert first_mailbox(envelope, field) == mailbox
    assert first_display(envelope, field) == display


def test_an_envelope_that_is_damaged_or_none_sorts_first() -> None:
    assert first_mailbox(None, AddressField.TO) == ""
    assert first_display(b"(NIL NIL", AddressField.FROM) == ""
    assert first_mailbox(b'("d" "s" {99}\r\nshort', AddressField.CC) == ""
