"""How leases are shared out: nobody waits for ever, and nobody takes what is kept for another."""

import random

import pytest

from mailstack.model.delivery import Priority
from mailstack.model.instant import Instant
from mailstack.model.queue_share import LANES, URGENT_FIRST, Lane, Quota, Taking, lane_of, priority_of

OWN = {Priority.SUBMISSION: 4, Priority.BULK: 2, Priority.BOUNCE: 1}


def taken(taking: Taking, priority: Priority, lane: int = 0, *, of: int = 1_000) -> int:
    return sum(taking.take(at(priority, lane)) for _ in range(of))


def at(priority: Priority, lane: int) -> Lane:
    return Lane(priority * LANES + lane)


def test_the_urgent_come_first() -> None:
    assert URGENT_FIRST == (Priority.SUBMISSION, Priority.BULK, Priority.BOUNCE)


@pytest.mark.parametrize(("priority", "room"), [(Priority.SUBMISSION, 13), (Priority.BULK, 11), (Priority.BOUNCE, 10)])
def test_a_priority_has_its_own_and_what_is_nobodys(priority: Priority, room: int) -> None:
    taking = Taking(Quota(limit=100, free=16, per_lane=100, own=OWN))
    assert taking.room(priority) == room
    assert taken(taking, priority) == room
    others = {other: taking.room(other) for other in Priority if other is not priority}
    assert others == {other: OWN[other] for other in others}


def test_no_more_is_taken_at_once_than_the_limit() -> None:
    taking = Taking(Quota(limit=3, free=16, per_lane=100))
    assert (taken(taking, Priority.BULK), taking.room(Priority.SUBMISSION)) == (3, 0)


def test_a_lane_is_closed_when_it_is_full_and_of_that_priority_alone() -> None:
    held = {at(Priority.BULK, 7): 4}
    taking = Taking(Quota(limit=100, free=100, per_lane=5, held=held))
    assert (taken(taking, Priority.BULK, 7), taken(taking, Priority.SUBMISSION, 7)) == (1, 5)
    closed = {at(Priority.BULK, lane) for lane in range(LANES)}.difference(taking.open_lanes(Priority.BULK))
    assert closed == {at(Priority.BULK, 7)}


def test_portions_are_alike_and_the_least_served_come_first() -> None:
    one, two, three, four = (at(Priority.BULK, lane) for lane in (1, 2, 3, 4))
    held = {one: 4, two: 1}
    taking = Taking(Quota(limit=10, free=100, per_lane=5, held=held))
    heads = {lane: Instant(2_000 - lane) for lane in (one, two, three, four)}
    assert taking.portions(Priority.BULK, heads) == ([four, three, two, one], 2)
    assert taking.portions(Priority.BULK, {}) == ([], 0)


def test_where_there_are_more_lanes_than_room_those_that_waited_longest_have_one_each() -> None:
    taking = Taking(Quota(limit=2, free=100, per_lane=5))
    heads = {at(Priority.BULK, lane): Instant(lane) for lane in (9, 8, 7)}
    assert taking.portions(Priority.BULK, heads) == ([at(Priority.BULK, 7), at(Priority.BULK, 8)], 1)


def test_a_quota_that_is_overdrawn_gives_nothing() -> None:
    taking = Taking(Quota(limit=5, free=3, per_lane=5, own=OWN))
    assert (taking.room(Priority.BOUNCE), taken(taking, Priority.BOUNCE)) == (0, 0)


@pytest.mark.parametrize("seed", range(20))
def test_whatever_is_taken_sums_are_kept(seed: int) -> None:
    chance = random.Random(seed)
    taking = Taking(Quota(limit=40, free=60, per_lane=5, own={priority: chance.randrange(9) for priority in Priority}))
    counts: dict[Lane, int] = {}
    for _ in range(500):
        lane = at(chance.choice(URGENT_FIRST), chance.randrange(20))
        counts[lane] = counts.get(lane, 0) + taking.take(lane)
    assert sum(counts.values()) == 40
    assert max(counts.values()) <= 5


def test_a_domain_has_one_place_however_it_is_written_and_others_have_others() -> None:
    # Nodes and versions agree on them: they stand in the store.
    assert lane_of(Priority.BULK, "a@X.example") == lane_of(Priority.BULK, '"b@y"@x.example') == LANES + 230
    lanes = {lane_of(Priority.SUBMISSION, f"a@{number}.example") for number in range(5_000)}
    assert len(lanes) == LANES
    assert {priority_of(lane) for lane in lanes} == {Priority.SUBMISSION}
