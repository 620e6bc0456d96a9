"""Counters in memory that all processes of a server share: each writes a column of its own, who is asked adds them up.

There is nothing to lock and nothing to send, and whichever worker is asked answers for all. A worker that takes the
place of one that died goes on where that one's counters stood, so that none ever goes back before the server ends.
Made before the workers are forked. net.tally's way, for numbers that are known beforehand.
"""

import mmap
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from mailstack.model.metric import OTHER, Metric, MetricKind
from mailstack.model.metrics import ALL
from mailstack.ports.metrics import Metrics

OCTETS = 8

Labels = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One row of figures of all processes together: of a histogram those of its buckets, the endless one last, and the
    sum of what was observed; else a single one."""

    metric: Metric
    labels: Labels
    figures: tuple[float, ...]


class SharedMetrics:
    def __init__(self, workers: int) -> None:
        self._layout = _Layout()
        octets = self._layout.width * OCTETS
        # One more than there are workers: the supervisor's.
        shared = memoryview(mmap.mmap(-1, (workers + 1) * octets))
        self._columns = [shared[at * octets : (at + 1) * octets].cast("d") for at in range(workers + 1)]

    def of(self, place: int) -> Metrics:
        """For the worker that takes this place."""
        return self._column(place)

    def of_supervisor(self) -> Metrics:
        return self._column(-1)

    def cells(self) -> Iterator[Cell]:
        """In the order of the list of metrics. What was never counted as OTHER is left out, and what a histogram has
        never been given."""
        for (metric, labels), at in self._layout.places.items():
            width = _width(metric)
            figures = tuple(map(sum, zip(*(column[at : at + width] for column in self._columns), strict=True)))
            is_listed = metric.kind is not MetricKind.HISTOGRAM and OTHER not in labels
            if is_listed or any(figures):
                yield Cell(metric=metric, labels=labels, figures=figures)

    def _column(self, place: int) -> "Column":
        own = self._columns[place]
        for at in self._layout.gauges:
            own[at] = 0.0  # of the one before, which took with it whatever it had
        return Column(own, self._layout.places)


class Column:
    """What one process counts. Works as ports.metrics.Metrics."""

    __slots__ = ("_figures", "_places")

    def __init__(self, figures: "memoryview[float]", places: Mapping[tuple[Metric, Labels], int]) -> None:
        self._figures = figures
        self._places = places

    def add(self, metric: Metric, *labels: str, by: float = 1) -> None:
        self._figures[self._place(metric, labels)] += by

    def put(self, metric: Metric, value: float, *labels: str) -> None:
        self._figures[self._place(metric, labels)] = value

    def observe(self, metric: Metric, value: float, *labels: str) -> None:
        at, bounds = self._place(metric, labels), metric.bounds
        self._figures[at + bisect_left(bounds, value)] += 1
        self._figures[at + len(bounds) + 1] += value

    def _place(self, metric: Metric, labels: Labels) -> int:
        place = self._places.get((metric, labels))
        return self._places[metric, _listed(metric, labels)] if place is None else place


class _Layout:
    """places: where the figures of a metric's labels begin. gauges: where those are that go with their process."""

    def __init__(self) -> None:
        self.places: dict[tuple[Metric, Labels], int] = {}
        self.gauges: list[int] = []
        self.width = 0
        for metric in ALL:
            for labels in product(*((*values, OTHER) for values in metric.labels.values())):
                self.places[metric, labels] = self.width
                if metric.kind is MetricKind.GAUGE:
                    self.gauges.append(self.width)
                self.width += _width(metric)


def _width(metric: Metric) -> int:
    return len(metric.bounds) + 2 if metric.kind is MetricKind.HISTOGRAM else 1


def _listed(metric: Metric, labels: Labels) -> Labels:
    return tuple(
        label if label in values else OTHER for label, values in zip(labels, metric.labels.values(), strict=True)
    )
