"""Indexes catch up with the mail by themselves."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mailstack.app.build import Adapters, RunSettings, open_adapters
from mailstack.app.indexer import LEASE_MS, Indexer
from mailstack.app.messages import Job
from mailstack.app.store_address import StoreAddress
from mailstack.model.ids import AccountId
from mailstack.model.instant import Instant
from mailstack.model.mailbox import MailboxRole
from tests.support.running import until
from tests.support.stores import mailbox_with, make_account, new_message


@pytest.fixture
async def adapters(tmp_path: Path) -> AsyncIterator[Adapters]:
    opened = await open_adapters(
        RunSettings(storage=StoreAddress(folder=tmp_path), job=Job(spec=""), trust_loopback=False, hold_outbound=False)
    )
    yield opened
    await opened.close()


@pytest.fixture
async def account_id(adapters: Adapters) -> AccountId:
    return await make_account(adapters.store)


async def deliver(adapters: Adapters, account_id: AccountId) -> None:
    inbox = await mailbox_with(adapters.store, account_id, MailboxRole.INBOX)
    await adapters.store.messages.append(account_id, inbox, [new_message(number) for number in range(3)])


async def until_indexed(adapters: Adapters, account_id: AccountId) -> None:
    async def is_done() -> bool:
        return not await adapters.store.search.is_behind(account_id)

    await until(is_done)


async def test_what_is_delivered_is_indexed_by_and_by(adapters: Adapters, account_id: AccountId) -> None:
    indexer = Indexer(adapters, gather_s=0.01)
    for _ in range(2):
        await deliver(adapters, account_id)
        await until_indexed(adapters, account_id)
    await indexer.end()


async def test_an_account_that_another_worker_indexes_is_left_to_it(adapters: Adapters, account_id: AccountId) -> None:
    now = adapters.clock()
    name, locks = f"index/{account_id}", adapters.store.locks
    assert await locks.acquire(name, "another", now=now, until=Instant(now + LEASE_MS))
    indexer = Indexer(adapters, gather_s=0.01)
    await deliver(adapters, account_id)
    for _ in range(20):
        await asyncio.sleep(0.01)
    assert await adapters.store.search.is_behind(account_id)
    await locks.release(name, "another")
    await until_indexed(adapters, account_id)
    await indexer.end()
