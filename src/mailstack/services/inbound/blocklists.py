"""Lists in DNS of addresses that send spam: all of them asked at once about each peer, early, and waited for late.

What a list does not say within the deadline it has not said: nobody is refused for a list that is down. RFC 5782 §6.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from mailstack.model.dns_list import backwards
from mailstack.model.instant import MINUTE_MS, Clock, Instant
from mailstack.ports.resolver import Resolver
from mailstack.services.spam.breaker import Rest
from mailstack.services.spam.dns_list import DnsList

DEADLINE_S = 5.0
"""From the moment a peer connects."""
PEERS_REMEMBERED = 10_000
FRESH_MS = 5 * MINUTE_MS
"""So long, connections of one peer share one look; DNS has a memory of its own."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """explanation: the list's own words, printable ASCII on one line, "" where it has none."""

    zone: str
    explanation: str


@dataclass(frozen=True, slots=True)
class _Look:
    begun_at: Instant
    answer: "asyncio.Task[Listing | None]"


class Blocklists:
    """zones: in the order in which they are named to who is on several."""

    def __init__(self, resolver: Resolver, zones: Sequence[str], *, clock: Clock) -> None:
        self._lists = [DnsList(resolver, zone, clock=clock) for zone in zones]
        self._clock = clock
        self._looks: OrderedDict[str, _Look] = OrderedDict()

    @property
    def rests(self) -> Sequence[Rest]:
        return [rest for each in self._lists for rest in each.rests]

    def begin(self, host: str) -> None:
        """Asks, unless that was done lately. host: an address."""
        if self._lists:
            self._look(host)

    async def listing_of(self, host: str) -> Listing | None:
        """The first list's that has it; None also where no list answered in time."""
        if not self._lists:
            return None
        try:
            async with asyncio.timeout(DEADLINE_S):
                return await asyncio.shield(self._look(host))
        except TimeoutError:
            log.info("blocklists did not answer in time", peer=host)
            return None

    def _look(self, host: str) -> "asyncio.Task[Listing | None]":
        now, known = self._clock(), self._looks.get(host)
        if known is not None and now < known.begun_at + FRESH_MS:
            return known.answer
        answer = asyncio.get_running_loop().create_task(self._ask_all(host))
        self._looks[host] = _Look(now, answer)
        self._looks.move_to_end(host)
        if len(self._looks) > PEERS_REMEMBERED:
            self._looks.popitem(last=False)
        return answer

    async def _ask_all(self, host: str) -> Listing | None:
        found = await asyncio.gather(*(self._ask(each, host) for each in self._lists))
        return next((listing for listing in found if listing is not None), None)

    async def _ask(self, dns_list: DnsList, host: str) -> Listing | None:
        question = backwards(host)
        if question is None or not await dns_list.listings(question):
            return None
        return Listing(zone=dns_list.zone, explanation=await dns_list.explanation(question))
