"""ports.app_passwords on every engine, and what a login finds of them."""

import asyncio
import hashlib
from dataclasses import replace

import pytest

from mailstack.model.app_password import AppPassword, AppService, app_password_text, digest_of
from mailstack.model.errors import AlreadyExists, NotFound, TooMany
from mailstack.model.ids import AccountId, AppPasswordId
from mailstack.model.instant import Instant
from mailstack.model.scram import MIN_ITERATIONS, SALT_OCTETS, derive_verifier
from mailstack.ports.bus import APP_PASSWORD_TOPIC, account_topic
from mailstack.ports.store import Store
from tests.support.recording_bus import RecordingBus
from tests.support.stores import make_account

pytestmark = pytest.mark.in_memory
MOST = 5
NOBODY = AccountId("f" * 16)


def made(account_id: AccountId, number: int = 1, *, expires_at: int | None = None) -> AppPassword:
    app_password_id, text = app_password_text(hashlib.sha256(bytes([number])).digest())
    return AppPassword(
        app_password_id=AppPasswordId(f"{number:08}"),
        account_id=account_id,
        name=f"device {number} of {app_password_id}",
        digest=digest_of(text),
        verifier=derive_verifier(b"secret", salt=b"s" * SALT_OCTETS, iterations=MIN_ITERATIONS),
        services=frozenset({AppService.IMAP, AppService.JMAP}),
        created_at=Instant(1_000 + number),
        expires_at=None if expires_at is None else Instant(expires_at),
    )


async def add(store: Store, *app_passwords: AppPassword) -> None:
    for each in app_passwords:
        await store.app_passwords.add(each, most=MOST)


async def test_what_was_added_is_found_as_it_was(store: Store, account_id: AccountId) -> None:
    for_ever, for_now = made(account_id), made(account_id, 2, expires_at=9_000)
    await add(store, for_ever, for_now)
    assert [await store.accounts.app_password(each.digest) for each in (for_ever, for_now)] == [for_ever, for_now]
    assert await store.accounts.app_password(bytes(32)) is None


async def test_those_of_an_account_are_listed_the_oldest_first(store: Store, account_id: AccountId) -> None:
    other = await make_account(store, "bob@example.com")
    await add(store, made(account_id, 3), made(account_id, 1), made(other, 2))
    assert list(await store.app_passwords.of_account(account_id)) == [made(account_id, 1), made(account_id, 3)]
    assert list(await store.app_passwords.of_account(NOBODY)) == []


async def test_neither_an_id_nor_a_secret_is_given_twice(store: Store, account_id: AccountId) -> None:
    first = made(account_id)
    await add(store, first)
    other = made(await make_account(store, "bob@example.com"), 2)
    for same in (replace(other, app_password_id=first.app_password_id), replace(other, digest=first.digest)):
        with pytest.raises(AlreadyExists):
            await add(store, same)
    assert await store.accounts.app_password(first.digest) == first


async def test_nobody_has_none(store: Store) -> None:
    with pytest.raises(NotFound):
        await add(store, made(NOBODY))


async def test_an_account_has_only_so_many(store: Store, account_id: AccountId) -> None:
    other = await make_account(store, "bob@example.com")
    await add(store, made(other, 50))
    tries = (add(store, made(account_id, number)) for number in range(MOST + 3))
    ends = await asyncio.gather(*tries, return_exceptions=True)
    assert sorted(type(end).__name__ for end in ends if end is not None) == [TooMany.__name__] * 3
    assert len(await store.app_passwords.of_account(account_id)) == MOST


async def test_one_that_is_revoked_is_gone_and_said_to_be(
    store: Store, account_id: AccountId, bus: RecordingBus
) -> None:
    kept, gone = made(account_id), made(account_id, 2)
    await add(store, kept, gone)
    bus.published.clear()
    assert await store.app_passwords.revoke(account_id, gone.app_password_id) == gone
    assert await store.accounts.app_password(gone.digest) is None
    assert list(await store.app_passwords.of_account(account_id)) == [kept]
    assert {APP_PASSWORD_TOPIC, account_topic(account_id)} <= set(bus.published)


async def test_only_an_account_of_its_own_revokes_it(store: Store, account_id: AccountId) -> None:
    one, other = made(account_id), await make_account(store, "bob@example.com")
    await add(store, one)
    for whose, which in ((other, one.app_password_id), (account_id, AppPasswordId("nosuch"))):
        with pytest.raises(NotFound):
            await store.app_passwords.revoke(whose, which)
    assert await store.accounts.app_password(one.digest) == one


async def test_the_last_use_is_noted(store: Store, account_id: AccountId) -> None:
    used, unused = made(account_id), made(account_id, 2)
    await add(store, used, unused)
    for at in (4_000, 5_000):
        await store.app_passwords.note_use(used.app_password_id, at=Instant(at))
    assert list(await store.app_passwords.of_account(account_id)) == [replace(used, used_at=Instant(5_000)), unused]


async def test_of_many_one_alone_is_the_first_to_use_it(store: Store, account_id: AccountId) -> None:
    one, used = made(account_id), made(account_id, 2)
    await add(store, one, used)
    await store.app_passwords.note_use(used.app_password_id, at=Instant(4_000))
    tries = (store.app_passwords.note_first_use(one.app_password_id, at=Instant(5_000)) for _ in range(5))
    assert sorted(await asyncio.gather(*tries)) == [False] * 4 + [True]
    for which in (used.app_password_id, AppPasswordId("nosuch")):
        assert not await store.app_passwords.note_first_use(which, at=Instant(6_000))
    found = [each.used_at for each in await store.app_passwords.of_account(account_id)]
    assert found == [Instant(5_000), Instant(4_000)]


async def test_those_that_have_expired_go_and_are_told(store: Store, account_id: AccountId, bus: RecordingBus) -> None:
    other = await make_account(store, "bob@example.com")
    for_ever, first, last = made(account_id), made(account_id, 2, expires_at=5_000), made(other, 3, expires_at=6_000)
    await add(store, for_ever, first, last)
    bus.published.clear()
    assert list(await store.app_passwords.end(now=Instant(4_999))) == []
    assert bus.published == []
    assert list(await store.app_passwords.end(now=Instant(5_000))) == [first]
    assert set(bus.published) == {APP_PASSWORD_TOPIC, account_topic(account_id)}
    assert list(await store.app_passwords.of_account(account_id)) == [for_ever]
    assert list(await store.app_passwords.of_account(other)) == [last]
