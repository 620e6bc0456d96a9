"""Which records a life cycle waits for, and whether what DNS shows of them is enough to go on. Pure, but for asking.

A record is seen when every authoritative server that answers shows it, alone in its set, and at least one answers
(docs/decisions/0010-life-cycles.md).
"""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from mailstack.reconcile.dns.live import LiveDns, Seen, Sight, comparable
from mailstack.reconcile.dns.record_set import Key

NOT_LOOKED_AT = Seen(failure="nobody was asked")

Observed = Mapping[Key, Seen]
"""What was seen, by name and type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """zone: of the spec, "" where none of it holds the name."""

    zone: str
    key: Key


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """told: where it is seen or, where it is not, what is there instead; for people."""

    is_seen: bool
    told: str


async def observe(live_dns: LiveDns, questions: Collection[Question]) -> Observed:
    """Never raises for what DNS does."""
    asked = list(dict.fromkeys(questions))
    answers = await asyncio.gather(*(live_dns.seen(question.zone, *question.key) for question in asked))
    return {question.key: seen for question, seen in zip(asked, answers, strict=True)}


def sighting(seen: Seen, value: str) -> Sighting:
    """Of a set that should hold this value and no other."""
    if seen.failure:
        return Sighting(is_seen=False, told=seen.failure)
    answers = [sight for sight in seen.sights if not sight.failure]
    if not answers:
        silent = ", ".join(f"{sight.server} {sight.failure}" for sight in seen.sights)
        return Sighting(is_seen=False, told=silent or "the zone has no servers")
    lacking = [sight for sight in answers if [comparable(held) for held in sight.values] != [comparable(value)]]
    if lacking:
        return Sighting(is_seen=False, told="; ".join(_lack(sight) for sight in lacking))
    return Sighting(is_seen=True, told=f"seen at {', '.join(sight.server for sight in answers)}")


def _lack(sight: Sight) -> str:
    if sight.alias:
        return f"{sight.server} has a CNAME to {sight.alias} there"
    if not sight.values:
        return f"{sight.server} does not have it"
    shown = sorted(sight.values)[0]
    more = f" and {len(sight.values) - 1} more" if len(sight.values) > 1 else ""
    return f'{sight.server} has something else there: "{shown[:60]}{"…" if len(shown) > 60 else ""}"{more}'
