"""A token can never exceed its maker: not in scopes, not in time, not after the maker is gone."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import count

import pytest

from mailstack.model.errors import AuthenticationFailed, Forbidden, Invalid, NotFound
from mailstack.model.ids import TokenId
from mailstack.model.instant import DAY_MS, Instant
from mailstack.model.token import RANDOM_OCTETS, Scope, Token, token_text
from mailstack.services.identity.tokens import MAX_MAKERS, Bearer, Order, bearer_of, issue, revoke, visible_to
from tests.support.memory_tokens import MemoryTokens

NOW = Instant(1_790_000_000_000)
EVERYTHING = frozenset(Scope)
SEEDS: Iterator[int] = count(1)


def later(days: int) -> Instant:
    return Instant(NOW + days * DAY_MS)


async def make(
    tokens: MemoryTokens, *scopes: Scope, maker: Bearer | None = None, ends: Instant | None = None, name: str = "ci"
) -> tuple[Token, str]:
    order = Order(name=name, scopes=frozenset(scopes), expires_at=ends)
    random = next(SEEDS).to_bytes(RANDOM_OCTETS, "little")
    return await issue(tokens, order, maker=maker, now=NOW, random=random)


async def shown(tokens: MemoryTokens, text: str, now: Instant = NOW) -> Bearer:
    return await bearer_of(tokens, text, now=now)


async def test_the_shell_makes_a_token_that_is_good_for_what_was_said() -> None:
    tokens = MemoryTokens()
    token, text = await make(tokens, Scope.PLAN, ends=later(90))
    bearer = await shown(tokens, text)
    assert (bearer.token.token_id, bearer.ends_at) == (token.token_id, later(90))
    assert bearer.scopes == {Scope.PLAN}
    bearer.require(Scope.PLAN)
    with pytest.raises(Forbidden):
        bearer.require(Scope.APPLY)


async def test_nothing_that_is_stored_would_do_as_a_token() -> None:
    tokens = MemoryTokens()
    _, text = await make(tokens, Scope.PLAN)
    (kept,) = await tokens.list()
    assert text.encode() not in kept.secret_hash
    assert text not in repr(kept)


@pytest.mark.parametrize("wrong", [Scope.APPLY, Scope.STATE])
async def test_a_token_cannot_make_one_with_a_scope_that_it_lacks(wrong: Scope) -> None:
    tokens = MemoryTokens()
    _, text = await make(tokens, Scope.PLAN, Scope.TOKENS)
    with pytest.raises(Forbidden, match=wrong.value):
        await make(tokens, Scope.PLAN, wrong, maker=await shown(tokens, text))
    assert len(tokens.kept) == 1


@pytest.mark.parametrize("asked", [None, later(9_000)])
async def test_what_a_token_makes_ends_when_it_ends(asked: Instant | None) -> None:
    tokens = MemoryTokens()
    _, text = await make(tokens, *EVERYTHING, ends=later(7))
    made, child = await make(tokens, Scope.PLAN, maker=await shown(tokens, text), ends=asked)
    assert made.expires_at == later(7)
    with pytest.raises(AuthenticationFailed, match="expired"):
        await shown(tokens, child, later(7))


async def test_revoking_a_token_revokes_what_it_made_and_what_that_made() -> None:
    tokens = MemoryTokens()
    first, text = await make(tokens, *EVERYTHING)
    second, child = await make(tokens, *EVERYTHING, maker=await shown(tokens, text))
    third, grandchild = await make(tokens, Scope.PLAN, maker=await shown(tokens, child))
    _, other = await make(tokens, Scope.PLAN)
    gone = await revoke(tokens, first.token_id, by=None, now=NOW)
    assert set(gone) == {first.token_id, second.token_id, third.token_id}
    for each in (text, child, grandchild):
        with pytest.raises(AuthenticationFailed, match="revoked"):
            await shown(tokens, each)
    await shown(tokens, other)


async def test_a_token_that_was_made_while_its_maker_was_revoked_is_good_for_nothing() -> None:
    tokens = MemoryTokens()
    first, text = await make(tokens, *EVERYTHING)
    maker = await shown(tokens, text)
    await revoke(tokens, first.token_id, by=None, now=NOW)
    _, child = await make(tokens, Scope.PLAN, maker=maker)
    with pytest.raises(AuthenticationFailed, match="the token that made this one was revoked"):
        await shown(tokens, child)


async def test_a_scope_that_a_maker_lost_is_lost_below_it() -> None:
    tokens = MemoryTokens()
    first, text = await make(tokens, *EVERYTHING)
    _, child = await make(tokens, Scope.PLAN, Scope.STATE, maker=await shown(tokens, text))
    tokens.kept[first.token_id] = replace(first, scopes=frozenset({Scope.STATE}))
    assert (await shown(tokens, child)).scopes == {Scope.STATE}


async def test_a_token_whose_maker_is_not_there_is_refused() -> None:
    tokens = MemoryTokens()
    first, text = await make(tokens, *EVERYTHING)
    _, child = await make(tokens, Scope.PLAN, maker=await shown(tokens, text))
    del tokens.kept[first.token_id]
    with pytest.raises(AuthenticationFailed, match="gone"):
        await shown(tokens, child)


async def test_tokens_that_name_each_other_as_makers_do_not_go_on_for_ever() -> None:
    tokens = MemoryTokens()
    token, text = await make(tokens, Scope.PLAN)
    tokens.kept[token.token_id] = replace(token, maker=token.token_id)
    with pytest.raises(AuthenticationFailed):
        await shown(tokens, text)


async def test_a_line_of_makers_has_an_end() -> None:
    tokens = MemoryTokens()
    _, text = await make(tokens, *EVERYTHING)
    for _ in range(MAX_MAKERS - 1):
        _, text = await make(tokens, *EVERYTHING, maker=await shown(tokens, text))
    with pytest.raises(Forbidden):
        await make(tokens, *EVERYTHING, maker=await shown(tokens, text))


async def test_a_token_sees_and_revokes_itself_and_what_it_made_and_nothing_else() -> None:
    tokens = MemoryTokens()
    above, above_text = await make(tokens, *EVERYTHING)
    own, own_text = await make(tokens, *EVERYTHING, maker=await shown(tokens, above_text))
    below, _ = await make(tokens, Scope.PLAN, maker=await shown(tokens, own_text))
    other, _ = await make(tokens, Scope.PLAN)
    bearer = await shown(tokens, own_text)
    assert {token.token_id for token in await visible_to(tokens, bearer)} == {own.token_id, below.token_id}
    assert len(await visible_to(tokens, None)) == 4
    for foreign in (above, other):
        with pytest.raises(NotFound):
            await revoke(tokens, foreign.token_id, by=bearer, now=NOW)
    assert await revoke(tokens, below.token_id, by=bearer, now=NOW) == [below.token_id]


async def test_a_token_with_the_right_id_and_another_secret_is_unknown() -> None:
    tokens = MemoryTokens()
    token, _ = await make(tokens, Scope.PLAN)
    forged = token_text((99).to_bytes(RANDOM_OCTETS, "little"))
    tokens.kept[TokenId(forged[4:14])] = replace(token, token_id=TokenId(forged[4:14]))
    with pytest.raises(AuthenticationFailed, match="no such token"):
        await shown(tokens, forged)


@pytest.mark.parametrize("text", ["", "mst_short", "Bearer", "x" * 100_000])
async def test_what_is_no_token_is_refused_without_looking(text: str) -> None:
    with pytest.raises(AuthenticationFailed, match="not a token"):
        await shown(MemoryTokens(), text)


async def test_a_token_is_good_until_its_last_millisecond() -> None:
    tokens = MemoryTokens()
    _, text = await make(tokens, Scope.PLAN, ends=later(1))
    await shown(tokens, text, Instant(later(1) - 1))
    with pytest.raises(AuthenticationFailed, match="the token expired on "):
        await shown(tokens, text, later(1))


async def test_its_use_is_noted_once_a_minute() -> None:
    tokens = MemoryTokens()
    token, text = await make(tokens, Scope.PLAN)
    for after_ms, noted in ((0, 0), (59_999, 0), (60_000, 60_000), (61_000, 60_000)):
        await shown(tokens, text, Instant(NOW + after_ms))
        assert tokens.kept[token.token_id].used_at == NOW + noted


@pytest.mark.parametrize(
    "order",
    [
        Order(name="ci", scopes=frozenset(), expires_at=None),
        Order(name="c\ni", scopes=frozenset({Scope.PLAN}), expires_at=None),
        Order(name="c" * 101, scopes=frozenset({Scope.PLAN}), expires_at=None),
        Order(name="ci", scopes=frozenset({Scope.PLAN}), expires_at=NOW),
    ],
)
async def test_an_order_that_makes_no_sense_is_refused(order: Order) -> None:
    tokens = MemoryTokens()
    with pytest.raises(Invalid):
        await issue(tokens, order, maker=None, now=NOW, random=bytes(RANDOM_OCTETS))
    assert not tokens.kept
