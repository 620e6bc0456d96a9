"""Sets of messages as masks."""

from array import array
from random import Random

import pytest

from mailstack.model.message import FlagSet, PlacementTable
from mailstack.model.numset import NumSet
from mailstack.services.mailbox.instants import Instants
from mailstack.services.mailbox.masks import Bounds, Masks


@pytest.fixture
def table() -> PlacementTable:
    return PlacementTable(
        uids=array("I", [2, 4, 6, 8]),
        message_ids=array("q", [1, 2, 3, 4]),
        mod_seqs=array("q", [5, 9, 5, 9]),
        flag_numbers=array("I", [0, 1, 1, 0]),
        flag_sets=[FlagSet("", False), FlagSet("\\Seen", True)],
    )


def test_each_kind_of_set(table: PlacementTable) -> None:
    masks = Masks(table)
    assert list(masks.uids(masks.of_flags([False, True]))) == [4, 6]
    assert list(masks.uids(masks.of_mod_seqs(6))) == [4, 8]
    assert list(masks.uids(masks.of_ranges(NumSet(((1, 2), (6, 7)))))) == [2, 6]
    assert list(masks.uids(masks.of_uids([3, 4, 8]))) == [4, 8]
    assert list(masks.uids(masks.of_instants(Instants([1, 5, 3, 9]), 2, 9))) == [4, 6]
    assert list(masks.uids(masks.every)) == [2, 4, 6, 8]
    assert not masks.uids(0)


def test_flags_of_more_combinations_than_an_octet_counts(table: PlacementTable) -> None:
    assert list(Masks(table).uids(Masks(table).of_flags([False, True] + [True] * 300))) == [4, 6]


def test_places_stand_beside_the_uids(table: PlacementTable) -> None:
    masks = Masks(table)
    together, apart = masks.matched(masks.of_uids([4, 6])), masks.matched(masks.of_uids([2, 8]))
    assert (together.numbers(4), list(together.uids())) == ([2, 3], [4, 6])
    assert (apart.numbers(4), list(apart.uids())) == ([1, 4], [2, 8])
    assert (apart.numbers(3), list(apart.uids(3))) == ([1], [2])
    assert not masks.matched(0).numbers(4)


@pytest.mark.parametrize("many", [0, 1, 2, 30, 500, 1_000])
def test_few_of_many_and_most_of_them(many: int) -> None:
    columns = [array("q", range(1_000)) for _ in range(2)]
    uids = array("I", range(1, 2_001, 2))
    table = PlacementTable(
        uids=uids,
        message_ids=columns[0],
        mod_seqs=columns[1],
        flag_numbers=array("I", [0] * 1_000),
        flag_sets=[FlagSet("", False)],
    )
    chosen = sorted(Random(many).sample(range(1_000), many))
    masks = Masks(table)
    matched = masks.matched(masks.of_uids([uids[at] for at in chosen]))
    assert (list(matched.places()), list(matched.uids())) == (chosen, [uids[at] for at in chosen])


def test_what_comes_later_is_in_no_set(table: PlacementTable) -> None:
    masks = Masks(table)
    for column, value in ((table.uids, 9), (table.message_ids, 5), (table.mod_seqs, 10), (table.flag_numbers, 1)):
        column.append(value)
    assert list(masks.uids(masks.of_flags([False, True]))) == [4, 6]
    assert list(masks.uids(masks.of_mod_seqs(6))) == [4, 8]
    assert list(masks.uids(masks.of_uids([8, 9]))) == [8]
    assert list(masks.uids(masks.of_ranges(NumSet(((8, 9),))))) == [8]
    assert list(masks.uids(masks.inverse(Bounds(0, 0)).certain)) == [2, 4, 6, 8]


def test_bounds_of_unsure_sets(table: PlacementTable) -> None:
    masks = Masks(table)
    sure, unsure = masks.of_uids([2]), masks.of_uids([2, 4])
    bounds = Bounds(sure, unsure)
    assert list(masks.uids(bounds.open)) == [4]
    assert list(masks.uids(masks.inverse(bounds).certain)) == [6, 8]
    assert list(masks.uids((bounds & masks.unknown).possible)) == [2, 4]
    assert (bounds | masks.unknown).certain == sure
