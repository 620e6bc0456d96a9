"""How much of the mail to one receiving provider goes straight there while our address is new to it. Pure.

Providers judge an address by what came from it. One that sends a lot on its first day is taken for a spammer's, so that
the share grows from day to day, and not after a day on which the provider did not like what came.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from mailstack.model.delivery import Deferred, Delivered, Outcome
from mailstack.model.instant import DAY_MS, Instant

FIRST_SHARE: Final = 0.01
FIRST_DAY_MAILS: Final = 50
"""At most; twice as many on each day that follows."""
LAST_DAY_WITH_MOST: Final = 14
"""From then on the share alone decides: no provider is surprised by that many."""
STEPS_BACK: Final = 2
"""For each bad day: the one that it lasted, and one more."""
FEW_TROUBLES: Final = 3
BAD_SHARE: Final = 0.1
_HASHED_OCTETS: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmUp:
    """start: midnight UTC of the first day. days: until everything goes direct, if all goes well."""

    start: Instant
    days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmDay:
    """What one provider said to what went straight there on one day. day: its midnight, UTC. troubles: put off or
    refused for who sends."""

    provider: str
    day: Instant
    taken: int
    troubles: int

    @property
    def is_bad(self) -> bool:
        return self.troubles >= FEW_TROUBLES and self.troubles > (self.taken + self.troubles) * BAD_SHARE


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Where a provider is on one day. step: 0 on the first day, None before it. most: mails on that day; None: no
    bound but the share. done: on that day already."""

    step: int | None
    share: float
    most: int | None
    done: int = 0
    bad_days: int = 0

    @property
    def has_room(self) -> bool:
        return self.most is None or self.done < self.most


def day_of(now: Instant) -> Instant:
    return Instant(now - now % DAY_MS)


def stage_of(warm_up: WarmUp, days: Sequence[WarmDay], *, now: Instant) -> Stage:
    """days: of one provider, in any order; what was before the start does not count."""
    today = day_of(now)
    elapsed = (today - warm_up.start) // DAY_MS
    if elapsed < 0:
        return Stage(step=None, share=0.0, most=0)
    counted = [day for day in days if warm_up.start <= day.day <= today]
    bad_days = sum(day.is_bad for day in counted)
    step = max(0, elapsed - STEPS_BACK * bad_days)
    done = sum(day.taken + day.troubles for day in counted if day.day == today)
    return Stage(step=step, share=share_at(warm_up, step), most=most_at(warm_up, step), done=done, bad_days=bad_days)


def share_at(warm_up: WarmUp, step: int) -> float:
    """By the same factor each day, to all of it on the day after the last."""
    return 1.0 if step >= warm_up.days else FIRST_SHARE ** (1 - step / warm_up.days)


def most_at(warm_up: WarmUp, step: int) -> int | None:
    return None if step >= min(warm_up.days, LAST_DAY_WITH_MOST) else FIRST_DAY_MAILS << step


def goes_direct(stage: Stage, provider: str, mail_id: int) -> bool:
    """The same for a mail at each attempt, while the share grows: one that began direct stays so."""
    return stage.has_room and _place(provider, mail_id) < stage.share


def _place(provider: str, mail_id: int) -> float:
    """From 0 up to 1, as by chance."""
    digest = hashlib.sha256(f"{mail_id} {provider}".encode()).digest()
    return int.from_bytes(digest[:_HASHED_OCTETS]) / (1 << 8 * _HASHED_OCTETS)


def is_trouble(outcome: Outcome) -> bool | None:
    """None: it says nothing of us.

    RFC 3463 §3.2, §3.3: X.1 and X.2 are about one address or mailbox; §3.7: X.6 about how one message is written."""
    if isinstance(outcome, Delivered):
        return False
    if not outcome.host or (isinstance(outcome, Deferred) and outcome.is_own_fault):
        return None
    _, _, about = outcome.reply.status.partition(".")
    if about in _ABOUT_THE_MESSAGE or about.startswith("6."):
        return None
    return not about.startswith(("1.", "2."))


_ABOUT_THE_MESSAGE: Final = frozenset({"3.4", "7.10", "7.11", "7.30"})
"""How large it is, and what it asks of TLS (RFC 8689 §4.2.1): mostly our own verdict on what a server offers."""


def provider_of(host: str) -> str:
    """Whose exchanger it is, near enough: all that a provider has under one name is one receiver. Without a list of
    public suffixes, "co.uk" and its like are told by their looks."""
    labels = host.split(".")
    count = 3 if len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVEL else 2
    return ".".join(labels[-count:])


_SECOND_LEVEL: Final = frozenset({"ac", "co", "com", "edu", "go", "gob", "gov", "gv", "ne", "net", "or", "org"})
