"""How much an account may submit in an hour and in a day, and how much of it is left. Pure.

What was submitted is counted by spans of ten minutes, and each counts until all of it is an hour or a day old: nobody
gets more than their limit in any hour.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mailstack.model.instant import DAY_MS, HOUR_MS, MINUTE_MS, Instant

SPAN_MS = 10 * MINUTE_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class SendingLimits:
    """None: no limit. The defaults let a person write to a club and stop whoever has stolen a password."""

    messages_per_hour: int | None = None
    messages_per_day: int | None = None
    recipients_per_hour: int | None = 500
    recipients_per_day: int | None = 2_000

    @property
    def bound_messages(self) -> bool:
        return self.messages_per_hour is not None or self.messages_per_day is not None

    @property
    def are_none(self) -> bool:
        return not self.bound_messages and self.recipients_per_hour is None and self.recipients_per_day is None


DEFAULT_LIMITS = SendingLimits()


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """began_at: as span_of gives it. recipients: of all its messages."""

    began_at: Instant
    messages: int
    recipients: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """The limit that leaves the least. free_at: when it leaves more."""

    limit: int
    of: str
    per: str
    free_at: Instant

    def __str__(self) -> str:
        return f"{self.limit} {self.of} {self.per}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """recipients: how many one more message may have, 0 where there may be none; None: any number, and then nothing
    bounds it."""

    recipients: int | None
    bound: Bound | None

    def has(self, recipients: int) -> bool:
        return self.recipients is None or recipients <= self.recipients


ANY = Room(recipients=None, bound=None)


def span_of(now: Instant) -> Instant:
    """When the span of that moment began."""
    return Instant(now - now % SPAN_MS)


def counts_since(now: Instant) -> Instant:
    """What began before counts no more."""
    return Instant(now - DAY_MS - SPAN_MS)


def room_of(limits: SendingLimits, spans: Sequence[Span], *, now: Instant) -> Room:
    """spans: ascending, all that count."""
    found = [*_rooms(limits, spans, now)]
    if not found:
        return ANY
    # Of several that leave the same, the one that lasts longest.
    return min(found, key=lambda room: (room.recipients, -room.bound.free_at if room.bound is not None else 0))


def counted(spans: Sequence[Span], *, now: Instant) -> tuple[Span, Span]:
    """The sums of what counts for the hour and for the day, each from when its oldest part began."""
    return _sum(spans, HOUR_MS, now), _sum(spans, DAY_MS, now)


def _sum(spans: Sequence[Span], window_ms: int, now: Instant) -> Span:
    counting = [span for span in spans if span.began_at + SPAN_MS + window_ms > now]
    return Span(
        began_at=counting[0].began_at if counting else span_of(now),
        messages=sum(span.messages for span in counting),
        recipients=sum(span.recipients for span in counting),
    )


def _rooms(limits: SendingLimits, spans: Sequence[Span], now: Instant) -> Iterator[Room]:
    """Of each limit that bounds the next message."""
    for per, window_ms, messages, recipients in (
        ("an hour", HOUR_MS, limits.messages_per_hour, limits.recipients_per_hour),
        ("a day", DAY_MS, limits.messages_per_day, limits.recipients_per_day),
    ):
        found = _sum(spans, window_ms, now)
        free_at = Instant(found.began_at + SPAN_MS + window_ms)
        if messages is not None and found.messages >= messages:
            yield Room(recipients=0, bound=Bound(limit=messages, of="messages", per=per, free_at=free_at))
        if recipients is not None:
            left = max(0, recipients - found.recipients)
            yield Room(recipients=left, bound=Bound(limit=recipients, of="recipients", per=per, free_at=free_at))
