"""The share of mail that goes straight to a provider which does not know our address yet, and what it said to that."""

import asyncio
from collections.abc import Sequence

import structlog

from mailstack.model.delivery import Outcome
from mailstack.model.errors import DomainError
from mailstack.model.ids import MailId
from mailstack.model.instant import Clock
from mailstack.model.warm_up import Stage, WarmDay, WarmUp, day_of, goes_direct, is_trouble, stage_of
from mailstack.ports.warm_days import WarmDays
from mailstack.services.outbound.route import GoesDirect, Gradual

log = structlog.get_logger()


class Warming:
    def __init__(self, days: WarmDays, *, clock: Clock) -> None:
        self._days = days
        self._clock = clock

    def of_mail(self, mail_id: MailId) -> GoesDirect:
        """Asks once for each provider: all recipients there go the same way, and a hundred cost one read."""
        asked: dict[tuple[WarmUp, str], asyncio.Task[Stage]] = {}

        async def found(gradual: Gradual, provider: str) -> bool:
            key = (gradual.warm_up, provider)
            if key not in asked:
                asked[key] = asyncio.ensure_future(self.stage(gradual.warm_up, provider))
            return goes_direct(await asked[key], provider, mail_id)

        return found

    async def stage(self, warm_up: WarmUp, provider: str) -> Stage:
        return stage_of(warm_up, await self._days.of(provider, since=warm_up.start), now=self._clock())

    async def note(self, provider: str, outcomes: Sequence[Outcome]) -> None:
        found = [trouble for outcome in outcomes if (trouble := is_trouble(outcome)) is not None]
        if not found:
            return
        troubles = sum(found)
        day = WarmDay(provider=provider, day=day_of(self._clock()), taken=len(found) - troubles, troubles=troubles)
        try:
            await self._days.add(day)
        except DomainError as fault:  # no reason to forget what became of a mail
            log.warning("warm-up not counted", provider=provider, fault=repr(fault))
