"""Links that give a phone its password: to whom, how often, how long."""

import asyncio
from typing import cast

import pytest

from mailstack.model.app_password import AppService
from mailstack.model.errors import Invalid
from mailstack.model.instant import Instant
from mailstack.model.principal import Account
from mailstack.ports.store import Store
from mailstack.services.identity.app_passwords import app_password_in
from mailstack.services.identity.phone_links import LASTS_MS, LINK_OCTETS, PhoneLinks
from mailstack.store.memory.store import MemoryStore
from tests.support.fake_clock import FakeClock
from tests.support.recording_bus import RecordingBus
from tests.support.stores import make_account

NOW = Instant(1_700_000_000_000)
LATER = Instant(NOW + 60_000)
RANDOM = bytes(range(LINK_OCTETS))


@pytest.fixture
async def store() -> MemoryStore:
    return MemoryStore(clock=FakeClock(), bus=RecordingBus())


@pytest.fixture
async def alice(store: MemoryStore) -> Account:
    found = await store.accounts.account(await make_account(cast(Store, store), "alice@example.com"))
    assert found is not None
    return found


def links_of(store: MemoryStore, key: bytes = b"k" * 32) -> PhoneLinks:
    return PhoneLinks(accounts=store.accounts, app_passwords=store.app_passwords, key=key)


async def test_a_link_gives_the_password_that_was_made(store: MemoryStore, alice: Account) -> None:
    made, link = await links_of(store).make(alice, "Phone", now=NOW, random=RANDOM)
    given = await links_of(store).follow(link, now=LATER)
    assert given is not None
    assert (given.account, given.password) == (alice, made.password)
    found = await app_password_in(store.accounts, given.password, now=LATER)
    assert found is not None
    assert (found.name, found.services) == ("Phone", frozenset({AppService.IMAP, AppService.SUBMISSION}))
    assert found.used_at == LATER


async def test_of_many_who_follow_it_one_gets_it(store: MemoryStore, alice: Account) -> None:
    _, link = await links_of(store).make(alice, "Phone", now=NOW, random=RANDOM)
    given = await asyncio.gather(*(links_of(store).follow(link, now=LATER) for _ in range(5)))
    assert len([each for each in given if each is not None]) == 1
    assert await links_of(store).follow(link, now=LATER) is None


async def test_it_ends_after_a_while_by_use_and_with_its_password(store: MemoryStore, alice: Account) -> None:
    links = links_of(store)
    _, late = await links.make(alice, "Late", now=NOW, random=RANDOM)
    used, of_used = await links.make(alice, "Used", now=NOW, random=b"u" * LINK_OCTETS)
    gone, of_gone = await links.make(alice, "Gone", now=NOW, random=b"g" * LINK_OCTETS)
    await store.app_passwords.note_use(used.app_password.app_password_id, at=LATER)
    await store.app_passwords.revoke(alice.account_id, gone.app_password.app_password_id)
    assert await links.follow(of_used, now=LATER) is None
    assert await links.follow(of_gone, now=LATER) is None
    assert await links.follow(late, now=Instant(NOW + LASTS_MS)) is None
    assert await links.follow(late, now=Instant(NOW + LASTS_MS - 1)) is not None


@pytest.mark.parametrize("link", ["", "x", "A" * 43, "A" * 44, "ä" * 43, "A" * 42 + "\n"])
async def test_what_is_no_link_gives_nothing(store: MemoryStore, alice: Account, link: str) -> None:
    await links_of(store).make(alice, "Phone", now=NOW, random=RANDOM)
    assert await links_of(store).follow(link, now=LATER) is None


async def test_a_link_is_worth_nothing_elsewhere(store: MemoryStore, alice: Account) -> None:
    _, link = await links_of(store).make(alice, "Phone", now=NOW, random=RANDOM)
    assert await links_of(store, key=b"o" * 32).follow(link, now=LATER) is None


async def test_a_phone_has_a_name(store: MemoryStore, alice: Account) -> None:
    with pytest.raises(Invalid):
        await links_of(store).make(alice, " ", now=NOW, random=RANDOM)
    assert not await store.app_passwords.of_account(alice.account_id)
