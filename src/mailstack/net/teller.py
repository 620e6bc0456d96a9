"""Tells the log of what comes in from the network, and keeps a flood from filling the disk.

What costs a peer next to nothing (a connection that is turned away, a transaction that is begun and dropped) is told
one by one as long as it is rare; past that it is counted, and the sum told once a minute. Figures have all of it.
"""

import asyncio
from collections import Counter

import structlog

from mailstack.model.log_events import LogEvent, TransactionEvent, TurnedAwayEvent, WithheldEvent, facts
from mailstack.model.networks import subscriber_of
from mailstack.net.counted_events import count_event
from mailstack.ports.metrics import UNCOUNTED, Metrics

WINDOW_S = 60.0
TOLD = 10
"""Events of one kind and peer in a window."""
PEERS = 200
"""In a window; the events of all others are counted together."""

log = structlog.get_logger()


class Teller:
    """One for each generation."""

    def __init__(self, metrics: Metrics = UNCOUNTED) -> None:
        self._metrics = metrics
        self._seen: Counter[tuple[str, str]] = Counter()
        # Bound once: the module's would be bound anew for each line.
        self._log: structlog.typing.FilteringBoundLogger = log.bind()

    def tell(self, event: TransactionEvent | TurnedAwayEvent) -> None:
        count_event(self._metrics, event)
        self._write(event)

    def tell_if_rare(self, event: TransactionEvent | TurnedAwayEvent) -> None:
        count_event(self._metrics, event)
        if not self._seen:
            asyncio.get_running_loop().call_later(WINDOW_S, self._end_window)
        key = (event.NAME, subscriber_of(event.peer))
        if key not in self._seen and len(self._seen) >= PEERS:
            key = (event.NAME, "")
        self._seen[key] += 1
        if self._seen[key] <= TOLD:
            self._write(event)

    def _write(self, event: LogEvent) -> None:
        self._log.info(event.NAME, **facts(event))

    def _end_window(self) -> None:
        seen, self._seen = self._seen, Counter()
        for (name, peer), count in seen.items():
            if count > TOLD:
                self._write(WithheldEvent(of=name, peer=peer, count=count - TOLD))
