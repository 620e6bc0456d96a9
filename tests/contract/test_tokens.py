"""ports.tokens on every engine."""

from dataclasses import replace

import pytest

from mailstack.model.errors import AlreadyExists
from mailstack.model.ids import TokenId
from mailstack.model.instant import Instant
from mailstack.model.token import Scope, Token
from mailstack.ports.store import Store

CI = Token(
    token_id=TokenId("0123456789"),
    name="ci: plans",
    secret_hash=bytes(range(32)),
    scopes=frozenset({Scope.PLAN, Scope.STATE}),
    maker=TokenId(""),
    created_at=Instant(1_000),
    expires_at=Instant(9_000),
)
FOREVER = replace(CI, token_id=TokenId("abc"), name="", maker=CI.token_id, created_at=Instant(500), expires_at=None)


async def test_what_was_added_is_found_as_it_was(store: Store) -> None:
    for token in (CI, FOREVER):
        await store.tokens.add(token)
    assert await store.tokens.find(CI.token_id) == CI
    assert await store.tokens.find(FOREVER.token_id) == FOREVER
    assert await store.tokens.find(TokenId("no such")) is None


async def test_all_are_listed_the_oldest_first(store: Store) -> None:
    assert list(await store.tokens.list()) == []
    for token in (CI, FOREVER):
        await store.tokens.add(token)
    assert list(await store.tokens.list()) == [FOREVER, CI]


async def test_an_id_is_never_given_twice(store: Store) -> None:
    await store.tokens.add(CI)
    with pytest.raises(AlreadyExists):
        await store.tokens.add(replace(CI, name="another"))
    assert await store.tokens.find(CI.token_id) == CI


async def test_several_are_revoked_at_once_and_keep_the_first_time(store: Store) -> None:
    for token in (CI, FOREVER):
        await store.tokens.add(token)
    await store.tokens.revoke([CI.token_id], at=Instant(2_000))
    await store.tokens.revoke([CI.token_id, FOREVER.token_id, TokenId("no such")], at=Instant(3_000))
    assert [token.revoked_at for token in await store.tokens.list()] == [3_000, 2_000]


async def test_the_last_use_is_noted(store: Store) -> None:
    await store.tokens.add(CI)
    await store.tokens.note_use(CI.token_id, at=Instant(4_000))
    await store.tokens.note_use(CI.token_id, at=Instant(5_000))
    assert await store.tokens.find(CI.token_id) == replace(CI, used_at=Instant(5_000))
