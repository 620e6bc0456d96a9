"""Tokens of RFC 5228 §2.1-§2.6, §8.1."""

import pytest

from mailstack.sieve.faults import Misplaced
from mailstack.sieve.lexer import MAX_NUMBER, Kind, tokens
from mailstack.sieve.parser import with_line_ends


def lexed(text: str) -> list[tuple[Kind, str]]:
    faults: list[Misplaced] = []
    found = [(token.kind, token.value) for token in tokens(with_line_ends(text), faults)][:-1]
    assert not faults
    return found


def unread(text: str) -> list[Misplaced]:
    faults: list[Misplaced] = []
    broken = [token.at for token in tokens(with_line_ends(text), faults) if token.kind is Kind.BROKEN]
    assert broken == [fault.at for fault in faults]
    return faults


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("keep", [(Kind.NAME, "keep")]),
        ("KeEp", [(Kind.NAME, "keep")]),
        ("_a1", [(Kind.NAME, "_a1")]),
        (":Contains", [(Kind.TAG, "contains")]),
        ("100", [(Kind.NUMBER, "100")]),
        ("1K", [(Kind.NUMBER, "1024")]),
        ("2m", [(Kind.NUMBER, "2097152")]),
        ("3G", [(Kind.NUMBER, "3221225472")]),
        ("00001", [(Kind.NUMBER, "1")]),
        (str(MAX_NUMBER), [(Kind.NUMBER, str(MAX_NUMBER))]),
        ('"a"', [(Kind.TEXT, "a")]),
        ('""', [(Kind.TEXT, "")]),
        (r'"a\"b\\c\d"', [(Kind.TEXT, 'a"b\\cd')]),
        ('"a\nb"', [(Kind.TEXT, "a\r\nb")]),
        ("# keep; stop\n;", [(Kind.SPECIAL, ";")]),
        ("# the end", []),
        ("/* keep * / ** */ ;", [(Kind.SPECIAL, ";")]),
        ("/**/;", [(Kind.SPECIAL, ";")]),
        ("text:\nline\n.\n;", [(Kind.TEXT, "line\r\n"), (Kind.SPECIAL, ";")]),
        ("TEXT: # why\n..dot\n.\n", [(Kind.TEXT, ".dot\r\n")]),
        ("text:\n.\n", [(Kind.TEXT, "")]),
        ("text:\na\n.", [(Kind.TEXT, "a\r\n")]),
        ("text:\n...\n. \n.\n", [(Kind.TEXT, "..\r\n. \r\n")]),
        ("text :a", [(Kind.NAME, "text"), (Kind.TAG, "a")]),
        ("a,b", [(Kind.NAME, "a"), (Kind.SPECIAL, ","), (Kind.NAME, "b")]),
    ],
)
def test_tokens(text: str, expected: list[tuple[Kind, str]]) -> None:
    assert lexed(text) == expected


@pytest.mark.parametrize(
    ("text", "at", "says"),
    [
        ('keep; "a', 6, "closing quote"),
        ("/* a", 0, "closing */"),
        ("text:\na\n", 0, "one dot"),
        ("1x", 0, "letter"),
        ("1KK", 0, "letter"),
        ("keep @", 5, "nothing begins with '@'"),
        (str(MAX_NUMBER + 1), 0, "too large"),
        ("9007199254740992G", 0, "too large"),
        ("9" * 5000, 0, "too large"),
        (": contains", 0, "nothing begins with ':'"),
    ],
)
def test_what_is_no_token(text: str, at: int, says: str) -> None:
    (fault,) = unread(text)
    assert fault.at == at
    assert says in f"{fault.text} {fault.hint}"


def test_what_is_no_token_is_passed_over() -> None:
    assert [fault.at for fault in unread('keep $$$; 1x; ???stop; 99999999999999999999 "a')] == [5, 10, 14, 23, 44]


@pytest.mark.parametrize("opening", ['"', "/*", "text:\n", "/*" + "*" * 1000, '"' + "\\" * 999])
def test_a_long_unfinished_token_is_read_once(opening: str) -> None:
    # With an expression that tries again from each place this would not end.
    assert [fault.at for fault in unread(opening + "a" * 200_000)] == [0]
