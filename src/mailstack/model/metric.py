"""What a metric is: its name, and every value that each of its labels can take.

So what one costs is known before anybody sends anything: of a value that is not listed there is only OTHER.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

PREFIX = "mailstack_"
OTHER = "other"


class MetricKind(StrEnum):
    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Metric:
    """name: without PREFIX, with what Prometheus wants behind it (_total, _seconds). labels: all values by name, empty
    where they are the spec's. bounds: where a histogram's buckets end, ascending, without the last, endless one."""

    name: str
    kind: MetricKind
    help: str
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    bounds: tuple[float, ...] = ()

    @property
    def full_name(self) -> str:
        return PREFIX + self.name


def counter(name: str, help_: str, **labels: tuple[str, ...]) -> Metric:
    return Metric(name=name, kind=MetricKind.COUNTER, help=help_, labels=labels)


def gauge(name: str, help_: str, **labels: tuple[str, ...]) -> Metric:
    return Metric(name=name, kind=MetricKind.GAUGE, help=help_, labels=labels)


def histogram(name: str, help_: str, bounds: tuple[float, ...], **labels: tuple[str, ...]) -> Metric:
    return Metric(name=name, kind=MetricKind.HISTOGRAM, help=help_, labels=labels, bounds=bounds)
