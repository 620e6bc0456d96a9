"""ports.uploads on every engine."""

import hashlib
import random
from functools import partial

import pytest

from mailstack.model.errors import NotFound, QuotaExceeded
from mailstack.model.ids import AccountId, BlobId
from mailstack.model.instant import DAY_MS, HOUR_MS, Instant
from mailstack.ports.store import Store
from tests.support.stores import make_account

NOW = Instant(1_700_000_000_000)
LIMIT = 1 << 20
SIZES = [0, 5, 64 * 1024, 64 * 1024 + 1, 300_000]


def later(span_ms: int) -> Instant:
    return Instant(NOW + span_ms)


def octets(size: int, seed: int = 0) -> bytes:
    return random.Random(seed).randbytes(size)


@pytest.mark.parametrize("size", SIZES)
async def test_what_was_uploaded_is_read_back_whole_and_in_ranges(
    store: Store, account_id: AccountId, size: int
) -> None:
    raw = octets(size)
    blob_id = await store.uploads.put(account_id, raw, now=NOW, limit_bytes=LIMIT)
    assert blob_id == hashlib.sha256(raw).hexdigest()
    assert await store.uploads.read(account_id, blob_id, now=NOW) == raw
    read = partial(store.uploads.read_range, account_id, blob_id, now=NOW)
    assert b"".join([await read(start, start + 70_000) for start in range(0, size + 1, 70_000)]) == raw
    assert (await read(1, 4), await read(4, 1), await read(size, size + 1)) == (raw[1:4], b"", b"")
    asked = [blob_id, BlobId("0" * 64)]
    assert await store.uploads.sizes(account_id, asked, now=NOW) == {blob_id: size}


async def test_they_are_one_accounts(store: Store, account_id: AccountId) -> None:
    other = await make_account(store, "bob@example.com")
    blob_id = await store.uploads.put(account_id, b"mine", now=NOW, limit_bytes=LIMIT)
    assert await store.uploads.sizes(other, [blob_id], now=NOW) == {}
    with pytest.raises(NotFound):
        await store.uploads.read(other, blob_id, now=NOW)
    with pytest.raises(NotFound):
        await store.uploads.read_range(other, blob_id, 0, 1, now=NOW)


@pytest.mark.parametrize("size", [5, 300_000])
async def test_they_end_after_a_day(store: Store, account_id: AccountId, size: int) -> None:
    raw = octets(size)
    blob_id = await store.uploads.put(account_id, raw, now=NOW, limit_bytes=LIMIT)
    assert await store.uploads.forget(now=later(DAY_MS - 1)) == 0
    assert await store.uploads.read(account_id, blob_id, now=later(DAY_MS - 1)) == raw
    with pytest.raises(NotFound):
        await store.uploads.read(account_id, blob_id, now=later(DAY_MS))
    assert await store.uploads.sizes(account_id, [blob_id], now=later(DAY_MS)) == {}
    assert [await store.uploads.forget(now=later(DAY_MS)) for _ in range(2)] == [1, 0]


@pytest.mark.parametrize("size", [5, 300_000])
async def test_uploaded_again_they_last_as_new_ones(store: Store, account_id: AccountId, size: int) -> None:
    raw = octets(size)
    for hour in (0, 20):
        blob_id = await store.uploads.put(account_id, raw, now=later(hour * HOUR_MS), limit_bytes=LIMIT)
    assert await store.uploads.forget(now=later(43 * HOUR_MS)) == 0
    assert await store.uploads.read(account_id, blob_id, now=later(43 * HOUR_MS)) == raw


async def test_the_oldest_give_way_and_the_youngest_do_not(store: Store, account_id: AccountId) -> None:
    one, two, three = [octets(400, seed) for seed in range(3)]
    put = partial(store.uploads.put, account_id, limit_bytes=1_000)
    first = await put(one, now=NOW)
    second = await put(two, now=later(1))
    with pytest.raises(QuotaExceeded):
        await put(three, now=later(HOUR_MS - 1))
    third = await put(three, now=later(HOUR_MS))
    found = await store.uploads.sizes(account_id, [first, second, third], now=later(HOUR_MS))
    assert sorted(found) == sorted([second, third])
    with pytest.raises(QuotaExceeded):
        await put(octets(1_001), now=later(5 * HOUR_MS))
    last = await put(octets(1_000), now=later(5 * HOUR_MS))
    assert list(await store.uploads.sizes(account_id, [second, third, last], now=later(5 * HOUR_MS))) == [last]


async def test_what_has_ended_takes_no_room(store: Store, account_id: AccountId) -> None:
    await store.uploads.put(account_id, octets(900), now=NOW, limit_bytes=1_000)
    blob_id = await store.uploads.put(account_id, b"x" * 900, now=later(DAY_MS), limit_bytes=1_000)
    assert await store.uploads.sizes(account_id, [blob_id], now=later(DAY_MS)) == {blob_id: 900}
    assert await store.uploads.forget(now=later(DAY_MS)) == 0


async def test_sweeping_leaves_what_is_there(store: Store, account_id: AccountId) -> None:
    raw = octets(300_000)
    blob_id = await store.uploads.put(account_id, raw, now=NOW, limit_bytes=LIMIT)
    await store.sweep()
    assert await store.uploads.read(account_id, blob_id, now=NOW) == raw
