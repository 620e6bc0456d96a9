"""What lines of the log come to in figures: the one place that knows their words, so that what tells an event of
itself need not count it too. A test holds the words to the places that say them."""

import asyncio
import threading
from collections.abc import Callable, Mapping
from functools import partial

from mailstack.app.log import Event
from mailstack.model.instant import SECOND_MS
from mailstack.model.metric import Metric
from mailstack.model.metrics import (
    ATTEMPT_SECONDS,
    ATTEMPTS,
    BANNED,
    DELIVERIES,
    LOG_LINES,
    LOGINS,
    QUEUED,
    RELOADS,
    SPAM_SCORE,
    SPAM_VERDICTS,
    UPKEEP_FAILED,
    WORKERS_DIED,
)
from mailstack.ports.metrics import Metrics

# What a line lacks is counted as OTHER: one that is told elsewhere in the same words must not stop whoever tells it.
Count = Callable[[Metrics, Event], None]


class LineCounts:
    """Works as app.log.Hear, on the loop it was made on and in any thread."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()

    def __call__(self, level: str, event: Event) -> None:
        if threading.get_ident() == self._thread:
            self._count(level, event)
        elif not self._loop.is_closed():
            # The line is written meanwhile, and gets more in it.
            self._loop.call_soon_threadsafe(self._count, level, dict(event))

    def _count(self, level: str, event: Event) -> None:
        self._metrics.add(LOG_LINES, "error" if level == "exception" else level)
        count = LINES.get(event["event"])
        if count is not None:
            count(self._metrics, event)


def _one(metric: Metric, *labels: str) -> Count:
    return lambda metrics, _: metrics.add(metric, *labels)


def _login(outcome: str, metrics: Metrics, event: Event) -> None:
    metrics.add(LOGINS, event.get("service", ""), outcome, event.get("proof", ""))


def _scored(metrics: Metrics, event: Event) -> None:
    metrics.add(SPAM_VERDICTS, event.get("result", ""))
    if "score" in event:
        metrics.observe(SPAM_SCORE, event["score"])


def _attempt(outcome: str, metrics: Metrics, event: Event) -> None:
    metrics.add(ATTEMPTS, outcome, event.get("tls_policy", "none"), "yes" if event.get("tls_version") else "no")
    if "ms" in event:
        metrics.observe(ATTEMPT_SECONDS, event["ms"] / SECOND_MS, outcome)


LINES: Mapping[str, Count] = {
    "logged in": partial(_login, "accepted"),
    "login failed": partial(_login, "failed"),
    "login refused": partial(_login, "refused"),
    "banned": _one(BANNED),
    "scored": _scored,
    "delivered": _one(DELIVERIES, "delivered"),
    "filtered": _one(DELIVERIES, "filtered"),
    "not stored": _one(DELIVERIES, "failed"),
    "queued": _one(QUEUED),
    "sent": partial(_attempt, "sent"),
    "deferred": partial(_attempt, "deferred"),
    "failed": partial(_attempt, "failed"),
    "held": partial(_attempt, "held"),
    "reloaded": _one(RELOADS, "applied"),
    "nothing to change": _one(RELOADS, "unchanged"),
    "the reload was refused; the old generation goes on": _one(RELOADS, "refused"),
    "upkeep failed; the server goes on as it is": _one(UPKEEP_FAILED),
    "worker died": _one(WORKERS_DIED),
}
