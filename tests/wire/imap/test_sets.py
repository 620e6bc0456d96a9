"""Sequence sets. RFC 9051 §9."""

import pytest

from mailstack.model.numset import STAR
from mailstack.wire.imap.faults import SyntaxProblem
from mailstack.wire.imap.sets import sequence_set
from mailstack.wire.imap.tokens import Cursor


def parsed(text: bytes) -> tuple[tuple[int, int], ...]:
    cursor = Cursor((text,), nesting=1, items=1)
    numbers = sequence_set(cursor)
    cursor.end()
    return numbers.ranges


@pytest.mark.parametrize(
    ("text", "ranges"),
    [
        (b"1", ((1, 1),)),
        (b"2,4:7,9,12:*", ((2, 2), (4, 7), (9, 9), (12, STAR))),  # RFC 9051 §9
        (b"*", ((STAR, STAR),)),
        (b"*:4", ((STAR, 4),)),
        (b"4294967295", ((4294967295, 4294967295),)),
    ],
)
def test_set(text: bytes, ranges: tuple[tuple[int, int], ...]) -> None:
    assert parsed(text) == ranges


@pytest.mark.parametrize("text", [b"", b"0", b"1:", b"1,", b",1", b"1:2:3", b"4294967296", b"01", b"$", b"a", b"1,0"])
def test_what_is_no_set(text: bytes) -> None:
    with pytest.raises(SyntaxProblem):
        parsed(text)


def test_a_long_set_is_read_in_linear_time() -> None:
    assert len(parsed(b",".join(b"%d" % number for number in range(1, 60_001, 2)))) == 30_000
