"""One list in DNS: asked about anything, and not believed where it does not work as lists do. RFC 5782 §2, §5."""

import asyncio
from collections.abc import Sequence

import structlog

from mailstack.model.dns_list import (
    ALWAYS_LISTED,
    ALWAYS_LISTED_NAME,
    MAX_NAME,
    NEVER_LISTED,
    NEVER_LISTED_NAME,
    is_listing,
    is_refusal,
)
from mailstack.model.errors import TryAgainLater
from mailstack.model.instant import Clock
from mailstack.ports.resolver import Resolver
from mailstack.services.spam.breaker import Breaker, Rest

MOST_TOLD = 1_000
MAX_EXPLANATION = 200

log = structlog.get_logger()


class DnsList:
    """zone: A-labels. has_addresses: else it is of names only. Where it does not answer, nothing is on it, and it is
    left alone for a while; nothing is on one that has everything, as some have it that were given up."""

    def __init__(self, resolver: Resolver, zone: str, *, clock: Clock, has_addresses: bool = True) -> None:
        self.zone = zone
        self._resolver = resolver
        self._always, self._never = (
            (ALWAYS_LISTED, NEVER_LISTED) if has_addresses else (ALWAYS_LISTED_NAME, NEVER_LISTED_NAME)
        )
        self._breaker = Breaker(zone, clock=clock)
        self._test: asyncio.Task[bool] | None = None
        self._told: set[str] = set()

    async def listings(self, question: str) -> Sequence[str]:
        """question: an address backwards, or a name. The codes that it is listed with: addresses in 127.0.0.0/8."""
        name = f"{question}.{self.zone}"
        if len(name) > MAX_NAME or self._breaker.is_open:
            return ()
        try:
            found = await self._listings(name)
            is_believed = bool(found) and await self._is_sound()
        except TryAgainLater as fault:
            log.info("blocklist did not answer", zone=self.zone, reason=fault.detail)
            self._breaker.failed(fault.detail)
            return ()
        self._breaker.answered()
        return found if is_believed else ()

    @property
    def rests(self) -> Sequence[Rest]:
        return self._breaker.rests

    def was_late(self) -> None:
        """Whoever asked has waited long enough."""
        self._breaker.failed("no answer in time")

    async def explanation(self, question: str) -> str:
        """The list's own words: printable ASCII on one line, "" where it has none."""
        try:
            texts = await self._resolver.texts(f"{question}.{self.zone}")
        except TryAgainLater:
            return ""
        # It goes into our reply: nothing in it may end the line, or be anything but ASCII.
        return "".join(c if " " <= c <= "~" else "?" for c in " ".join(texts)[:MAX_EXPLANATION]).strip()

    async def _listings(self, name: str) -> Sequence[str]:
        found = await self._resolver.addresses_of(name, 4)
        for answer in found:
            if is_refusal(answer):
                self._tell_once(answer)
        return [answer for answer in found if is_listing(answer)]

    async def _is_sound(self) -> bool:
        """Asked the first time that something is on it, and kept for the life of this generation."""
        test = self._test
        if test is None or (test.done() and test.exception() is not None):
            test = self._test = asyncio.get_running_loop().create_task(self._tested())
        return await asyncio.shield(test)

    async def _tested(self) -> bool:
        if await self._listings(f"{self._never}.{self.zone}"):
            log.warning("blocklist has everything and is passed over", zone=self.zone)
            return False
        if not await self._listings(f"{self._always}.{self.zone}"):
            log.warning("blocklist does not have its test entry", zone=self.zone, entry=self._always)
        return True

    def _tell_once(self, answer: str) -> None:
        if len(self._told) < MOST_TOLD and answer not in self._told:
            self._told.add(answer)
            log.warning("blocklist answers something that is no listing", zone=self.zone, answer=answer)
