"""What the directory remembers, and when it looks again."""

import asyncio
from pathlib import Path

import pytest

from mailstack.model.principal import Account, AliasTargets
from mailstack.model.resource import AliasBody, Kind, Resource, fields_of
from mailstack.store.sql import accounts
from mailstack.store.sqlite.open import SqliteStore, open_store
from tests.support.fake_clock import FakeClock
from tests.support.recording_bus import RecordingBus
from tests.support.stores import account_resource, apply, created, destroyed, updated


def alias(*targets: str) -> Resource:
    body = AliasBody(targets=targets)
    return Resource(kind=Kind.ALIAS, name="sales@example.com", fields=fields_of(body), digests={})


async def test_what_another_process_applied_is_found_without_being_told(store: SqliteStore, path: Path) -> None:
    await apply(store, created(account_resource("alice@example.com")))
    other = await open_store(path, clock=FakeClock(), bus=RecordingBus())
    await apply(other, created(alias("one@example.net")))
    assert await store.accounts.find("sales@example.com") == AliasTargets(targets=("one@example.net",))
    await apply(other, updated(alias("two@example.net")))
    await found(store, AliasTargets(targets=("two@example.net",)))
    await apply(other, destroyed(alias("two@example.net")))
    await found(store, None)
    await other.close()


async def found(store: SqliteStore, wanted: AliasTargets | None) -> None:
    async with asyncio.timeout(10):
        while await store.accounts.find("sales@example.com") != wanted:  # noqa: ASYNC110 - nobody tells us
            await asyncio.sleep(0.005)


async def test_what_one_generation_says_is_read_once(store: SqliteStore) -> None:
    await apply(store, created(account_resource("alice@example.com")))
    first = await store.accounts.find("alice@example.com")
    assert first is not None
    assert await store.accounts.find("alice@example.com") is first


async def test_no_more_than_a_bound_is_remembered(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "MAX_REMEMBERED", 2)
    names = [f"account{number}@example.com" for number in range(5)]
    await apply(store, *(created(account_resource(name)) for name in names))
    for name in names * 2:
        account = await store.accounts.find(name)
        assert isinstance(account, Account)
        assert account.login == name
