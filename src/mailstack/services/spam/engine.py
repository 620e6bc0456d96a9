"""An engine beside us, asked about each mail for so long and no longer. One that is dead stops no mail."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import structlog

from mailstack.model.errors import Invalid, TryAgainLater
from mailstack.model.instant import Clock
from mailstack.ports.scanner import Brought, Scanned, Scanner
from mailstack.services.spam.breaker import Breaker, Rest
from mailstack.services.spam.examined import Examined

NOTHING = Scanned()
ALIVE_S = 1.0
"""Whoever is alive says so by then."""

log = structlog.get_logger()


class Engine:
    """name: for the log. keeps_viruses: what has one goes to Junk, and is not refused.

    A mail that it cannot judge, or that takes it too long while it answers others, does not count against it: else
    whoever sends such mail would switch it off for the next.
    """

    def __init__(
        self, name: str, scanner: Scanner, *, clock: Clock, deadline_s: float, keeps_viruses: bool = False
    ) -> None:
        self._name = name
        self._scanner = scanner
        self._keeps_viruses = keeps_viruses
        self._deadline_s = deadline_s
        self._breaker = Breaker(name, clock=clock)

    @property
    def rests(self) -> Sequence[Rest]:
        return self._breaker.rests

    async def scanned(self, mail: Examined) -> Scanned:
        if self._breaker.is_open:
            return NOTHING
        try:
            async with asyncio.timeout(self._deadline_s):
                found = await self._scanner.scan(_brought(mail))
        except Invalid as fault:
            log.info("engine cannot judge a mail", name=self._name, trace=mail.trace_id, reason=fault.detail)
            found = NOTHING
        except (TryAgainLater, TimeoutError) as fault:
            reason = fault.detail if isinstance(fault, TryAgainLater) else "no answer in time"
            log.info("engine did not judge a mail", name=self._name, trace=mail.trace_id, reason=reason)
            if not await self._is_alive():
                self._breaker.failed(reason)
            return NOTHING
        self._breaker.answered()
        return replace(found, keeps_virus=True) if found.virus and self._keeps_viruses else found

    async def _is_alive(self) -> bool:
        try:
            async with asyncio.timeout(ALIVE_S):
                return await self._scanner.is_alive()
        except TimeoutError:
            return False


def _brought(mail: Examined) -> Brought:
    return Brought(
        raw=mail.raw,
        peer_host=mail.peer_host,
        host_name=mail.authentication.iprev.name if mail.authentication is not None else "",
        ehlo_domain=mail.ehlo_domain,
        reverse_path=mail.reverse_path,
        recipients=mail.recipients,
        trace_id=mail.trace_id,
    )
