"""Meters of destinations that all workers of a machine fill together."""

import os
import signal

import pytest

from mailstack.model.delivery import Priority
from mailstack.model.instant import Instant
from mailstack.model.rate import Meter, Rate, draw
from mailstack.net import shared_meters
from mailstack.net.shared_meters import SharedMeters

NOW = Instant(1_700_000_000_000)
RATE = Rate(100, "m")


def gone(meters: SharedMeters, name: str, asked: int, now: int = NOW) -> int:
    times = meters.change(name, lambda meter: draw(RATE, meter, asked, Priority.SUBMISSION, Instant(now)))
    return asked - len(times)


def test_what_one_worker_has_sent_counts_for_the_others() -> None:
    meters = SharedMeters()
    child = os.fork()
    if not child:
        gone(meters, "mx.test", 7)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert gone(meters, "mx.test", 10) == 3
    assert gone(meters, "other.test", 20) == 10


def test_workers_that_count_at_once_lose_nothing() -> None:
    meters, each = SharedMeters(), 3_000

    def count(meter: Meter) -> tuple[Meter, None]:
        return Meter(empty_at=meter.empty_at + 1), None

    children = []
    for _ in range(3):
        child = os.fork()
        if not child:
            for _ in range(each):
                meters.change("mx.test", count)
            os._exit(0)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0, 0]
    assert meters.change("mx.test", lambda meter: (meter, meter.empty_at)) == 3 * each


def test_a_worker_that_is_killed_in_the_middle_stops_nobody() -> None:
    meters = SharedMeters()

    def die(_meter: Meter) -> tuple[Meter, None]:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError

    child = os.fork()
    if not child:
        meters.change("mx.test", die)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    assert gone(meters, "mx.test", 10) == 10


def test_a_change_that_fails_leaves_all_as_it_was() -> None:
    meters = SharedMeters()

    def fail(_meter: Meter) -> tuple[Meter, None]:
        raise ValueError

    with pytest.raises(ValueError, match=r"^$"):
        meters.change("mx.test", fail)
    assert gone(meters, "mx.test", 20) == 10


def test_with_more_than_there_is_room_for_those_go_that_sent_longest_ago(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_meters, "PLACES", 1)
    meters = SharedMeters()
    for number in range(10):
        assert gone(meters, f"mx{number}.test", 20) == 10
    assert gone(meters, "mx9.test", 1) == 0
