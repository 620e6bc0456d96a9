"""No more connections than a bound, whoever waits gets one in turn, and none is lost on the way."""

import asyncio
import gc
import time
from collections.abc import AsyncIterator
from functools import partial
from itertools import count

import pytest

from mailstack.model.errors import TryAgainLater
from mailstack.store.postgres import pool as pool_module
from mailstack.store.postgres.dialect import translated
from mailstack.store.postgres.faults import Lost
from mailstack.store.postgres.link import Limits, Link, address_of, asked, open_link
from mailstack.store.postgres.pool import Pool
from tests.support.postgres import PostgresServer
from tests.support.running import DEADLINE_S

MOST = 2
PAUSE = asked(translated("SELECT pg_sleep(0.05)"), None, ())


@pytest.fixture
async def pool(empty_database: str) -> AsyncIterator[Pool]:
    numbers = count()

    async def open_one() -> Link:
        return await open_link(address_of(empty_database), Limits(), link_id=str(next(numbers)))

    opened = Pool(open_one, most=MOST)
    yield opened
    await opened.close()
    assert opened.count == 0


async def use(pool: Pool) -> Link:
    link = await pool.take()
    try:
        await link.exchange([PAUSE])
    finally:
        pool.give_back(link)
    return link


async def test_many_share_a_few(pool: Pool) -> None:
    links = await asyncio.gather(*(use(pool) for _ in range(10)))
    assert len(set(links)) == MOST
    assert pool.count == MOST


async def test_who_waits_too_long_is_told_to_come_again(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_module, "WAIT_S", 0.05)
    taken = [await pool.take() for _ in range(MOST)]
    with pytest.raises(TryAgainLater, match="no connection to the database was free"):
        await pool.take()
    for link in taken:
        pool.give_back(link)
    await use(pool)


async def test_more_than_a_bound_do_not_even_wait(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_module, "MOST_WAITING", 0)
    taken = [await pool.take() for _ in range(MOST)]
    with pytest.raises(TryAgainLater, match="too much waits"):
        await pool.take()
    for link in taken:
        pool.give_back(link)


async def test_who_is_cancelled_while_waiting_takes_none_along(pool: Pool) -> None:
    taken = [await pool.take() for _ in range(MOST)]
    waiting = [asyncio.ensure_future(pool.take()) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    pool.give_back(taken.pop())  # it may have been handed over to the one that is cancelled just then
    waiting[1].cancel()
    await asyncio.wait(waiting[:2])
    pool.give_back(await waiting[2])
    pool.give_back(taken.pop())
    assert pool.count == MOST
    await asyncio.gather(*(use(pool) for _ in range(5)))


async def test_who_is_out_of_time_just_as_one_comes_takes_none_along(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_module, "WAIT_S", 0.05)
    taken = [await pool.take() for _ in range(MOST)]
    waiting = asyncio.ensure_future(pool.take())
    await asyncio.sleep(0)
    asyncio.get_running_loop().call_later(0.04, pool.give_back, taken.pop())
    asyncio.get_running_loop().call_soon(time.sleep, 0.2)  # a busy loop: both are due in the same turn of it
    with pytest.raises(TryAgainLater, match="no connection to the database was free"):
        await waiting
    pool.give_back(taken.pop())
    monkeypatch.setattr(pool_module, "WAIT_S", 20.0)
    held = [await pool.take() for _ in range(MOST)]
    for link in held:
        pool.give_back(link)


async def test_the_place_of_one_that_was_lost_is_given_to_who_waits_and_to_nobody_else(pool: Pool) -> None:
    taken = [await pool.take() for _ in range(MOST)]
    waiting = [asyncio.ensure_future(pool.take()) for _ in range(MOST)]
    await asyncio.sleep(0)
    late = [asyncio.ensure_future(pool.take()) for _ in range(MOST)]  # their turn of the loop comes before the others'
    for link in taken:
        link.close()
        pool.give_back(link)
    first = await asyncio.gather(*waiting)
    assert pool.count == MOST
    for link in first:
        pool.give_back(link)
    for link in await asyncio.gather(*late):
        pool.give_back(link)
    assert pool.count == MOST


async def test_what_is_not_used_is_closed(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_module, "IDLE_S", 0.05)
    await asyncio.gather(*(use(pool) for _ in range(MOST)))
    async with asyncio.timeout(DEADLINE_S):
        while pool.count:  # noqa: ASYNC110 - nobody tells us
            await asyncio.sleep(0.01)


async def test_a_link_that_the_server_ended_is_not_given_out_again(pool: Pool, postgres: PostgresServer) -> None:
    first = await use(pool)
    postgres.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'mailstack'")
    async with asyncio.timeout(DEADLINE_S):
        while first.is_open:  # noqa: ASYNC110 - it hears of it by itself
            await asyncio.sleep(0.01)
    assert await use(pool) is not first


async def test_who_cannot_open_one_frees_its_place(postgres: PostgresServer) -> None:
    nowhere = address_of(f"postgresql://mailstack@127.0.0.1:{postgres.port}/nowhere")
    pool = Pool(partial(open_link, nowhere, Limits(), link_id="nowhere"), most=1)
    for _ in range(3):
        with pytest.raises((Lost, TryAgainLater)):
            await pool.take()
    assert pool.count == 0


async def test_who_is_cancelled_while_opening_one_leaves_none_open(empty_database: str) -> None:
    for steps in range(25):
        opening = asyncio.ensure_future(open_link(address_of(empty_database), Limits(), link_id=str(steps)))
        for _ in range(steps):
            await asyncio.sleep(0.001)
        opening.cancel()
        await asyncio.wait([opening])
        if not opening.cancelled():
            opening.result().close()
    del opening
    gc.collect()  # one that is still open complains, and warnings are errors
