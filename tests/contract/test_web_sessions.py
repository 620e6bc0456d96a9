"""ports.web_sessions on every engine."""

import asyncio
from dataclasses import replace

import pytest

from mailstack.model.errors import AlreadyExists, NotFound
from mailstack.model.ids import AccountId
from mailstack.model.instant import DAY_MS, Instant
from mailstack.model.web_session import IDLE_MS, LONGEST_MS, WebSession, digest_of_cookie
from mailstack.ports.bus import account_topic
from mailstack.ports.store import Store
from tests.support.recording_bus import RecordingBus
from tests.support.stores import make_account

pytestmark = pytest.mark.in_memory
MOST = 3
NOW = Instant(50 * DAY_MS)
NOBODY = AccountId("f" * 16)


def opened(account_id: AccountId, number: int = 1, *, at: int = NOW) -> WebSession:
    return WebSession(
        digest=digest_of_cookie(f"cookie {number}"),
        account_id=account_id,
        password_mark=bytes(32),
        created_at=Instant(at),
        used_at=Instant(at),
        peer_host="192.0.2.1",
        agent="Firefox",
    )


async def add(store: Store, *sessions: WebSession) -> None:
    for each in sessions:
        await store.web_sessions.add(each, most=MOST)


async def of(store: Store, account_id: AccountId) -> list[WebSession]:
    return list(await store.web_sessions.of_account(account_id, now=NOW))


async def test_what_was_opened_is_found_as_it_was(store: Store, account_id: AccountId) -> None:
    one = opened(account_id)
    await add(store, one)
    assert await store.web_sessions.find(one.digest, now=NOW) == one
    assert await store.web_sessions.find(bytes(32), now=NOW) is None


async def test_those_of_an_account_the_last_used_first(store: Store, account_id: AccountId) -> None:
    other = opened(await make_account(store, "bob@example.com"), 3)
    old, new = opened(account_id, 1, at=NOW - 5), opened(account_id, 2, at=NOW - 1)
    await add(store, old, new, other)
    assert await of(store, account_id) == [new, old]
    await store.web_sessions.note_use(old.digest, at=NOW, peer_host="2001:db8::1")
    assert await of(store, account_id) == [replace(old, used_at=NOW, peer_host="2001:db8::1"), new]
    assert await of(store, NOBODY) == []


async def test_no_cookie_twice_and_none_of_nobody(store: Store, account_id: AccountId) -> None:
    one = opened(account_id)
    await add(store, one)
    with pytest.raises(AlreadyExists):
        await add(store, replace(one, agent="another"))
    with pytest.raises(NotFound):
        await add(store, opened(NOBODY, 2))
    assert await of(store, account_id) == [one]


async def test_one_too_many_takes_the_place_of_who_was_away_longest(store: Store, account_id: AccountId) -> None:
    sessions = [opened(account_id, number, at=NOW - 10 + number) for number in range(MOST + 3)]
    await add(store, *sessions[:MOST])
    await asyncio.gather(*(add(store, each) for each in sessions[MOST:]))
    assert len(await of(store, account_id)) == MOST
    assert await store.web_sessions.find(sessions[0].digest, now=NOW) is None


@pytest.mark.parametrize("span", [IDLE_MS, LONGEST_MS])
async def test_a_session_ends(store: Store, account_id: AccountId, span: int) -> None:
    began = Instant(NOW - span)
    one = opened(account_id, at=began)
    await add(store, one)
    if span == LONGEST_MS:
        await store.web_sessions.note_use(one.digest, at=Instant(NOW - 1), peer_host="192.0.2.1")
    assert await store.web_sessions.forget(now=Instant(NOW - 1)) == 0
    assert await store.web_sessions.find(one.digest, now=Instant(NOW - 1)) is not None
    assert (await store.web_sessions.find(one.digest, now=NOW), await of(store, account_id)) == (None, [])
    assert [await store.web_sessions.forget(now=NOW) for _ in range(2)] == [1, 0]


async def test_ended_by_their_owner_only_and_told(store: Store, account_id: AccountId, bus: RecordingBus) -> None:
    other = opened(await make_account(store, "bob@example.com"), 9)
    here, there, away = (opened(account_id, number, at=NOW - number) for number in range(3))
    await add(store, here, there, away, other)
    bus.published.clear()
    assert await store.web_sessions.end(account_id, [there.session_id, other.session_id, "00"]) == 1
    assert bus.published == [account_topic(account_id)]
    assert await of(store, account_id) == [here, away]
    assert await store.web_sessions.end(account_id, but=here.session_id) == 1
    assert (await of(store, account_id), await of(store, other.account_id)) == ([here], [other])
    bus.published.clear()
    assert await store.web_sessions.end(account_id, []) == 0
    assert bus.published == []
