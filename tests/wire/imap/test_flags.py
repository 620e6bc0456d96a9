"""Flags as clients write them."""

import pytest

from mailstack.wire.imap.faults import SyntaxProblem
from mailstack.wire.imap.flags import flag_list, keyword
from mailstack.wire.imap.tokens import Cursor


def cursor(text: bytes) -> Cursor:
    return Cursor((text,), nesting=1, items=1)


@pytest.mark.parametrize(
    ("text", "flags"),
    [
        (b"()", ()),
        (b"(\\Seen)", ("\\Seen",)),
        (b"(\\SEEN \\deleted $Forwarded foo)", ("\\Seen", "\\Deleted", "$Forwarded", "foo")),
        (b"(\\Recent \\Seen)", ("\\Seen",)),
    ],
)
def test_flag_list(text: bytes, flags: tuple[str, ...]) -> None:
    assert flag_list(cursor(text)) == flags


@pytest.mark.parametrize("text", [b"", b"(", b"(\\Foo)", b"(a  b)", b"(\\)", b"(a", b'("a")', b"(" + b"x" * 101 + b")"])
def test_what_is_no_flag_list(text: bytes) -> None:
    with pytest.raises(SyntaxProblem):
        flag_list(cursor(text))


def test_a_keyword_is_an_atom() -> None:
    assert keyword(cursor(b"$Junk")) == "$Junk"
