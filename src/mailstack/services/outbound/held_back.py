"""What is due and not tried all the same: its destination is left alone for a while, or has had its rate."""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from mailstack.model.delivery import Deferred, QueueItem, SmtpReply
from mailstack.model.instant import Instant
from mailstack.model.rate import Meter, Rate, draw
from mailstack.services.outbound.limits import Place
from mailstack.services.outbound.pace import Pace

Result = TypeVar("Result")


class Meters(Protocol):
    """Of all workers of this machine, as net.shared_meters has them."""

    def change(self, name: str, change: Callable[[Meter], tuple[Meter, Result]]) -> Result: ...


def held_back(
    meters: Meters, place: Place, pace: Pace, items: Sequence[QueueItem], now: Instant, *, is_attempt: bool
) -> Sequence[Deferred]:
    """Why the last of them are not tried, one each; the others count as sent. is_attempt: a server would be asked."""
    if pace.is_off(now):
        return [_left_alone(place, pace)] * len(items)
    rate = place.limits.rate
    if rate is None or not is_attempt:
        return ()
    priority = items[0].priority
    # Another rate is another meter: what was found to wait for the old one need not.
    name = " ".join([*place.group, str(rate)])
    times = meters.change(name, lambda meter: draw(rate, meter, len(items), priority, now))
    return [_over_rate(place, rate, time) for time in times]


def _left_alone(place: Place, pace: Pace) -> Deferred:
    text = f"not tried yet, for {place.name} is left alone; it said: {pace.why}"
    reply = SmtpReply(code=451, status="4.7.0", text=text)
    return Deferred(reply=reply, host="", until=pace.until, relay=place.relay, waits_for=place.name)


def _over_rate(place: Place, rate: Rate, until: Instant) -> Deferred:
    text = f"not tried yet, for {place.name} gets no more than {rate} from here"
    # RFC 3463 §3.5, X.4.5: mail system congestion.
    reply = SmtpReply(code=451, status="4.4.5", text=text)
    return Deferred(reply=reply, host="", until=until, relay=place.relay, waits_for=place.name)
