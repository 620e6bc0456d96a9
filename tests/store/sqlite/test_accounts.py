"""What the directory remembers, and when it looks again."""

from pathlib import Path

import pytest

from mailstack.model.principal import AliasTargets
from mailstack.model.resource import AliasBody, Kind, Resource, fields_of
from mailstack.store.sqlite import accounts
from mailstack.store.sqlite.open import SqliteStore, open_store
from tests.support.fake_clock import FakeClock
from tests.support.recording_bus import RecordingBus
from tests.support.stores import account_resource, apply, created, destroyed, updated


def alias(*targets: str) -> Resource:
    body = AliasBody(targets=targets)
    return Resource(kind=Kind.ALIAS, name="sales@example.com", fields=fields_of(body), digests={})


async def test_what_another_process_applied_is_found_without_being_told(store: SqliteStore, path: Path) -> None:
    await apply(store, created(alias("one@example.net")))
    assert await store.accounts.find("sales@example.com") == AliasTargets(targets=("one@example.net",))
    other = await open_store(path, clock=FakeClock(), bus=RecordingBus())
    await apply(other, updated(alias("two@example.net")))
    assert await store.accounts.find("sales@example.com") == AliasTargets(targets=("two@example.net",))
    await apply(other, destroyed(alias("two@example.net")))
    assert await store.accounts.find("sales@example.com") is None
    await other.close()


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
        found = await store.accounts.find(name)
        assert found is not None
        assert not isinstance(found, AliasTargets)
        assert found.login == name
