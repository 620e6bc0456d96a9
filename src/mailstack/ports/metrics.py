"""Where whatever happens is counted, for whoever watches the server from outside.

Called on the loop alone. It never fails and never waits, so that it can stand on the hottest path.
"""

from typing import Final, Protocol

from mailstack.model.metric import Metric


class Metrics(Protocol):
    """labels: values in the order of the metric's own; one that it does not know is counted as OTHER."""

    def add(self, metric: Metric, *labels: str, by: float = 1) -> None:
        """To a counter, or to a gauge, which takes less than nothing too."""
        ...

    def put(self, metric: Metric, value: float, *labels: str) -> None:
        """A gauge's value, of this process."""
        ...

    def observe(self, metric: Metric, value: float, *labels: str) -> None:
        """Into a histogram."""
        ...


class _Uncounted:
    def add(self, metric: Metric, *labels: str, by: float = 1) -> None: ...

    def put(self, metric: Metric, value: float, *labels: str) -> None: ...

    def observe(self, metric: Metric, value: float, *labels: str) -> None: ...


UNCOUNTED: Final[Metrics] = _Uncounted()
"""Where nobody watches: a program that ends by itself, a test."""
