"""Sets of numbers: RFC 9051 §9 sequence-set."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstack.model.numset import STAR, NumSet, numset_of


@pytest.mark.parametrize(
    ("ranges", "largest", "resolved"),
    [
        (((1, 1),), 5, "1"),
        (((4, 2),), 5, "2:4"),
        (((STAR, STAR),), 5, "5"),
        (((3, STAR),), 5, "3:5"),
        (((9, STAR),), 5, "5:9"),  # RFC 9051 §9: 559:* holds the largest number even when 559 is above it
        (((1, 2), (3, 4), (8, 9)), 9, "1:4,8:9"),
        (((5, 9), (1, 6)), 9, "1:9"),
    ],
)
def test_resolving(ranges: tuple[tuple[int, int], ...], largest: int, resolved: str) -> None:
    assert str(NumSet(ranges).resolved(largest)) == resolved


@given(st.sets(st.integers(1, 200)))
def test_numset_of_holds_what_it_was_made_of(numbers: set[int]) -> None:
    numset = numset_of(numbers)
    assert set(numset) == numbers
    assert numset.count() == len(numbers)
    assert all((number in numset) == (number in numbers) for number in range(1, 202))


@given(st.sets(st.integers(1, 99)), st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99)), max_size=6))
def test_select_is_membership(numbers: set[int], ranges: list[tuple[int, int]]) -> None:
    numset = NumSet(tuple(ranges)).resolved(99)
    assert numset.select(sorted(numbers)) == [number for number in sorted(numbers) if number in numset]


def test_star_is_written_as_it_is_read() -> None:
    assert str(NumSet(((1, STAR), (STAR, STAR)))) == "1:*,*"
    assert not NumSet(())
