"""Binary bodies become base64, and nothing else changes. RFC 3516 §4.4."""

import base64

import pytest

from mailstack.formats.binary import has_binary, without_binary
from mailstack.formats.content import decode_transfer, leaves
from mailstack.formats.mime import scan
from mailstack.formats.part_table import encoding_of

BINARY = bytes(range(256)) * 5


def part(body: bytes, encoding: bytes = b"binary") -> bytes:
    return b"Content-Type: image/png\r\nContent-Transfer-Encoding: " + encoding + b"\r\nX-After: 1\r\n\r\n" + body


def multipart(*parts: bytes) -> bytes:
    return (
        b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
        + b"".join(b"--b\r\n" + each + b"\r\n" for each in parts)
        + b"--b--\r\n"
    )


@pytest.mark.parametrize(
    ("data", "expected"),
    [(b"", False), (b"a\r\nb", False), (b"a\0", True), (b"a\nb", True), (b"a\rb", True), (b"x" * 999, True)],
)
def test_has_binary(data: bytes, expected: bool) -> None:
    assert has_binary(data) == expected


def test_a_binary_body_is_encoded() -> None:
    assert without_binary(part(b"\0\n")) == part(b"AAo=", b"base64")


def test_each_binary_part_is_encoded_and_the_others_stay() -> None:
    raw = multipart(part(BINARY), part(b"text\r\n"), part(b"\0", b"8bit"), b"\r\nplain", part(b"\0"))

    changed = without_binary(raw)

    bodies = [
        decode_transfer(changed[leaf.body_start : leaf.body_end], encoding_of(leaf.encoding))
        for leaf in leaves(scan(changed))
    ]
    assert bodies == [BINARY, b"text\r\n", b"\0", b"plain", b"\0"]
    assert base64.b64encode(b"\0") in changed
    assert changed.count(b"X-After: 1") == 4


def test_a_message_inside_a_message() -> None:
    inner = multipart(part(BINARY))
    raw = multipart(b"Content-Type: message/rfc822\r\n\r\n" + inner)

    assert not has_binary(without_binary(raw))


@pytest.mark.parametrize("raw", [b"", b"\0", b"Content-Transfer-Encoding: binary\r\n", multipart(part(b"lines\r\n"))])
def test_what_needs_no_change_stays(raw: bytes) -> None:
    assert without_binary(raw) == raw
