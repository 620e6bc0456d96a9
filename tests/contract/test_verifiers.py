"""ports.verifiers on every engine."""

import pytest

from mailstack.model.ids import AccountId
from mailstack.ports.store import Store
from tests.support.stores import account_of, account_resource, apply, created, updated

ALICE = account_resource("alice@example.com")
BOB = account_resource("bob@example.com")
HASH = "$argon2id$hash"
_KEY = "A" * 43 + "="

pytestmark = pytest.mark.in_memory


def verifier(iterations: int) -> str:
    return f"SCRAM-SHA-256${iterations}:c2FsdA==${_KEY}:{_KEY}"


async def alices_id(store: Store) -> AccountId:
    return (await account_of(store, "alice@example.com")).account_id


async def test_without_a_verifier_there_are_no_iterations(store: Store) -> None:
    assert not set(await store.verifiers.iterations())
    await apply(store, created(ALICE, password=HASH), created(BOB))
    assert not set(await store.verifiers.iterations())


async def test_each_count_of_iterations_is_told_once(store: Store) -> None:
    carol = account_resource("carol@example.com")
    await apply(
        store,
        created(ALICE, password=verifier(4096)),
        created(BOB, password=f"{HASH} {verifier(60_000)}"),
        created(carol, password=f"{HASH} {verifier(60_000)}"),
    )
    assert set(await store.verifiers.iterations()) == {4096, 60_000}


async def test_a_verifier_that_is_kept_makes_no_generation(store: Store) -> None:
    await apply(store, created(ALICE, password=HASH))
    before = await store.state.generation()
    account_id = await alices_id(store)
    assert await store.verifiers.keep(account_id, before=HASH, after=f"{HASH} {verifier(4096)}")
    account = await store.accounts.account(account_id)
    assert account is not None
    assert account.password_hash == f"{HASH} {verifier(4096)}"
    assert await store.state.generation() == before


async def test_no_verifier_comes_to_a_password_that_was_changed(store: Store) -> None:
    await apply(store, created(ALICE, password=HASH))
    account_id = await alices_id(store)
    await apply(store, updated(ALICE, password="$argon2id$other"))
    assert not await store.verifiers.keep(account_id, before=HASH, after=f"{HASH} {verifier(4096)}")
    account = await store.accounts.account(account_id)
    assert account is not None
    assert account.password_hash == "$argon2id$other"
    assert not await store.verifiers.keep(AccountId("0" * 16), before=HASH, after=f"{HASH} {verifier(4096)}")


async def test_a_changed_password_drops_the_verifier(store: Store) -> None:
    await apply(store, created(ALICE, password=f"{HASH} {verifier(4096)}"))
    await apply(store, updated(ALICE, password="$argon2id$other"))
    assert not set(await store.verifiers.iterations())


async def test_the_decoy_key_is_random_and_stays(store: Store) -> None:
    key = await store.verifiers.decoy_key()
    assert len(key) == 32
    assert key == await store.verifiers.decoy_key()
