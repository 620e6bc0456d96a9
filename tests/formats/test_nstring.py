"""RFC 9051 §4.3: quoted where it can be, a literal where it must, NUL never."""

import pytest

from mailstack.formats.nstring import nstring, parenthesized


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, b"NIL"),
        (b"", b'""'),
        (b"NIL", b'"NIL"'),
        (b"a\tb", b'"a\tb"'),
        (b'a"b\\c', b'"a\\"b\\\\c"'),
        (b"a\r\nb", b"{4}\r\na\r\nb"),
        (b"a\rb", b"{3}\r\na\rb"),
        (b"\xe9", b"{1}\r\n\xe9"),
        (b"\x00", b'""'),
        (b"\x00\xe9\x00", b"{1}\r\n\xe9"),
        (b"x" * 1_000, b'"' + b"x" * 1_000 + b'"'),
        (b"x" * 1_001, b"{1001}\r\n" + b"x" * 1_001),
    ],
)
def test_strings(value: bytes | None, written: bytes) -> None:
    assert nstring(value) == written


def test_lists() -> None:
    assert parenthesized([b"a", b"b"]) == b"(a b)"
