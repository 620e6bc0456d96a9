"""The figures as Prometheus reads them: the text format, or OpenMetrics for who asks for it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate, groupby

from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from mailstack.app.metrics.readings import Reading, Readings
from mailstack.app.metrics.shared import Cell
from mailstack.model.metric import Metric, MetricKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Scrape:
    """cells: what all processes have counted."""

    cells: Callable[[], Iterable[Cell]]
    readings: Readings

    async def __call__(self, accept: str) -> tuple[bytes, str]:
        """The text, and its media type, by the request's Accept field."""
        read = await self.readings.read()
        encode, media_type = choose_encoder(accept)
        return encode(_Families(families(self.cells(), read))), media_type


class _Families(Collector):
    def __init__(self, found: Iterable[Family]) -> None:
        self._found = found

    def collect(self) -> Iterable[Family]:
        return self._found


def families(cells: Iterable[Cell], read: Iterable[Reading]) -> Iterator[Family]:
    """Of one metric together, as they come."""
    for metric, found in groupby(cells, key=lambda cell: cell.metric):
        family = _family(metric)
        for cell in found:
            _add(family, cell.labels, cell.figures, metric.bounds)
        yield family
    for metric, readings in groupby(read, key=lambda reading: reading.metric):
        family = _family(metric)
        for reading in readings:
            _add(family, reading.labels, (reading.value,), ())
        yield family


def _family(metric: Metric) -> Family:
    labels = [*metric.labels]
    match metric.kind:
        case MetricKind.COUNTER:
            return CounterMetricFamily(metric.full_name, metric.help, labels=labels)
        case MetricKind.GAUGE:
            return GaugeMetricFamily(metric.full_name, metric.help, labels=labels)
        case MetricKind.HISTOGRAM:
            return HistogramMetricFamily(metric.full_name, metric.help, labels=labels)


def _add(family: Family, labels: tuple[str, ...], figures: tuple[float, ...], bounds: tuple[float, ...]) -> None:
    match family:
        case HistogramMetricFamily():
            ends = [*map(str, bounds), "+Inf"]
            buckets = [*zip(ends, accumulate(figures[:-1]), strict=True)]
            family.add_metric(labels, buckets, sum_value=figures[-1])
        case CounterMetricFamily() | GaugeMetricFamily():
            family.add_metric(labels, float(figures[0]))
