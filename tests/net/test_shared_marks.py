"""Numbers that the workers of one machine share."""

import os

from mailstack.net.shared_marks import PLACES, SharedMarks

PEER = "192.0.2.1"


def test_each_worker_sees_what_the_others_have_noted_last() -> None:
    marks = SharedMarks(3)
    one, two, three = (marks.of(number) for number in range(3))
    one.put(PEER, 5.0)
    one.put(PEER, 7.0)
    two.put(PEER, 2.5)
    assert [[*each.of_others(PEER)] for each in (one, two, three)] == [[2.5], [7.0], [7.0, 2.5]]
    assert [*three.of_others("192.0.2.2")] == []


def test_what_is_dropped_is_seen_by_nobody() -> None:
    marks = SharedMarks(2)
    one, two = marks.of(0), marks.of(1)
    one.put(PEER, 5.0)
    one.drop(PEER)
    one.drop("192.0.2.2")
    assert [*two.of_others(PEER)] == []


def test_a_worker_that_takes_a_dead_ones_place_has_noted_nothing() -> None:
    marks = SharedMarks(2)
    marks.of(0).put(PEER, 5.0)
    two = marks.of(1)
    assert [*two.of_others(PEER)] == [5.0]
    marks.of(0)
    assert [*two.of_others(PEER)] == []


def test_with_more_peers_than_places_none_is_taken_for_another() -> None:
    marks = SharedMarks(2)
    one, two = marks.of(0), marks.of(1)
    for number in range(3 * PLACES):
        one.put(f"peer {number}", float(number))
    found = {number: two.of_others(f"peer {number}") for number in range(3 * PLACES)}
    assert all([*marks] in ([], [number]) for number, marks in found.items())
    # The lesser numbers went.
    assert sum(map(bool, [found[number] for number in range(2 * PLACES, 3 * PLACES)])) > 0.7 * PLACES
    assert not any(two.of_others(f"stranger {number}") for number in range(PLACES))


def test_forked_processes_see_each_others_marks() -> None:
    marks = SharedMarks(2)
    child = os.fork()
    if child == 0:
        marks.of(1).put(PEER, 15.0)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert [*marks.of(0).of_others(PEER)] == [15.0]


def test_one_worker_alone_sees_nobodys() -> None:
    alone = SharedMarks(1).of(0)
    alone.put(PEER, 1.0)
    assert [*alone.of_others(PEER)] == []
