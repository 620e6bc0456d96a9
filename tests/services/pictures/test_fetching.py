"""Pictures of elsewhere: only so many at a time, and none that is waited for too long."""

import asyncio
from dataclasses import dataclass, field

import pytest

from mailstack.model.ids import AccountId
from mailstack.model.picture import NoPicture, Picture
from mailstack.services.pictures import fetching
from mailstack.services.pictures.fetching import AT_ONCE, AT_ONCE_OF_ACCOUNT, PictureFetching
from tests.support.running import until

ALICE, BOB = AccountId("a" * 16), AccountId("b" * 16)
DOT = Picture(media_type="image/png", content=b"dot")


@dataclass
class Gate:
    """A host that has everybody wait until it is open."""

    open: asyncio.Event = field(default_factory=asyncio.Event)
    inside: int = 0
    most: int = 0
    expected: int = 0

    async def fetch(self, url: str) -> Picture | NoPicture:
        self.inside += 1
        self.most = max(self.most, self.inside)
        try:
            await self.open.wait()
            return DOT if url else NoPicture(reason="none")
        finally:
            self.inside -= 1

    async def is_full(self) -> bool:
        """With as many as come in."""
        return self.inside == self.expected


async def test_so_many_of_an_account_and_so_many_of_all() -> None:
    gate = Gate()
    pictures = PictureFetching(gate)
    of_alice = [asyncio.create_task(pictures.fetch(ALICE, "u")) for _ in range(40)]
    gate.expected = AT_ONCE_OF_ACCOUNT
    await until(gate.is_full)
    # Others do not stand behind her.
    of_bob = asyncio.create_task(pictures.fetch(BOB, "u"))
    gate.expected = AT_ONCE_OF_ACCOUNT + 1
    await until(gate.is_full)
    others = [asyncio.create_task(pictures.fetch(AccountId(f"{number:016}"), "")) for number in range(40)]
    gate.expected = AT_ONCE
    await until(gate.is_full)
    gate.open.set()
    assert await asyncio.gather(*of_alice, of_bob) == [DOT] * 41
    assert await asyncio.gather(*others) == [NoPicture(reason="none")] * 40
    assert gate.most == AT_ONCE


async def test_who_waits_too_long_is_told_so_and_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "WAITING_S", 0.05)
    gate = Gate()
    pictures = PictureFetching(gate)
    found = await asyncio.gather(*(pictures.fetch(ALICE, "u") for _ in range(AT_ONCE_OF_ACCOUNT + 2)))
    assert found == [NoPicture(reason="too many pictures at a time")] * (AT_ONCE_OF_ACCOUNT + 2)
    gate.open.set()
    assert [await pictures.fetch(ALICE, "u") for _ in range(AT_ONCE_OF_ACCOUNT + 1)] == [DOT] * (AT_ONCE_OF_ACCOUNT + 1)
    assert gate.inside == 0
