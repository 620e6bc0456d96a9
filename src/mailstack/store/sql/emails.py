"""Messages by their ids: ports.emails in SQL. What happens inside the transactions is in placing, and how the log is
folded in folding."""

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from mailstack.model.changes import ChangedIds, LogPoint
from mailstack.model.email import EmailsUpdated, EmailUpdate, PlacedEmail
from mailstack.model.errors import Conflict
from mailstack.model.ids import AccountId, MailboxId, MessageId, ModSeq, ThreadId
from mailstack.model.instant import Clock
from mailstack.model.message import NewMessage
from mailstack.ports.bus import account_topic
from mailstack.store.sql import appending, placing
from mailstack.store.sql.blobs import Blobs
from mailstack.store.sql.change_log import ACCESS, CREATED, DESTROYED, NOWHERE
from mailstack.store.sql.changes import FLOOR, check_reach
from mailstack.store.sql.counters import next_mod_seq
from mailstack.store.sql.database import Connection, Databases, Reading, Result, Row, Transaction
from mailstack.store.sql.folding import (
    LogRow,
    Place,
    Window,
    fold_mailboxes,
    fold_messages,
    fold_threads,
    window_of,
)
from mailstack.store.sql.listing import PackedMessage
from mailstack.store.sql.storing import INLINE_WRITES, tidy, write_messages

INLINE_MESSAGES = 200
INLINE_ROWS = 200
MOST_ROWS = 100_000
"""Who has missed more of the log asks for everything anew, which costs less."""

LOG_ABOVE = """SELECT mod_seq, mailbox_id, uid, message_id, kind, was_deleted FROM change_log
    WHERE /*of*/ mod_seq > ? ORDER BY mod_seq, mailbox_id, uid LIMIT ?"""
# In two, for the index on threads leaves out the messages that began theirs.
OF_THREADS = """SELECT received_at, message_id, thread_id FROM message
    WHERE /*of*/ message_id IN (SELECT value FROM json_each(?) AS listed) AND thread_id = message_id
    UNION ALL SELECT received_at, message_id, thread_id FROM message
    WHERE /*of*/ thread_id IN (SELECT value FROM json_each(?) AS listed) AND thread_id <> message_id"""
THREADS = """SELECT message_id, thread_id FROM message
    WHERE /*of*/ message_id IN (SELECT value FROM json_each(?) AS listed)"""
MAILBOXES = "SELECT mailbox_id FROM mailbox /*whole*/"


class SqlEmails:
    def __init__(self, databases: Databases, *, blobs: Blobs, clock: Clock) -> None:
        self._databases = databases
        self._blobs = blobs
        self._clock = clock

    async def placed(
        self, account_id: AccountId, message_ids: Collection[MessageId], *, within: Collection[MailboxId] | None = None
    ) -> Mapping[MessageId, PlacedEmail]:
        def reading(connection: Connection) -> dict[MessageId, PlacedEmail]:
            emails = placing.read_placed(connection, message_ids, within)
            return {message_id: email for message_id, email in emails.items() if email.mailbox_ids}

        return await self._read(account_id, reading, len(message_ids))

    async def create(
        self,
        account_id: AccountId,
        mailbox_ids: Collection[MailboxId],
        message: NewMessage,
        *,
        quota_bytes: int | None = None,
        if_mod_seq: ModSeq | None = None,
    ) -> PlacedEmail:
        database = await self._databases.get(account_id)
        now = self._clock()

        def work(transaction: Transaction, packed: Sequence[PackedMessage]) -> PlacedEmail:
            placing.require_mod_seq(transaction, if_mod_seq)
            placing.require_mailboxes(transaction, mailbox_ids)
            first, *others = sorted(set(mailbox_ids))
            (made,) = appending.append(transaction, first, packed, now=now, quota_bytes=quota_bytes)
            email = placing.read_placed(transaction, [made.message_id], None)[made.message_id]
            put = [(email.message_id, email.keywords_text, email.size_bytes)]
            for other in others:
                placing.put(transaction, other, put, mod_seq=made.mod_seq, now=now)
            transaction.announce(account_topic(account_id))
            return placing.read_placed(transaction, [made.message_id], None)[made.message_id]

        return await write_messages(database, self._blobs, account_id, [message], work)

    async def update(
        self,
        account_id: AccountId,
        updates: Sequence[EmailUpdate],
        *,
        within: Collection[MailboxId] | None = None,
        if_mod_seq: ModSeq | None = None,
    ) -> EmailsUpdated:
        database = await self._databases.get(account_id)
        held = self._blobs.of_account(account_id)
        now = self._clock()

        def work(transaction: Transaction) -> EmailsUpdated:
            placing.require_mod_seq(transaction, if_mod_seq)
            result, files = placing.update(transaction, updates, within, now)
            tidy(transaction, held, files)
            if result.mod_seq is not None:
                transaction.announce(account_topic(account_id))
            return result

        return await database.write(work, is_long=len(updates) > INLINE_WRITES)

    async def destroy(
        self,
        account_id: AccountId,
        message_ids: Collection[MessageId],
        *,
        within: Collection[MailboxId] | None = None,
        if_mod_seq: ModSeq | None = None,
    ) -> Sequence[MessageId]:
        database = await self._databases.get(account_id)
        held = self._blobs.of_account(account_id)
        now = self._clock()

        def work(transaction: Transaction) -> list[MessageId]:
            placing.require_mod_seq(transaction, if_mod_seq)
            emails = placing.read_placed(transaction, message_ids, within).values()
            going = [(email, email.all_mailbox_ids) for email in emails if email.mailbox_ids]
            if going:
                mod_seq = next_mod_seq(transaction)
                tidy(transaction, held, placing.take_out(transaction, going, mod_seq=mod_seq, now=now))
                transaction.announce(account_topic(account_id))
            return sorted(email.message_id for email, _ in going)

        return await database.write(work, is_long=len(message_ids) > INLINE_WRITES)

    async def of_threads(
        self, account_id: AccountId, thread_ids: Collection[ThreadId], *, within: Collection[MailboxId] | None = None
    ) -> Mapping[ThreadId, Sequence[MessageId]]:
        def reading(connection: Connection) -> dict[ThreadId, list[MessageId]]:
            rows = _of_threads(connection, thread_ids)
            seen = placing.seen(connection, [row[1] for row in rows], within)
            found: defaultdict[ThreadId, list[MessageId]] = defaultdict(list)
            for _, message_id, thread_id in rows:
                if message_id in seen:
                    found[ThreadId(thread_id)].append(MessageId(message_id))
            return found

        return await self._read(account_id, reading, len(thread_ids))

    async def changed(
        self, account_id: AccountId, since: LogPoint, *, within: Collection[MailboxId] | None = None, limit: int
    ) -> ChangedIds[MessageId]:
        def folding(connection: Connection, log: _Log) -> ChangedIds[MessageId]:
            window = _window_of_messages(log, since, limit)
            return fold_messages(window, _now(connection, {row.message_id for row in window.inside}, within))

        return await self._fold(account_id, since, None if within is None else _Sight(within), folding)

    async def changed_threads(
        self, account_id: AccountId, since: LogPoint, *, within: Collection[MailboxId] | None = None, limit: int
    ) -> ChangedIds[ThreadId]:
        def folding(connection: Connection, log: _Log) -> ChangedIds[ThreadId]:
            window = _window_of_messages(log, since, limit)
            named = {row.message_id for row in (*window.inside, *window.later)}
            threads = {row.uid: row.message_id for row in log.rows if row.mailbox_id == NOWHERE}
            threads.update(connection.rows(THREADS, (json.dumps(sorted(named)),)))
            members = _of_threads(connection, named.union(threads.values()))
            threads.update((message_id, thread_id) for _, message_id, thread_id in members)
            return fold_threads(window, _now(connection, named.union(threads), within), threads)

        return await self._fold(account_id, since, None if within is None else _Sight(within), folding)

    async def changed_mailboxes(
        self,
        account_id: AccountId,
        since: LogPoint,
        *,
        within: Collection[MailboxId] | None = None,
        known: Collection[MailboxId] = (),
        limit: int,
    ) -> ChangedIds[MailboxId]:
        def folding(connection: Connection, log: _Log) -> ChangedIds[MailboxId]:
            rows = [row for row in log.rows if row.mailbox_id != NOWHERE]
            window = window_of(rows, since, log.highest, id_of=lambda row: row.mailbox_id, limit=limit)
            return fold_mailboxes(window, {row[0] for row in connection.rows(MAILBOXES)})

        sight = None if within is None else _Sight(within, {*within, *known}, blinding={ACCESS, DESTROYED, CREATED})
        return await self._fold(account_id, since, sight, folding)

    async def _read(self, account_id: AccountId, reading: Reading[Result], count: int) -> Result:
        database = await self._databases.get(account_id)
        return await (database.read(reading) if count <= INLINE_MESSAGES else database.read_long(reading))

    async def _fold(
        self,
        account_id: AccountId,
        since: LogPoint,
        sight: "_Sight | None",
        folding: Callable[[Connection, "_Log"], Result],
    ) -> Result:
        """sight: None for who sees all. Raises Conflict."""

        def reading(connection: Connection, limit: int) -> Result | None:
            with connection.snapshot():
                log = _read_log(connection, account_id, since, limit)
                return None if log is None else folding(connection, log if sight is None else sight.of(log))

        database = await self._databases.get(account_id)
        folded = await database.read(lambda connection: reading(connection, INLINE_ROWS))
        if folded is None:
            folded = await database.read_long(lambda connection: reading(connection, MOST_ROWS))
        if folded is None:
            raise Conflict(f"account {account_id} has more than {MOST_ROWS} changes since {since.mod_seq}")
        return folded


@dataclass(frozen=True, slots=True, kw_only=True)
class _Log:
    rows: Sequence[LogRow]
    highest: ModSeq


@dataclass(frozen=True, slots=True)
class _Sight:
    """What is seen by who may read some mailboxes. known: those of which they know what changes in themselves.
    blinding: kinds of rows of a mailbox itself, after which nobody knows what was seen before."""

    within: Collection[MailboxId]
    known: Collection[MailboxId] = ()
    blinding: Collection[int] = frozenset({ACCESS, DESTROYED})

    def of(self, log: _Log) -> _Log:
        """Raises Conflict."""
        for row in log.rows:
            if row.is_of_mailbox and row.kind in self.blinding:
                raise Conflict(f"what may be seen may be another since ModSeq {row.mod_seq}")
        of_mailbox, of_message = frozenset(self.known), frozenset({NOWHERE, *self.within})
        seen = [row for row in log.rows if row.mailbox_id in (of_mailbox if row.is_of_mailbox else of_message)]
        return replace(log, rows=seen)


def _read_log(connection: Connection, account_id: AccountId, since: LogPoint, limit: int) -> _Log | None:
    """None: it has more rows. Raises Conflict."""
    known = since.mod_seq if since.up_to is None else since.mod_seq - 1
    ((highest,),), reach, rows = connection.ask((placing.MOD_SEQ, ()), (FLOOR, ()), (LOG_ABOVE, (known, limit + 1)))
    check_reach(account_id, ModSeq(known), reach)
    if since.mod_seq > highest:
        raise Conflict(f"account {account_id} has not come to ModSeq {since.mod_seq} yet")
    return None if len(rows) > limit else _Log(rows=[LogRow(*row) for row in rows], highest=ModSeq(highest))


def _window_of_messages(log: _Log, since: LogPoint, limit: int) -> Window:
    rows = [row for row in log.rows if row.is_of_message]
    return window_of(rows, since, log.highest, id_of=lambda row: row.message_id, limit=limit)


def _now(
    connection: Connection, message_ids: Collection[int], within: Collection[MailboxId] | None
) -> dict[int, list[Place]]:
    """Where they are seen."""
    emails = placing.read_placed(connection, [MessageId(one) for one in message_ids], within)
    return {
        message_id: [(place.mailbox_id, place.uid) for place in email.places if not place.is_deleted]
        for message_id, email in emails.items()
    }


def _of_threads(connection: Connection, thread_ids: Collection[int]) -> list[Row]:
    """By when they were received."""
    listed = json.dumps(sorted(thread_ids))
    return sorted(connection.rows(OF_THREADS, (listed, listed)))
