"""Greylisting: who is not known is asked to come again, which senders of spam seldom do. Pure. RFC 6647."""

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address, ip_network

from mailstack.model.instant import DAY_MS, HOUR_MS, MINUTE_MS, Instant
from mailstack.model.networks import REMEMBERED

# RFC 6647 §5: between a minute and a day; most servers come again within a quarter of an hour.
DELAY_MS = 3 * MINUTE_MS
WINDOW_MS = 24 * HOUR_MS
"""Who has not come again within it begins anew."""
KEPT_MS = 36 * DAY_MS
"""Since it was last seen: longer than from one month's newsletter to the next."""
PASSES_TO_BE_KNOWN = 3
"""So many mails that came again, and the network they come from is asked no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GreyEntry:
    """Of a triplet, or of a network. passes: how often it was let through."""

    first_at: Instant
    until: Instant
    passes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """wait_ms: 0: let it through. triplet, network: what to keep, None for what stays as it is."""

    wait_ms: int
    triplet: GreyEntry | None = None
    network: GreyEntry | None = None


def judge(triplet: GreyEntry | None, network: GreyEntry | None, now: Instant) -> Verdict:
    """Entries that have ended are None."""
    if network is not None and network.passes >= PASSES_TO_BE_KNOWN:
        # Written now and then is enough for what is kept for weeks.
        is_stale = network.until < now + KEPT_MS - DAY_MS
        return Verdict(wait_ms=0, network=_passed(network, now) if is_stale else None)
    if triplet is None:
        return Verdict(wait_ms=DELAY_MS, triplet=GreyEntry(first_at=now, until=Instant(now + WINDOW_MS)))
    if triplet.passes == 0 and now < triplet.first_at + DELAY_MS:
        # A clock that went back makes nobody wait for longer than at first.
        return Verdict(wait_ms=min(triplet.first_at + DELAY_MS - now, DELAY_MS))
    first_pass = triplet.passes == 0
    return Verdict(wait_ms=0, triplet=_passed(triplet, now), network=_passed(network, now) if first_pass else None)


def _passed(entry: GreyEntry | None, now: Instant) -> GreyEntry:
    passes, first_at = (entry.passes, entry.first_at) if entry is not None else (0, now)
    return GreyEntry(first_at=first_at, until=Instant(now + KEPT_MS), passes=passes + 1)


@lru_cache(maxsize=REMEMBERED)
def network_of(host: str) -> str:
    """A large sender comes again from another machine beside the first: RFC 6647 §2.4. Raises ValueError."""
    version = ip_address(host).version
    return str(ip_network((host, 24 if version == 4 else 64), strict=False))
