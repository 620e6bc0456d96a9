"""Heads that are packed are what the messages themselves say, whatever is missing, gone or odd."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from mailstack.model.flags import NO_KEYWORDS
from mailstack.model.ids import AccountId, MailboxId, MessageId
from mailstack.model.instant import DAY_MS, Instant
from mailstack.model.mailbox import MailboxRole
from mailstack.model.message import Column, FlagChange, FlagOperation, NewMessage
from mailstack.model.search import IndexedMessage
from mailstack.store.sql.compress import Codec
from mailstack.store.sql.database import Transaction
from mailstack.store.sql.packs import BLOCK, PACKED
from mailstack.store.sqlite.open import SqliteStore
from tests.support.fake_clock import FakeClock
from tests.support.stores import mailbox_with, new_message, uids

WANTED = tuple(sorted(PACKED, key=lambda column: column.value))


def messages(count: int) -> list[NewMessage]:
    made = []
    for number in range(count):
        message = new_message(
            number, subject=f"Re: subject {number}", message_id=f"{number}@x", references=["a@x", f"b{number}@x"]
        )
        if number % 10 == 3:
            digest = replace(message.digest, header_block=b"X: \0\r\n\r\n", references=(), to="")
            message = replace(message, digest=digest)
        made.append(message)
    return made


def expected(message: NewMessage) -> tuple[object, ...]:
    digest = message.digest
    values = {
        Column.ENVELOPE: digest.envelope, Column.HEADER_BLOCK: digest.header_block, Column.CC: digest.cc,
        Column.BODY_STRUCTURE: digest.body_structure, Column.SUBJECT: digest.subject, Column.FROM: digest.from_,
        Column.BASE_SUBJECT: digest.base_subject, Column.TO: digest.to, Column.HEADER_ID: digest.message_id,
        Column.REFERENCES: digest.references,
    }  # fmt: skip
    return tuple(values[column] for column in WANTED)


async def run(store: SqliteStore, account_id: AccountId, statement: str, *values: bytes) -> list[tuple[object, ...]]:
    def work(transaction: Transaction) -> list[tuple[object, ...]]:
        return transaction.rows(statement, values)

    return await (await store.messages._databases.get(account_id)).write(work)


async def index_all(store: SqliteStore, account_id: AccountId) -> None:
    while waiting := await store.search.backlog(account_id, limit=50, limit_bytes=1 << 20):
        indexed = [IndexedMessage(message_id=one.message_id, words={}) for one in waiting]
        await store.search.add(account_id, indexed)


async def filled(store: SqliteStore, account_id: AccountId, sent: Sequence[NewMessage]) -> MailboxId:
    inbox = await mailbox_with(store, account_id, MailboxRole.INBOX)
    await store.messages.append(account_id, inbox, sent)
    await index_all(store, account_id)
    return inbox


async def blocks(store: SqliteStore, account_id: AccountId) -> list[tuple[object, ...]]:
    return await run(store, account_id, "SELECT block, messages FROM head_pack ORDER BY block")


@pytest.mark.parametrize("count", [BLOCK - 2, BLOCK - 1, BLOCK, 3 * BLOCK + 7])
async def test_columns_are_the_same_with_packs(store: SqliteStore, account_id: AccountId, count: int) -> None:
    sent = messages(count)
    inbox = await filled(store, account_id, sent)
    assert len(await blocks(store, account_id)) == (count + 1) // BLOCK
    rows = await store.messages.columns(account_id, inbox, WANTED)
    assert [row[1:] for row in rows] == [expected(message) for message in sent]
    for place, column in enumerate(WANTED):
        alone = await store.messages.columns(account_id, inbox, [column])
        assert alone == [(uid, expected(message)[place]) for uid, message in enumerate(sent, start=1)]


async def test_a_pack_that_is_damaged_is_not_missed(store: SqliteStore, account_id: AccountId) -> None:
    sent = messages(2 * BLOCK)
    inbox = await filled(store, account_id, sent)
    for garbage in (b"none", b"", Codec().compress(b"another make")):
        await run(store, account_id, "UPDATE head_pack SET envelopes = ?, words = ?", garbage, garbage)
        rows = await store.messages.columns(account_id, inbox, WANTED)
        assert [row[1:] for row in rows] == [expected(message) for message in sent]


async def test_what_is_gone_leaves_its_pack(store: SqliteStore, account_id: AccountId, clock: FakeClock) -> None:
    sent = messages(3 * BLOCK)
    inbox = await filled(store, account_id, sent)
    gone = FlagChange(operation=FlagOperation.ADD, keywords=NO_KEYWORDS, is_deleted=True)
    leaving = uids(*range(10, 2 * BLOCK + 5))
    await store.messages.change_flags(account_id, inbox, leaving, gone)
    await store.messages.expunge(account_id, inbox)
    left = [(uid, *expected(sent[uid - 1])) for uid in (*range(1, 10), *range(2 * BLOCK + 5, 3 * BLOCK + 1))]
    assert await store.messages.columns(account_id, inbox, WANTED) == left
    assert await blocks(store, account_id) == [(0, 63), (1, 64), (2, 64)]
    await store.changes.compact(account_id, now=Instant(clock() + DAY_MS))
    assert await blocks(store, account_id) == [(0, 9), (2, 59)]
    assert await store.messages.columns(account_id, inbox, WANTED) == left
    assert await store.upkeep.verify(account_id, reads_messages=False, progress=lambda _done, _count: None) == []


async def test_few_of_many_and_copies_that_share_their_bytes(store: SqliteStore, account_id: AccountId) -> None:
    sent = messages(2 * BLOCK)
    inbox = await filled(store, account_id, sent)
    copied = await store.messages.copy(account_id, inbox, uids(*range(1, BLOCK + 10)), inbox)
    await index_all(store, account_id)
    assert len(await blocks(store, account_id)) == 3
    for pairs in (copied.pairs, copied.pairs[5:8], copied.pairs[::9]):
        rows = await store.messages.columns(account_id, inbox, WANTED, uids(*(new for _, new in pairs)))
        assert rows == [(new, *expected(sent[old - 1])) for old, new in pairs]
    assert MessageId(copied.pairs[0][1]) == 2 * BLOCK + 1
