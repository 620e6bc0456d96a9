"""Large messages of accounts on PostgreSQL in a bucket: claimed by writers, collected once nobody has them any more."""

import asyncio
import random
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from time import time
from typing import cast

import pytest

from mailstack.model.delivery import Delivered, OutgoingMail, Settlement, SmtpReply
from mailstack.model.errors import Damaged, TryAgainLater
from mailstack.model.ids import AccountId, MailboxId
from mailstack.model.instant import DAY_MS, HOUR_MS, Instant
from mailstack.model.message import Appended, FlagChange, FlagOperation, NewMessage
from mailstack.model.numset import numset_of
from mailstack.ports.store import Store
from mailstack.store.postgres.link import address_of
from mailstack.store.postgres.open import PostgresStore, open_store
from mailstack.store.s3 import bucket as bucket_module
from mailstack.store.s3.blobs import S3Blobs
from mailstack.store.s3.bucket import Bucket, BucketAddress
from mailstack.store.s3.collector import TOMBSTONE_MS
from mailstack.store.sql.blobs import INLINE_LIMIT_BYTES
from tests.support.counting_proxy import counting_proxy
from tests.support.digests import digest_of
from tests.support.fake_clock import FakeClock
from tests.support.postgres import PostgresServer
from tests.support.quota import quota
from tests.support.recording_bus import RecordingBus
from tests.support.stores import make_account

INBOX = MailboxId(1)
LARGE = random.Random(3).randbytes(INLINE_LIMIT_BYTES + 1)
DELETE = FlagChange(operation=FlagOperation.ADD, keywords=frozenset(), is_deleted=True)


@pytest.fixture
def clock() -> FakeClock:
    """A day and an hour after the service's own, so that its objects are old enough to be looked at."""
    return FakeClock(int(time() * 1000) + DAY_MS + HOUR_MS)


@pytest.fixture
async def store(empty_database: str, bucket: Bucket, clock: FakeClock) -> AsyncIterator[PostgresStore]:
    opened = await open_on(empty_database, bucket, clock)
    yield opened
    await opened.close()


@pytest.fixture
async def account_id(store: PostgresStore) -> AccountId:
    return await account(store, "alice@example.com")


async def open_on(url: str, bucket: Bucket, clock: FakeClock) -> PostgresStore:
    return await open_store(address_of(url), blobs=S3Blobs(bucket), clock=clock, bus=RecordingBus())


async def account(store: PostgresStore, login: str) -> AccountId:
    return await make_account(cast(Store, store), login)  # asks for no port that is not there yet


def message(raw: bytes = LARGE) -> NewMessage:
    return NewMessage(raw=raw, received_at=Instant(1_700_000_000_000), digest=digest_of(raw))


async def append(store: PostgresStore, account_id: AccountId, raw: bytes = LARGE) -> Appended:
    (appended,) = await store.messages.append(account_id, INBOX, [message(raw)])
    return appended


async def expunge(store: PostgresStore, account_id: AccountId, *appended: Appended) -> None:
    uids = numset_of([each.uid for each in appended])
    await store.messages.change_flags(account_id, INBOX, uids, DELETE)
    await store.messages.expunge(account_id, INBOX, uids)


def names(bucket: Bucket) -> list[str]:
    return sorted(each.name for page in bucket.listed() for each in page)


def states(postgres: PostgresServer, url: str) -> dict[str, str]:
    found = postgres.run("SELECT file, state FROM blob_object", database=url.rpartition("/")[2])
    return {str(file): str(state) for file, state in found}


async def test_accounts_share_one_object(store: PostgresStore, bucket: Bucket, account_id: AccountId) -> None:
    other = await account(store, "bob@example.com")
    first, second = await append(store, account_id), await append(store, other)
    assert len(names(bucket)) == 1
    assert await store.messages.read(account_id, first.message_id) == LARGE
    assert await store.messages.read_range(other, second.message_id, 60_000, 60_010) == LARGE[60_000:60_010]


async def test_it_is_deleted_a_day_after_nobody_has_it(
    store: PostgresStore, bucket: Bucket, clock: FakeClock, account_id: AccountId
) -> None:
    other = await account(store, "bob@example.com")
    first, second = await append(store, account_id), await append(store, other)
    await expunge(store, account_id, first)
    for _ in range(3):
        assert await store.sweep() == 0
        clock.advance(DAY_MS)
    assert await store.messages.read(other, second.message_id) == LARGE
    await expunge(store, other, second)
    assert await store.sweep() == 0  # the first look
    clock.advance(DAY_MS - HOUR_MS)
    assert await store.sweep() == 0
    assert len(names(bucket)) == 1
    clock.advance(HOUR_MS)
    assert await store.sweep() == 1
    assert names(bucket) == []


async def test_what_the_queue_has_is_kept(store: PostgresStore, bucket: Bucket, clock: FakeClock) -> None:
    mail = OutgoingMail(
        reverse_path="a@example.com", recipients=("b@x.example",), raw=LARGE, queued_at=Instant(1), is_8bit=True,
        smtp_utf8=False, trace_id="t",
    )  # fmt: skip
    (mail_id,) = await store.queue.enqueue([mail], next_at=Instant(1))
    for _ in range(3):
        await store.sweep()
        clock.advance(DAY_MS)
    assert await store.queue.content(mail_id) == LARGE
    (item,) = await store.queue.lease("me", now=Instant(2), until=Instant(3), quota=quota(1))
    delivered = Delivered(reply=SmtpReply(code=250, status="2.0.0", text="ok"), host="x.example")
    await store.queue.settle("me", [Settlement(item_id=item.item_id, outcome=delivered)])
    for _ in range(3):
        await store.sweep()
        clock.advance(DAY_MS)
    assert names(bucket) == []


async def test_an_append_that_fails_leaves_an_object_that_is_collected(
    store: PostgresStore, bucket: Bucket, clock: FakeClock, account_id: AccountId
) -> None:
    with pytest.raises(Exception, match="no mailbox"):
        await store.messages.append(account_id, MailboxId(999), [message()])
    assert len(names(bucket)) == 1
    await store.sweep()
    clock.advance(DAY_MS)
    assert await store.sweep() == 1


async def test_who_brings_it_back_before_the_second_look_keeps_it(
    store: PostgresStore, clock: FakeClock, account_id: AccountId
) -> None:
    await expunge(store, account_id, await append(store, account_id))
    await store.sweep()
    again = await append(store, account_id)
    clock.advance(2 * DAY_MS)
    assert await store.sweep() == 0
    assert await store.messages.read(account_id, again.message_id) == LARGE


async def test_a_name_that_is_being_deleted_is_not_used_again(
    store: PostgresStore,
    bucket: Bucket,
    clock: FakeClock,
    account_id: AccountId,
    postgres: PostgresServer,
    empty_database: str,
) -> None:
    """The collector died between its transaction and its request, which arrives when nobody expects it any more."""
    await expunge(store, account_id, await append(store, account_id))
    (old,) = names(bucket)
    sql = f"UPDATE blob_object SET state = 'deleting', since = {clock.now}"  # noqa: S608 - a number
    postgres.run(sql, database=empty_database.rpartition("/")[2])
    again = await append(store, account_id)
    bucket.delete([old])
    assert await store.messages.read(account_id, again.message_id) == LARGE
    (new,) = names(bucket)
    assert new != old
    # Another process, which knows nothing of it yet; then the tombstone.
    other = await open_on(empty_database, bucket, clock)
    third = await append(other, account_id)
    await store.sweep()
    assert states(postgres, empty_database)[old] == "deleted"
    assert await other.messages.read(account_id, third.message_id) == LARGE
    await other.close()
    clock.advance(TOMBSTONE_MS)
    await store.sweep()
    assert old not in states(postgres, empty_database)


async def test_a_writer_that_gives_up_a_name_leaves_no_object_for_good(
    store: PostgresStore,
    bucket: Bucket,
    clock: FakeClock,
    account_id: AccountId,
    postgres: PostgresServer,
    empty_database: str,
) -> None:
    await expunge(store, account_id, await append(store, account_id))
    (old,) = names(bucket)
    await store.sweep()
    clock.advance(DAY_MS)
    await store.sweep()
    assert names(bucket) == []
    other = await open_on(empty_database, bucket, clock)
    again = await append(other, account_id)  # which puts the old name, and learns only then that it is retired
    assert old in names(bucket)
    clock.advance(DAY_MS)
    await store.sweep()
    (new,) = names(bucket)
    assert new != old
    assert await other.messages.read(account_id, again.message_id) == LARGE
    await other.close()


async def test_several_large_messages_in_one_append(
    store: PostgresStore, bucket: Bucket, account_id: AccountId
) -> None:
    raws = [LARGE, LARGE[::-1], LARGE]
    appended = await store.messages.append(account_id, INBOX, [message(raw) for raw in raws])
    assert len(names(bucket)) == 2
    assert [await store.messages.read(account_id, each.message_id) for each in appended] == raws


async def test_many_objects_take_several_looks(
    store: PostgresStore, bucket: Bucket, clock: FakeClock, account_id: AccountId
) -> None:
    for number in range(230):
        bucket.create(f"{number:064x}.zst", b"left by a crash")
    kept = await append(store, account_id)
    assert await store.sweep() == 0
    clock.advance(DAY_MS)
    assert await store.sweep() == 230
    assert await store.messages.read(account_id, kept.message_id) == LARGE


async def test_writers_and_collectors_side_by_side_lose_nothing(
    empty_database: str, bucket: Bucket, clock: FakeClock
) -> None:
    """Collectors whose clocks run a day ahead at every look, on the real locks of a real database."""
    nodes = [await open_on(empty_database, bucket, clock) for _ in range(3)]
    accounts = [await account(nodes[0], f"user{number}@example.com") for number in range(4)]
    contents = [LARGE[number:] + bytes(number) for number in range(3)]
    chance = random.Random(7)
    writing = True

    async def write(number: int) -> None:
        node, account_id = nodes[number % len(nodes)], accounts[number % len(accounts)]
        for _ in range(12):
            raw = chance.choice(contents)
            appended = await append(node, account_id, raw)
            assert await node.messages.read(account_id, appended.message_id) == raw
            await expunge(node, account_id, appended)

    async def collect(node: PostgresStore) -> int:
        collected = 0
        while writing:
            collected += await node.sweep()
            clock.advance(DAY_MS)
        return collected

    collectors = [asyncio.create_task(collect(node)) for node in nodes[:2]]
    await asyncio.gather(*(write(number) for number in range(8)))
    writing = False
    collected = sum(await asyncio.gather(*collectors))
    for node in nodes:
        await node.close()
    assert collected > 0


async def test_a_service_in_trouble_loses_and_doubles_nothing(
    empty_database: str, address: BucketAddress, clock: FakeClock
) -> None:
    """It answers 503 for a while, to some after it did what was asked; senders come back, as they do after a 451."""
    chance = random.Random(5)
    with counting_proxy(address.endpoint) as passed:
        store = await open_on(empty_database, Bucket(replace(address, endpoint=passed.url)), clock)
        account_id = await account(store, "alice@example.com")
        passed.faults = [chance.choice([503, 503, -503, 500]) for _ in range(40)]
        raws = [bytes([number]) + LARGE for number in range(10)]

        async def deliver(raw: bytes) -> Appended:
            while True:
                try:
                    return await append(store, account_id, raw)
                except TryAgainLater:
                    continue

        appended = await asyncio.gather(*map(deliver, raws))
        assert [await store.messages.read(account_id, each.message_id) for each in appended] == raws
        assert len(await store.messages.placements(account_id, INBOX)) == len(raws)
        await store.close()


async def test_a_bucket_that_does_not_answer_holds_up_nobody_who_wants_none_of_it(
    empty_database: str, address: BucketAddress, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bucket_module, "MAX_RETRIES", 0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        store = await open_on(empty_database, Bucket(replace(address, endpoint=endpoint)), clock)
        account_id = await account(store, "alice@example.com")
        waiting = [asyncio.create_task(append(store, account_id, LARGE[number:] + LARGE)) for number in range(8)]
        small = await append(store, account_id, b"From: a@example.com\r\n\r\ntext")
        assert await store.messages.used_bytes(account_id) > 0
        assert len(await store.queue.items()) == 0  # which is a long read, in a thread
        assert await store.messages.read(account_id, small.message_id)
        assert not any(task.done() for task in waiting)
        silent.close()
        for outcome in await asyncio.gather(*waiting, return_exceptions=True):
            assert isinstance(outcome, TryAgainLater)
        await store.close()


async def test_an_object_that_is_gone_is_damage_and_hurts_no_other_message(
    store: PostgresStore, bucket: Bucket, account_id: AccountId
) -> None:
    lost = await append(store, account_id)
    bucket.delete(names(bucket))
    kept = await append(store, account_id, LARGE[::-1])
    with pytest.raises(Damaged, match=f"message {lost.message_id} of account {account_id}"):
        await store.messages.read(account_id, lost.message_id)
    assert await store.messages.read(account_id, kept.message_id) == LARGE[::-1]
