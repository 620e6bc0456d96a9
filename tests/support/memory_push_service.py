"""A push service in memory: it notes what it is told, and answers as a test says."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from mailstack.model.errors import TryAgainLater
from mailstack.model.ids import PushId
from mailstack.model.push import PushAnswer, PushFate, PushSubscription
from mailstack.model.states import AccountStates

TAKEN = PushAnswer(fate=PushFate.TAKEN)


@dataclass
class MemoryPushService:
    """Works as ports.push_service.PushService. answers: to the next, TAKEN after them; None raises."""

    answers: list[PushAnswer | None] = field(default_factory=list)
    codes: list[tuple[PushId, str]] = field(default_factory=list)
    told: list[tuple[PushId, AccountStates]] = field(default_factory=list)
    open: asyncio.Event = field(default_factory=asyncio.Event)
    """While it is not set, nothing is answered."""
    _happened: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.open.set()

    async def verify(self, subscription: PushSubscription) -> PushAnswer:
        self.codes.append((subscription.push_id, subscription.code))
        return await self._answered()

    async def tell(self, subscription: PushSubscription, changed: AccountStates) -> PushAnswer:
        self.told.append((subscription.push_id, changed))
        return await self._answered()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not condition():
                self._happened.clear()
                await self._happened.wait()

    async def _answered(self) -> PushAnswer:
        answer = self.answers.pop(0) if self.answers else TAKEN
        self._happened.set()
        await self.open.wait()
        if answer is None:
            raise TryAgainLater("a bug of this test's own")
        return answer
