"""ports.scripts on every engine."""

import asyncio

import pytest

from mailstack.model.errors import AlreadyExists, DomainError, InUse, NotFound, QuotaExceeded, TooMany
from mailstack.model.ids import AccountId
from mailstack.model.instant import DAY_MS, Instant
from mailstack.model.script import ScriptQuota
from mailstack.ports.store import Store
from tests.support.fake_clock import FakeClock
from tests.support.stores import account_resource, apply, destroyed, make_account

QUOTA = ScriptQuota(scripts=3, octets=100)


async def put(store: Store, account_id: AccountId, *names: str, content: bytes = b"keep;") -> None:
    for name in names:
        await store.scripts.put(account_id, name, content, quota=QUOTA)


async def listed(store: Store, account_id: AccountId) -> list[tuple[str, int, bool]]:
    return [(one.name, one.size_octets, one.is_active) for one in await store.scripts.all(account_id)]


async def test_a_script_is_kept_by_its_name(store: Store, account_id: AccountId) -> None:
    for name in ("b", "../../etc/passwd", "Überfluß " * 14, "B"):
        content = name.encode() + b"\x00\r\n"
        await store.scripts.put(account_id, name, content, quota=ScriptQuota(scripts=4, octets=1_000))
        assert await store.scripts.read(account_id, name) == content

    assert [one.name for one in await store.scripts.all(account_id)] == sorted(
        ["b", "../../etc/passwd", "Überfluß " * 14, "B"]
    )
    assert len({one.script_id for one in await store.scripts.all(account_id)}) == 4


async def test_there_is_none_at_first(store: Store, account_id: AccountId) -> None:
    assert await store.scripts.all(account_id) == []
    assert (await store.scripts.running(account_id)).active is None
    await store.scripts.activate(account_id, None)  # RFC 5804 §2.8: not an error


async def test_what_is_put_again_stays_what_it_was(store: Store, account_id: AccountId) -> None:
    await put(store, account_id, "a", "b")
    await store.scripts.activate(account_id, "a")
    before = await store.scripts.all(account_id)
    await put(store, account_id, "a", content=b"discard;")

    assert await listed(store, account_id) == [("a", 8, True), ("b", 5, False)]
    assert [one.script_id for one in await store.scripts.all(account_id)] == [one.script_id for one in before]
    assert (await store.scripts.running(account_id)).active == b"discard;"


async def test_one_is_active(store: Store, account_id: AccountId) -> None:
    await put(store, account_id, "a")
    await put(store, account_id, "b", content=b"stop;")
    await store.scripts.activate(account_id, "a")
    await store.scripts.activate(account_id, "b")
    await store.scripts.activate(account_id, "b")
    assert await listed(store, account_id) == [("a", 5, False), ("b", 5, True)]
    assert (await store.scripts.running(account_id)).active == b"stop;"

    await store.scripts.activate(account_id, None)
    assert (await store.scripts.running(account_id)).active is None


async def test_a_renamed_one_stays_active(store: Store, account_id: AccountId) -> None:
    await put(store, account_id, "a", "b")
    await store.scripts.activate(account_id, "a")
    await store.scripts.rename(account_id, "a", "c")
    assert await listed(store, account_id) == [("b", 5, False), ("c", 5, True)]


async def test_a_removed_one_is_gone(store: Store, account_id: AccountId) -> None:
    await put(store, account_id, "a", "b")
    await store.scripts.remove(account_id, "a")
    assert await listed(store, account_id) == [("b", 5, False)]


async def test_what_there_is_not(store: Store, account_id: AccountId) -> None:
    await put(store, account_id, "a")
    await store.scripts.activate(account_id, "a")
    for asked in (
        store.scripts.read(account_id, "A"),
        store.scripts.activate(account_id, "b"),
        store.scripts.rename(account_id, "b", "c"),
        store.scripts.remove(account_id, "b"),
    ):
        with pytest.raises(NotFound):
            await asked
    assert await listed(store, account_id) == [("a", 5, True)]


async def test_a_name_that_is_taken(store: Store, account_id: AccountId) -> None:
    await put(store, account_id, "a", "b")
    with pytest.raises(AlreadyExists):
        await store.scripts.rename(account_id, "a", "b")
    assert await listed(store, account_id) == [("a", 5, False), ("b", 5, False)]


async def test_the_active_one_is_not_removed(store: Store, account_id: AccountId) -> None:
    await put(store, account_id, "a")
    await store.scripts.activate(account_id, "a")
    with pytest.raises(InUse):
        await store.scripts.remove(account_id, "a")
    assert await listed(store, account_id) == [("a", 5, True)]


@pytest.mark.parametrize(
    ("name", "size_octets", "refusal"),
    [
        ("d", 1, TooMany),
        ("a", 91, QuotaExceeded),  # b and c have 10
        ("a", 90, None),
    ],
)
async def test_quotas(
    store: Store, account_id: AccountId, name: str, size_octets: int, refusal: type[DomainError] | None
) -> None:
    await put(store, account_id, "a", "b", "c")
    before = await listed(store, account_id)
    if refusal is None:
        await store.scripts.check_space(account_id, name, size_octets, quota=QUOTA)
        await put(store, account_id, name, content=b"x" * size_octets)
        return
    with pytest.raises(refusal):
        await store.scripts.check_space(account_id, name, size_octets, quota=QUOTA)
    with pytest.raises(refusal):
        await put(store, account_id, name, content=b"x" * size_octets)
    assert await listed(store, account_id) == before


async def test_each_account_has_its_own(store: Store, account_id: AccountId) -> None:
    other = await make_account(store, "bob@example.com")
    await put(store, account_id, "a", "b", "c")
    await put(store, other, "a", content=b"stop;")
    await store.scripts.activate(account_id, "a")
    await store.scripts.activate(other, "a")

    assert (await store.scripts.running(account_id)).active == b"keep;"
    assert (await store.scripts.running(other)).active == b"stop;"


async def test_nobody_has_no_scripts(store: Store) -> None:
    nobody = AccountId("0" * 16)
    with pytest.raises(NotFound):
        await put(store, nobody, "a")
    assert await listed(store, nobody) == []


async def test_of_two_who_activate_at_once_one_is_last(store: Store, account_id: AccountId) -> None:
    await put(store, account_id, "a", "b", "c")
    await asyncio.gather(*(store.scripts.activate(account_id, name) for name in "abcabcabc"))

    assert [is_active for _, _, is_active in await listed(store, account_id)].count(True) == 1


async def test_of_many_who_put_at_once_no_more_than_the_quota_do(store: Store, account_id: AccountId) -> None:
    results = await asyncio.gather(*(put(store, account_id, name) for name in "abcdef"), return_exceptions=True)

    assert [isinstance(result, TooMany) for result in results].count(True) == 3
    assert len(await listed(store, account_id)) == 3


async def test_they_go_when_the_trash_lets_the_account_go(
    store: Store, account_id: AccountId, clock: FakeClock
) -> None:
    await put(store, account_id, "a")
    await apply(store, destroyed(account_resource("alice@example.com")))
    await store.trash.purge(now=Instant(clock() + 29 * DAY_MS))
    assert await listed(store, account_id) == [("a", 5, False)]

    await store.trash.purge(now=Instant(clock() + 31 * DAY_MS))
    assert await listed(store, account_id) == []
