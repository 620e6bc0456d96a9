"""The words of the grammar, one by one."""

from collections.abc import Callable

import pytest

from mailstack.wire.imap.faults import SyntaxProblem
from mailstack.wire.imap.tokens import Cursor


def cursor(*parts: bytes) -> Cursor:
    return Cursor(parts, nesting=2, items=2)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ((b"foo",), b"foo"),
        ((b"foo]bar",), b"foo]bar"),  # ASTRING-CHAR = ATOM-CHAR / resp-specials
        ((b'"foo bar"',), b"foo bar"),
        ((b'""',), b""),
        ((b'"a\\"b\\\\c"',), b'a"b\\c'),
        ((b'"p\xc3\xa4ss"',), b"p\xc3\xa4ss"),
        ((b"", b"any \r\n octets", b""), b"any \r\n octets"),
        ((b"", b"", b""), b""),
    ],
)
def test_astring(parts: tuple[bytes, ...], expected: bytes) -> None:
    at = cursor(*parts)

    assert at.astring() == expected
    at.end()


@pytest.mark.parametrize(
    "parts",
    [
        (b"",),
        (b" foo",),
        (b'"foo',),
        (b'"fo\\o"',),
        (b'"fo\x00o"',),
        (b"(",),
        (b"{5}x",),
        (b"\xc3\xa4",),
        (b"", b"a\0b", b""),
    ],
)
def test_what_is_no_astring(parts: tuple[bytes, ...]) -> None:
    with pytest.raises(SyntaxProblem):
        cursor(*parts).astring()


@pytest.mark.parametrize(("text", "value"), [(b"0", 0), (b"4294967295", 4294967295), (b"007", 7)])
def test_number(text: bytes, value: int) -> None:
    assert cursor(text).number() == value


@pytest.mark.parametrize("text", [b"", b"-1", b"4294967296", b"x"])
def test_what_is_no_number(text: bytes) -> None:
    with pytest.raises(SyntaxProblem):
        cursor(text).number()


@pytest.mark.parametrize(("text", "name"), [(b"*", "*"), (b"a/%", "a/%"), (b'"a b"', "a b"), (b"&AOk-*", "é*")])
def test_list_mailbox(text: bytes, name: str) -> None:
    assert cursor(text).list_mailbox() == name


@pytest.mark.parametrize("act", [Cursor.end, Cursor.space, Cursor.atom, Cursor.mailbox, lambda at: at.require(b"x")])
def test_each_word_says_what_it_misses(act: Callable[[Cursor], object]) -> None:
    with pytest.raises(SyntaxProblem):
        act(cursor(b"("))


def test_depth_is_bounded() -> None:
    at = cursor(b"")
    at.descend()
    at.descend()

    with pytest.raises(SyntaxProblem, match="deep"):
        at.descend()


def test_a_literal_in_the_middle_of_text() -> None:
    at = cursor(b"a ", b"b c", b" d")

    words = [at.atom()]
    at.space()
    words.append(at.astring())
    at.space()
    words.append(at.atom())

    assert words == [b"a", b"b c", b"d"]


def test_text_that_is_not_utf8_is_refused() -> None:
    with pytest.raises(SyntaxProblem, match="UTF-8"):
        cursor(b"").text(b"\xff")
