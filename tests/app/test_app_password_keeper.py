"""One worker's look at app passwords: those that expired go, and whoever came in by one that is gone."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import structlog

from mailstack.app.app_password_keeper import AppPasswordKeeper
from mailstack.app.build import Adapters, RunSettings, open_adapters
from mailstack.app.messages import Job
from mailstack.app.runfiles import run_folder
from mailstack.app.store_address import StoreAddress
from mailstack.model.ids import AccountId
from tests.support.app_passwords import app_password_for
from tests.support.running import DEADLINE_S
from tests.support.stores import make_account


@pytest.fixture
async def adapters(tmp_path: Path) -> AsyncIterator[Adapters]:
    run_folder(tmp_path).mkdir(parents=True)
    opened = await open_adapters(
        RunSettings(storage=StoreAddress(folder=tmp_path), job=Job(spec=""), trust_loopback=False, hold_outbound=False)
    )
    yield opened
    await opened.close()


@pytest.fixture
async def account_id(adapters: Adapters) -> AccountId:
    return await make_account(adapters.store)


async def test_whoever_revokes_one_wakes_it(adapters: Adapters, account_id: AccountId) -> None:
    one, _ = await app_password_for(adapters.store.app_passwords, account_id)
    looked = asyncio.Queue[None]()

    async def look() -> None:
        looked.put_nowait(None)

    keeper = AppPasswordKeeper(adapters, look)
    try:
        async with asyncio.timeout(DEADLINE_S):
            await looked.get()  # as it begins
            await adapters.store.app_passwords.revoke(account_id, one.app_password_id)
            await looked.get()
    finally:
        await keeper.end()


async def test_one_whose_time_is_over_goes_and_the_log_says_which(adapters: Adapters, account_id: AccountId) -> None:
    ended, _ = await app_password_for(adapters.store.app_passwords, account_id, expires_at=1)
    kept, _ = await app_password_for(adapters.store.app_passwords, account_id)
    looked = asyncio.Event()

    async def look() -> None:
        looked.set()

    with structlog.testing.capture_logs() as lines:
        keeper = AppPasswordKeeper(adapters, look)
        try:
            async with asyncio.timeout(DEADLINE_S):
                await looked.wait()
        finally:
            await keeper.end()
    assert list(await adapters.store.app_passwords.of_account(account_id)) == [kept]
    facts = {"account": "alice@example.com", "app_password": ended.app_password_id, "name": "phone"}
    assert {"event": "app password expired", "log_level": "info"} | facts in lines
