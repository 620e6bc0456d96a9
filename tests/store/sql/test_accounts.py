"""What the directory remembers, and when it looks again."""

import asyncio
from pathlib import Path

import pytest

from mailstack.model.principal import Account, AliasTargets
from mailstack.model.resource import AliasBody, DomainBody, Kind, Resource, ScriptBody, fields_of
from mailstack.ports.bus import GENERATION_TOPIC
from mailstack.store.sql import accounts
from mailstack.store.sqlite.open import SqliteStore, open_store
from tests.support.fake_clock import FakeClock
from tests.support.recording_bus import RecordingBus
from tests.support.running import DEADLINE_S
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
    async with asyncio.timeout(DEADLINE_S):
        while await store.accounts.find("sales@example.com") != wanted:  # noqa: ASYNC110 - nobody tells us
            await asyncio.sleep(0.005)


async def test_what_one_generation_says_is_read_once(store: SqliteStore) -> None:
    await apply(store, created(account_resource("alice@example.com")))
    first = await store.accounts.find("alice@example.com")
    assert first is not None
    assert await store.accounts.find("alice@example.com") is first


async def test_a_domain_that_another_process_added_is_found_as_soon_as_that_is_told(
    store: SqliteStore, path: Path, bus: RecordingBus
) -> None:
    await apply(store, created(account_resource("alice@example.com")))
    assert await store.accounts.domain("new.example") is None
    other = await open_store(path, clock=FakeClock(), bus=RecordingBus())
    body = DomainBody(catch_all=None, subaddress_separators="+", alias_of=None, dkim_algorithms=())
    await apply(other, created(Resource(kind=Kind.DOMAIN, name="new.example", fields=fields_of(body), digests={})))
    bus.publish(GENERATION_TOPIC)
    found = await store.accounts.domain("new.example")
    assert found is not None
    assert found.name == "new.example"
    await other.close()


async def test_a_domain_that_is_not_there_is_asked_for_once(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await apply(store, created(account_resource("alice@example.com")))
    assert await store.accounts.domain("outside.test") is None
    monkeypatch.setattr(accounts, "DOMAIN", "SELECT nothing")
    assert await store.accounts.domain("outside.test") is None


@pytest.mark.parametrize(("bound", "value"), [("MAX_REMEMBERED", 2), ("MAX_REMEMBERED_SCRIPTS", 20)])
async def test_no_more_scripts_than_a_bound_are_remembered(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch, bound: str, value: int
) -> None:
    monkeypatch.setattr(accounts, bound, value)
    scripts = {f"account{number}@example.com": f"# {number}\nkeep;" for number in range(5)}
    resources = [
        Resource(kind=Kind.SCRIPT, name=name, fields=fields_of(ScriptBody(content=content, origin="rules")))
        for name, content in scripts.items()
    ]
    await apply(store, *map(created, resources))
    for name, content in list(scripts.items()) * 2:
        assert await store.accounts.managed_script(name) == content


async def test_a_script_is_asked_for_once(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    await apply(store, created(account_resource("alice@example.com")))
    assert await store.accounts.managed_script("alice@example.com") is None
    monkeypatch.setattr(accounts, "SCRIPT", "SELECT nothing")
    assert await store.accounts.managed_script("alice@example.com") is None


async def test_no_more_than_a_bound_is_remembered(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "MAX_REMEMBERED", 2)
    names = [f"account{number}@example.com" for number in range(5)]
    await apply(store, *(created(account_resource(name)) for name in names))
    for name in names * 2:
        account = await store.accounts.find(name)
        assert isinstance(account, Account)
        assert account.login == name
