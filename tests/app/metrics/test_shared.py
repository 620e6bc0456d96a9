"""Counters of several processes in one memory: added up, and never less than they were."""

import os

import pytest

from mailstack.app.metrics.shared import SharedMetrics
from mailstack.model import metrics
from mailstack.model.metric import OTHER, Metric, MetricKind

WORKERS = 2


@pytest.fixture
def shared() -> SharedMetrics:
    return SharedMetrics(WORKERS)


def figures(shared: SharedMetrics, metric: Metric) -> dict[tuple[str, ...], tuple[float, ...]]:
    return {cell.labels: cell.figures for cell in shared.cells() if cell.metric is metric}


def figure(shared: SharedMetrics, metric: Metric, *labels: str) -> float:
    return figures(shared, metric)[labels][0]


def test_what_all_processes_count_is_one_figure(shared: SharedMetrics) -> None:
    shared.of(0).add(metrics.QUEUED)
    shared.of(1).add(metrics.QUEUED, by=3)
    shared.of_supervisor().add(metrics.QUEUED)
    assert figure(shared, metrics.QUEUED) == 5


def test_a_process_that_was_forked_counts_too(shared: SharedMetrics) -> None:
    child = os.fork()
    if child == 0:
        shared.of(1).add(metrics.CONNECTIONS, "imap", by=7)
        os._exit(0)
    os.waitpid(child, 0)
    shared.of(0).add(metrics.CONNECTIONS, "imap")
    assert figure(shared, metrics.CONNECTIONS, "imap") == 8


def test_whoever_takes_the_place_of_a_dead_worker_counts_on(shared: SharedMetrics) -> None:
    dead = shared.of(0)
    dead.add(metrics.CONNECTIONS, "mx", by=5)
    dead.observe(metrics.ATTEMPT_SECONDS, 0.2, "sent")
    shared.of(0).add(metrics.CONNECTIONS, "mx")
    assert figure(shared, metrics.CONNECTIONS, "mx") == 6
    assert sum(figures(shared, metrics.ATTEMPT_SECONDS)["sent",][:-1]) == 1


def test_what_a_dead_worker_held_is_gone_with_it(shared: SharedMetrics) -> None:
    shared.of(0).add(metrics.CONNECTIONS_OPEN, "mx", by=5)
    shared.of(1).add(metrics.CONNECTIONS_OPEN, "mx", by=2)
    shared.of(0)
    assert figure(shared, metrics.CONNECTIONS_OPEN, "mx") == 2


def test_a_gauge_is_put_and_taken_from(shared: SharedMetrics) -> None:
    worker = shared.of(0)
    worker.put(metrics.MEMORY_BYTES, 100, "worker")
    worker.put(metrics.MEMORY_BYTES, 70, "worker")
    worker.add(metrics.MEMORY_BYTES, "worker", by=-20)
    assert figure(shared, metrics.MEMORY_BYTES, "worker") == 50


def test_a_value_falls_into_the_bucket_that_it_is_not_above(shared: SharedMetrics) -> None:
    worker, metric = shared.of(0), metrics.LAG_SECONDS
    for value in (0.0, metric.bounds[0], metric.bounds[1], metric.bounds[-1] + 1):
        worker.observe(metric, value, "worker")
    *buckets, total = figures(shared, metric)["worker",]
    assert buckets == [2, 1, *[0] * (len(metric.bounds) - 2), 1]
    assert total == pytest.approx(metric.bounds[0] + metric.bounds[1] + metric.bounds[-1] + 1)


def test_everything_that_can_be_counted_is_there_from_the_beginning(shared: SharedMetrics) -> None:
    for metric in metrics.ALL:
        if metric.kind is MetricKind.HISTOGRAM:
            assert figures(shared, metric) == {}
        else:
            assert set(figures(shared, metric).values()) == {(0.0,)}


def test_what_strangers_choose_makes_no_new_figures(shared: SharedMetrics) -> None:
    worker = shared.of(0)
    before = len([*shared.cells()])
    for number in range(1_000):
        worker.observe(metrics.JMAP_SECONDS, 0.1, f"Evil/{number}", "error")
        worker.add(metrics.LOGINS, f"x{number}\n", "accepted", '"} 1')
    found = [*shared.cells()]
    assert len(found) == before + 2
    assert figure(shared, metrics.LOGINS, OTHER, "accepted", OTHER) == 1_000
    assert sum(figures(shared, metrics.JMAP_SECONDS)[OTHER, "error"][:-1]) == 1_000
