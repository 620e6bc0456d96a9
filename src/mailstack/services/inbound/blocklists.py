"""Lists in DNS of addresses that send spam: all of them asked at once about each peer, early, and waited for late.

What a list does not say within the deadline it has not said: nobody is refused for a list that is down. A list that has
every address, as some have it that were given up, is passed over. RFC 5782 §2, §5, §6.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, ip_address

import structlog

from mailstack.model.errors import TryAgainLater
from mailstack.model.instant import MINUTE_MS, Clock, Instant
from mailstack.ports.resolver import Resolver

DEADLINE_S = 5.0
"""From the moment a peer connects."""
PEERS_REMEMBERED = 10_000
FRESH_MS = 5 * MINUTE_MS
"""So long, connections of one peer share one look; DNS has a memory of its own."""
MAX_EXPLANATION = 200

# RFC 5782 §2.1: what is listed has an address in 127.0.0.0/8.
LISTED = IPv4Network("127.0.0.0/8")
# Not in the RFC, but what the large lists answer to who may not ask: by a public resolver, or too often.
REFUSED = IPv4Network("127.255.255.0/24")
# RFC 5782 §5: every list has 127.0.0.2 and no list 127.0.0.1; backwards, as they are asked for.
ALWAYS_LISTED, NEVER_LISTED = "2.0.0.127", "1.0.0.127"

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
        self._resolver = resolver
        self._zones = tuple(zones)
        self._clock = clock
        self._looks: OrderedDict[str, _Look] = OrderedDict()
        self._tests: dict[str, asyncio.Task[bool]] = {}
        self._told: set[tuple[str, str]] = set()

    def begin(self, host: str) -> None:
        """Asks, unless that was done lately. host: an address."""
        if self._zones:
            self._look(host)

    async def listing_of(self, host: str) -> Listing | None:
        """The first list's that has it; None also where no list answered in time."""
        if not self._zones:
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
        found = await asyncio.gather(*(self._ask(zone, host) for zone in self._zones))
        return next((listing for listing in found if listing is not None), None)

    async def _ask(self, zone: str, host: str) -> Listing | None:
        name = question(zone, host)
        if name is None:
            return None
        try:
            if not await self._is_listed(zone, name) or not await self._is_sound(zone):
                return None
            return Listing(zone=zone, explanation=await self._explanation(name))
        except TryAgainLater as fault:
            log.info("blocklist did not answer", zone=zone, reason=fault.detail)
            return None

    async def _is_listed(self, zone: str, name: str) -> bool:
        for answer in await self._resolver.addresses_of(name, 4):
            if is_listing(answer):
                return True
            self._tell_once(zone, answer)
        return False

    async def _is_sound(self, zone: str) -> bool:
        """Asked the first time somebody is on it, and kept for the life of this generation."""
        test = self._tests.get(zone)
        if test is None or (test.done() and test.exception() is not None):
            test = self._tests[zone] = asyncio.get_running_loop().create_task(self._test(zone))
        return await asyncio.shield(test)

    async def _test(self, zone: str) -> bool:
        if await self._is_listed(zone, f"{NEVER_LISTED}.{zone}"):
            log.warning("blocklist has every address and is passed over", zone=zone)
            return False
        if not await self._is_listed(zone, f"{ALWAYS_LISTED}.{zone}"):
            log.warning("blocklist does not have its test entry", zone=zone, entry=ALWAYS_LISTED)
        return True

    async def _explanation(self, name: str) -> str:
        try:
            texts = await self._resolver.texts(name)
        except TryAgainLater:
            return ""
        # It goes into our reply: nothing in it may end the line, or be anything but ASCII.
        return "".join(c if " " <= c <= "~" else "?" for c in " ".join(texts)[:MAX_EXPLANATION]).strip()

    def _tell_once(self, zone: str, answer: str) -> None:
        if len(self._told) < PEERS_REMEMBERED and (zone, answer) not in self._told:
            self._told.add((zone, answer))
            log.warning("blocklist answers something that is no listing", zone=zone, answer=answer)


def is_listing(answer: str) -> bool:
    """answer: an address."""
    address = ip_address(answer)
    return address in LISTED and address not in REFUSED


def question(zone: str, host: str) -> str | None:
    """None for what is no address."""
    try:
        address = ip_address(host)
    except ValueError:
        return None
    # RFC 5782 §2.1: octets in reverse; §2.4: of IPv6, nibbles.
    parts = host.split(".") if address.version == 4 else list(address.exploded.replace(":", ""))
    return f"{'.'.join(reversed(parts))}.{zone}"
