"""What strangers do wrong, how it adds up and is forgiven, and for how long somebody is banned for it."""

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv6Address, ip_address
from math import log2

from mailstack.model.instant import DAY_MS, HOUR_MS, MINUTE_MS, Instant
from mailstack.model.networks import NOWHERE, Networks, subscriber_of

HALF_LIFE_MS = 15 * MINUTE_MS
"""In which half of what was done is forgiven: a telephone with an old password that asks every five minutes is never
banned, and whoever tries passwords is within the minute."""
REMEMBERED_MS = 30 * DAY_MS
"""So long after its end a ban makes the next one longer."""


class Offence(StrEnum):
    FAILED_LOGIN = "failed logins"
    UNKNOWN_RECIPIENT = "unknown recipients"
    PROTOCOL_ABUSE = "protocol abuse"


POINTS = {Offence.FAILED_LOGIN: 2.0, Offence.UNKNOWN_RECIPIENT: 1.0, Offence.PROTOCOL_ABUSE: 5.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class BanRules:
    """after: so many points. first_ms: how long the first ban lasts, each later one twice as long, up to longest_ms.
    never: who is banned for nothing."""

    after: int = 30
    first_ms: int = HOUR_MS
    longest_ms: int = 7 * DAY_MS
    never: Networks = NOWHERE


@dataclass(frozen=True, slots=True, kw_only=True)
class Ban:
    """peer: as peer_of gives it. reason: an Offence, or a person's words. times: how often it was banned lately, this
    time included."""

    peer: str
    reason: str
    since: Instant
    until: Instant
    times: int = 1


@dataclass(frozen=True, slots=True)
class Record:
    """points: as they were at `at`."""

    points: float
    at: Instant


def with_offence(record: Record | None, offence: Offence, now: Instant) -> Record:
    # A clock that went back forgives nothing.
    left = 0.0 if record is None else record.points * 0.5 ** (max(0, now - record.at) / HALF_LIFE_MS)
    return Record(left + POINTS[offence], now)


def fades_at(record: Record) -> float:
    """When one point is left of it: all that needs to be told of a record, for it says how many there are at any
    moment."""
    return record.at + HALF_LIFE_MS * log2(record.points)


def points_until(fading: float, now: Instant, *, most: float) -> float:
    """fading: as fades_at gives it. most: more than that nobody gets; what says so is of a clock that went back."""
    # Whole points come back as whole ones.
    points = round(2.0 ** min((fading - now) / HALF_LIFE_MS, 64.0), 6)
    return points if points <= most else 0.0


def next_ban(peer: str, reason: str, now: Instant, *, last: Ban | None, rules: BanRules) -> Ban:
    """last: the one before, however it ended."""
    times = last.times + 1 if last is not None and now < last.until + REMEMBERED_MS else 1
    length = min(rules.first_ms << min(times - 1, 32), rules.longest_ms)
    return Ban(peer=peer, reason=reason, since=now, until=Instant(now + length), times=times)


def peer_of(host: str) -> str:
    """Whom a ban of this address is for: of IPv6, its /64 (RFC 4291 §2.5.1). Raises ValueError for what is none."""
    address = ip_address(host)
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return subscriber_of(str(address if mapped is None else mapped))
