"""Pictures of elsewhere, so many at a time: each is held in memory, and its host may be slow."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from mailstack.model.ids import AccountId
from mailstack.model.picture import NoPicture, Picture
from mailstack.ports.picture_host import PictureHost

AT_ONCE = 16
"""In one process. Each may have 5 MiB (clients.picture_host)."""
AT_ONCE_OF_ACCOUNT = 6
WAITING_S = 20.0


@dataclass(slots=True)
class _Turns:
    """holders: those who wait, too."""

    free: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE_OF_ACCOUNT))
    holders: int = 0


class PictureFetching:
    def __init__(self, host: PictureHost) -> None:
        self._host = host
        self._free = asyncio.Semaphore(AT_ONCE)
        self._turns: dict[AccountId, _Turns] = {}

    async def fetch(self, account_id: AccountId, url: str) -> Picture | NoPicture:
        """account_id: who looks."""
        try:
            async with asyncio.timeout(WAITING_S), self._turn(account_id):
                return await self._host.fetch(url)
        except TimeoutError:
            return NoPicture(reason="too many pictures at a time")

    @asynccontextmanager
    async def _turn(self, account_id: AccountId) -> AsyncIterator[None]:
        turns = self._turns.setdefault(account_id, _Turns())
        turns.holders += 1
        try:
            async with turns.free, self._free:
                yield
        finally:
            turns.holders -= 1
            if not turns.holders:
                del self._turns[account_id]
