"""Match types and comparators. RFC 5228 §2.7, RFC 4790."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstack.sieve.match import Glob
from tests.support.sieve import holds


@pytest.mark.parametrize(
    ("pattern", "value", "found"),
    [
        ("abc", "abc", ("abc",)),
        ("abc", "abcd", None),
        ("", "", ("",)),
        ("*", "", ("", "")),
        ("*", "abc", ("abc", "abc")),
        ("a*c", "abc", ("abc", "b")),
        ("a*c", "ac", ("ac", "")),
        ("a?c", "abc", ("abc", "b")),
        ("a?c", "ac", None),
        ("?*", "abc", ("abc", "a", "bc")),
        ("*?", "abc", ("abc", "ab", "c")),
        # RFC 5229 §3.2: as few characters as possible, from the left.
        ("*a*", "bacada", ("bacada", "b", "cada")),
        ("*?a*", "aaba", ("aaba", "", "a", "ba")),
        ("*foo*bar", "foofoobarbar", ("foofoobarbar", "", "foobar")),
        (r"\*", "*", ("*",)),
        (r"\*", "a", None),
        (r"\?", "?", ("?",)),
        (r"\\", "\\", ("\\",)),
        (r"\a", "a", ("a",)),
        ("\\", "\\", ("\\",)),
        ("a*a", "a", None),
        ("**", "ab", ("ab", "", "ab")),
        ("a*b?c*d", "a1b2c3d", ("a1b2c3d", "1", "2", "3")),
        ("?", "\n", ("\n", "\n")),
    ],
)
def test_globs(pattern: str, value: str, found: tuple[str, ...] | None) -> None:
    assert matched(pattern, value) == found


def matched(pattern: str, value: str) -> tuple[str, ...] | None:
    spans = Glob(pattern).spans(value)
    return None if spans is None else tuple(value[start:end] for start, end in spans)


@given(st.text("ab?*\\", max_size=8), st.text("ab*", max_size=12))
def test_globs_match_what_expressions_that_try_everything_do(pattern: str, value: str) -> None:
    source = ""
    characters = iter(pattern)
    for one in characters:
        if one == "*":
            source += "(.*?)"
        elif one == "?":
            source += "(.)"
        else:
            source += re.escape(next(characters, one) if one == "\\" else one)
    expected = re.fullmatch(source, value, re.DOTALL)
    assert matched(pattern, value) == (None if expected is None else (value, *expected.groups()))


def test_a_pattern_of_many_stars_ends() -> None:
    assert Glob("*a" * 500 + "b").spans("a" * 20_000) is None


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ('header "subject" "I have a present for you"', True),
        ('header "subject" "i HAVE a present for you"', True),
        ('header :comparator "i;octet" "subject" "i have a present for you"', False),
        ('header :contains "subject" "PRESENT"', True),
        ('header :contains :comparator "i;octet" "subject" "PRESENT"', False),
        ('header :contains "subject" ""', True),
        ('header :contains "x-none" ""', False),
        ('header :matches "subject" "*present*"', True),
        ('header :matches "subject" "present*"', False),
        ('header :is "X-NOTE" ["three", "two"]', True),
        ('header ["x-none", "x-note"] "one"', True),
        ('not header "x-note" "one two"', True),
    ],
)
def test_headers(test: str, expected: bool) -> None:
    assert holds(test) is expected


def test_only_the_26_letters_have_two_cases() -> None:
    # RFC 4790 §9.2.
    assert not holds('header "subject" "\u00e4"', "Subject: =?utf-8?q?=C3=84?=\n\n")
    assert holds('header "subject" "\u00c4bc"', "Subject: =?utf-8?q?=C3=84BC?=\n\n")
