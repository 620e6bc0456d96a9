"""Places in ascending arrays, against what a walk through all of them finds."""

import random
from array import array

import pytest

from mailstack.model.numset import NumSet, numset_of
from mailstack.services.mailbox.ascending import absent, place_of, places_of, uid_spans

CHANCE = random.Random(3)


def some(count: int, most: int) -> list[int]:
    return sorted(CHANCE.sample(range(1, most), count))


@pytest.mark.parametrize("wanted", [0, 1, 3, 40, 200])
@pytest.mark.parametrize("count", [0, 1, 150, 300])
def test_places_of_those_that_are_there(count: int, wanted: int) -> None:
    uids = array("I", some(300, 400))
    asked = some(wanted, 400)
    there = list(uids[:count])
    assert [there.index(uid) for uid in asked if uid in there] == list(places_of(uids, asked, count))
    assert [there.index(uid) if uid in there else -1 for uid in asked] == [place_of(uids, uid, count) for uid in asked]


def test_a_run_is_a_range() -> None:
    uids = array("I", range(10, 100))
    assert places_of(uids, range(20, 30), len(uids)) == range(10, 20)


@pytest.mark.parametrize("count", [0, 1, 5])
def test_spans_and_what_is_absent(count: int) -> None:
    uids = array("I", [2, 3, 7, 8, 20])
    asked = NumSet(((1, 4), (6, 6), (8, 30)))
    there = {uid for uid in uids[:count] if uid in asked}
    assert sorted(there) == [uid for start, stop in uid_spans(uids, asked, count) for uid in uids[start:stop]]
    assert absent(uids, asked, count) == numset_of(set(asked) - there)
