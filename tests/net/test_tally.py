"""Counts that the workers of one machine share."""

import os
import random

from mailstack.net.admission import Admission
from mailstack.net.tally import Nobody, Tally
from tests.support.places import Peers

LIMIT = 20


def worker(tally: Tally, number: int, service: str = "smtp", limit: int = LIMIT) -> Peers:
    return Peers(Admission(service, tally.of(number)), limit=limit)


def test_a_peer_has_one_limit_in_all_workers() -> None:
    tally = Tally(3)
    workers = [worker(tally, number) for number in range(3)]
    assert [each.admitted("192.0.2.1", 9) for each in workers] == [9, 9, 2]
    workers[0].leave()
    assert [each.admitted("192.0.2.1", 5) for each in workers] == [1, 0, 0]


def test_what_was_refused_is_not_counted() -> None:
    tally = Tally(2)
    one, two = worker(tally, 0), worker(tally, 1)
    assert one.admitted("192.0.2.1", 100) == 20
    assert two.admitted("192.0.2.1", 100) == 0
    one.leave(20)
    assert two.admitted("192.0.2.1", 100) == 20


def test_peers_and_services_are_counted_apart() -> None:
    tally = Tally(2)
    one, two = worker(tally, 0), worker(tally, 1)
    web = worker(tally, 1, "http")
    assert one.admitted("192.0.2.1", 20) == 20
    assert two.admitted("192.0.2.2", 20) == 20
    assert web.admitted("192.0.2.1", 20) == 20


def test_few_are_refused_for_others_among_thousands() -> None:
    tally, pick = Tally(2), random.Random(7)
    one, two = worker(tally, 0, limit=1), worker(tally, 1, limit=1)
    hosts = [f"10.{pick.randrange(256)}.{number >> 8}.{number & 255}" for number in range(2_000)]
    for host in hosts:
        one.admitted(host, 1)
    strangers = [f"172.16.{number >> 8}.{number & 255}" for number in range(2_000)]
    refused = [host for host in strangers if not two.admitted(host, 1)]
    # With the strictest of limits; two peers must meet in both of their places.
    assert len(refused) < 20


def test_a_worker_that_takes_a_dead_ones_place_counts_from_nothing() -> None:
    tally = Tally(2)
    one, two = worker(tally, 0), worker(tally, 1)
    assert one.admitted("192.0.2.1", 20) == 20
    assert two.admitted("192.0.2.1", 1) == 0
    replaced = worker(tally, 0)
    assert two.admitted("192.0.2.1", 12) == 12
    assert replaced.admitted("192.0.2.1", 20) == 8


def test_forked_processes_see_each_others_counts() -> None:
    tally = Tally(2)
    child = os.fork()
    if child == 0:
        os._exit(worker(tally, 1).admitted("192.0.2.1", 15))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 15
    assert worker(tally, 0).admitted("192.0.2.1", 20) == 5


def test_one_worker_alone_shares_nothing() -> None:
    assert isinstance(Tally(1).of(0), Nobody)
