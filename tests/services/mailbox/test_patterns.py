"""LIST's wildcards."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstack.model.errors import Invalid
from mailstack.services.mailbox.patterns import MAX_WILDCARDS, Pattern


@pytest.mark.parametrize(
    ("reference", "pattern", "path"),
    [
        ("", "*", "a/b"),
        ("", "%", "a"),
        ("", "a/%", "a/b"),
        ("a/", "%", "a/b"),
        ("", "a*c", "a/b/c"),
        ("", "%/b", "a/b"),
        ("", "a", "a"),
        ("", "*%*", "a/b"),
        ("", "inbox", "INBOX"),
        ("", "Inbox/*", "INBOX/a"),
        ("", "inbox%", "INBOX"),
        ("", "i%", "INBOX"),
        ("", "*box", "INBOX"),
        ("iN", "%o%", "INBOX"),
        ("", "*b*", "abc"),
        ("", "a%", "a"),
    ],
)
def test_matches(reference: str, pattern: str, path: str) -> None:
    assert Pattern(reference, pattern).matches(path)


@pytest.mark.parametrize(
    ("reference", "pattern", "path"),
    [
        ("", "%", "a/b"),
        ("", "a", "ab"),
        ("", "a", "A"),
        ("", "i%", "IN"),
        ("", "box*", "INBOX"),
        ("", "inbox/%", "INBOX"),
        ("", "a/%", "a"),
        ("", "%b", "a/b"),
        ("x", "*", "a"),
        ("", "", "a"),
    ],
)
def test_does_not_match(reference: str, pattern: str, path: str) -> None:
    assert not Pattern(reference, pattern).matches(path)


@pytest.mark.parametrize("pattern", ["*a" * (MAX_WILDCARDS + 1), "a" * 1_001])
def test_patterns_nobody_needs_are_invalid(pattern: str) -> None:
    with pytest.raises(Invalid):
        Pattern("", pattern)


def test_a_spiteful_pattern_takes_no_longer_than_its_length_times_the_path() -> None:
    """CVE-2026-33607: LIST with many wildcards used up the processor."""
    start = time.perf_counter()

    assert not Pattern("", "*a" * MAX_WILDCARDS).matches("a" * 15 + "b" * 5_000)

    assert time.perf_counter() - start < 1


def test_wildcards_side_by_side_are_one() -> None:
    assert Pattern("", "*" * 500).matches("a/b")


@given(st.text("ab/*%", max_size=8), st.text("ab/", max_size=8))
def test_as_a_regular_expression_would(pattern: str, path: str) -> None:
    expression = "".join({"*": ".*", "%": "[^/]*"}.get(symbol, symbol) for symbol in pattern)

    assert Pattern("", pattern).matches(path) == bool(re.fullmatch(expression, path))
