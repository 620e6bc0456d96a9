"""Bans of one worker: stored, made longer for who was banned before, and seen by the others."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from mailstack.app.ban_keeper import BanKeeper
from mailstack.app.build import Adapters, RunSettings, open_adapters
from mailstack.app.messages import Job
from mailstack.app.runfiles import run_folder
from mailstack.app.store_address import StoreAddress
from mailstack.model.conduct import BanRules, Offence
from mailstack.model.instant import HOUR_MS, Instant
from tests.support.running import DEADLINE_S

PEER = "192.0.2.1"


@pytest.fixture
async def adapters(tmp_path: Path) -> AsyncIterator[Adapters]:
    run_folder(tmp_path).mkdir(parents=True)
    opened = await open_adapters(
        RunSettings(storage=StoreAddress(folder=tmp_path), job=Job(spec=""), trust_loopback=False, hold_outbound=False)
    )
    opened.conduct.rules = BanRules(after=2)
    keeper = BanKeeper(opened)
    yield opened
    await keeper.end()
    await opened.close()


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not is_so():  # noqa: ASYNC110  # what is waited for has no event of its own
            await asyncio.sleep(0.01)


def misbehave(adapters: Adapters) -> None:
    adapters.conduct.note(PEER, Offence.FAILED_LOGIN)


async def test_what_a_worker_learned_is_stored_and_longer_the_second_time(adapters: Adapters) -> None:
    misbehave(adapters)
    await until(lambda: not adapters.conduct.unstored())
    [first] = await adapters.store.bans.in_force(now=adapters.clock())
    assert (first.peer, first.until - first.since) == (PEER, HOUR_MS)
    await adapters.store.bans.put(type(first)(peer=PEER, reason=first.reason, since=first.since, until=first.since))
    await until(lambda: adapters.conduct.ban_of(PEER) is None)
    misbehave(adapters)
    await until(lambda: not adapters.conduct.unstored())
    [second] = await adapters.store.bans.in_force(now=adapters.clock())
    assert (second.times, second.until - second.since) == (2, 2 * HOUR_MS)


async def test_a_lifted_ban_is_over_here_too(adapters: Adapters) -> None:
    misbehave(adapters)
    await until(lambda: not adapters.conduct.unstored())
    assert adapters.conduct.ban_of(PEER) is not None
    assert await adapters.store.bans.lift(PEER)
    await until(lambda: adapters.conduct.ban_of(PEER) is None)


async def test_a_ban_of_another_node_holds_here(adapters: Adapters) -> None:
    now = adapters.clock()
    misbehave(adapters)
    [ban] = adapters.conduct.unstored()
    other = type(ban)(peer="192.0.2.9", reason="by hand", since=now, until=Instant(now + HOUR_MS))
    await adapters.store.bans.put(other)
    await until(lambda: adapters.conduct.ban_of("192.0.2.9") == other)
