"""Emails given to be sent: ports.email_submissions in SQL, over the queue that has their mail."""

import json
from collections.abc import Collection, Iterable, Sequence
from itertools import groupby

from mailstack.model.delivery import OutgoingMail
from mailstack.model.email_submission import (
    SUBMISSIONS_KEPT_MS,
    Arrival,
    EmailSubmission,
    SubmissionHead,
    SubmissionList,
    SubmittedRecipient,
    UndoStatus,
)
from mailstack.model.errors import NotFound, TooMany
from mailstack.model.ids import AccountId, MessageId, QueueItemId, SubmissionId, ThreadId
from mailstack.model.instant import Instant
from mailstack.model.object_journal import ObjectKind
from mailstack.store.sql.database import Connection, Database, Row, Transaction
from mailstack.store.sql.object_journal import STATE, note, require_number
from mailstack.store.sql.queue import SqlQueue

FORGOTTEN_AT_ONCE = 200

HEAD = "submission_id, identity_id, message_id, thread_id, send_at, undo_status"
HEADS = f"SELECT {HEAD} FROM submission WHERE account_id = ? ORDER BY send_at, submission_id"  # noqa: S608  a constant
WHOLE = f"""SELECT {HEAD}, envelope FROM submission
    WHERE account_id = ? AND submission_id IN (SELECT value FROM json_each(?) AS texts)
    ORDER BY send_at, submission_id"""  # noqa: S608  a constant
RECIPIENTS = """SELECT r.submission_id, r.path, r.target, r.arrival, r.reply
    FROM submission_recipient r JOIN submission s ON s.submission_id = r.submission_id
    WHERE s.account_id = ? AND s.submission_id IN (SELECT value FROM json_each(?) AS texts)
    ORDER BY r.submission_id, r.number"""
ADD = f"INSERT INTO submission ({HEAD}, envelope, account_id, ends_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608  a constant
ADD_RECIPIENT = """INSERT INTO submission_recipient (submission_id, number, path, target, arrival, reply)
    VALUES (?, ?, ?, ?, ?, ?)"""
COUNT = "SELECT COUNT(*) FROM submission WHERE account_id = ?"
OLDEST = """SELECT submission_id FROM submission WHERE account_id = ? AND undo_status <> 'pending'
    ORDER BY send_at, submission_id LIMIT ?"""
# The queue's rows first, as whoever leases them has it.
ITEMS = """SELECT r.item_id, r.mail_id FROM mail_recipient r JOIN mail m ON m.mail_id = r.mail_id
    WHERE m.submission_id = ? ORDER BY r.item_id /*+ FOR UPDATE OF r, m*/"""
IS_THERE = "SELECT 1 FROM submission WHERE account_id = ? AND submission_id = ?"
CANCEL = """UPDATE submission SET undo_status = 'canceled'
    WHERE account_id = ? AND submission_id = ? AND undo_status = 'pending'"""
DROP = """DELETE FROM submission WHERE account_id = ?
    AND submission_id IN (SELECT value FROM json_each(?) AS texts) RETURNING submission_id"""
DROP_RECIPIENTS = """DELETE FROM submission_recipient
    WHERE submission_id IN (SELECT value FROM json_each(?) AS texts)"""
ENDED = "SELECT account_id, submission_id FROM submission WHERE ends_at <= ? ORDER BY account_id LIMIT ?"
FORGET_RECIPIENTS = """DELETE FROM submission_recipient
    WHERE submission_id IN (SELECT submission_id FROM submission WHERE account_id = ?)"""
FORGET_SUBMISSIONS = "DELETE FROM submission WHERE account_id = ?"


class SqlEmailSubmissions:
    def __init__(self, system: Database, queue: SqlQueue) -> None:
        self._system = system
        self._queue = queue

    async def add(
        self,
        account_id: AccountId,
        submission: EmailSubmission,
        mails: Sequence[OutgoingMail],
        *,
        now: Instant,
        most: int,
        if_number: int | None = None,
    ) -> None:
        def beside(transaction: Transaction) -> None:
            require_number(transaction, account_id, ObjectKind.SUBMISSION, if_number)
            gone = _make_room(transaction, account_id, most)
            _add(transaction, account_id, submission)
            created = [submission.head.submission_id]
            note(transaction, account_id, ObjectKind.SUBMISSION, created=created, destroyed=gone, now=now)

        await self._queue.enqueue_beside(mails, next_at=submission.head.send_at, beside=beside)

    async def heads(self, account_id: AccountId) -> SubmissionList:
        def reading(connection: Connection) -> SubmissionList:
            with connection.snapshot():
                states, rows = connection.ask(
                    (STATE, (account_id, ObjectKind.SUBMISSION.value)), (HEADS, (account_id,))
                )
            return SubmissionList(number=states[0][0] if states else 0, heads=[*map(_head, rows)])

        return await self._system.read(reading)

    async def get(self, account_id: AccountId, submission_ids: Collection[SubmissionId]) -> Sequence[EmailSubmission]:
        wanted = _json(submission_ids)

        def reading(connection: Connection) -> list[EmailSubmission]:
            rows, recipients = connection.ask((WHOLE, (account_id, wanted)), (RECIPIENTS, (account_id, wanted)))
            of_each = {key: tuple(map(_recipient, found)) for key, found in groupby(recipients, lambda row: row[0])}
            return [
                EmailSubmission(head=_head(row[:-1]), envelope=row[-1], recipients=of_each.get(row[0], ()))
                for row in rows
            ]

        return await self._system.read(reading)

    async def cancel(
        self, account_id: AccountId, submission_id: SubmissionId, *, now: Instant, if_number: int | None = None
    ) -> bool:
        def work(transaction: Transaction) -> bool:
            items: dict[QueueItemId, int] = dict(transaction.rows(ITEMS, (submission_id,)))
            require_number(transaction, account_id, ObjectKind.SUBMISSION, if_number)
            if transaction.row(IS_THERE, (account_id, submission_id)) is None:
                raise NotFound(f"the account has no submission {submission_id}")
            if not transaction.run_counted(CANCEL, (account_id, submission_id)):
                return False
            self._queue.leave(transaction, items)
            note(transaction, account_id, ObjectKind.SUBMISSION, updated=[submission_id], now=now)
            return True

        return await self._system.write(work)

    async def destroy(
        self,
        account_id: AccountId,
        submission_ids: Collection[SubmissionId],
        *,
        now: Instant,
        if_number: int | None = None,
    ) -> Collection[SubmissionId]:
        def work(transaction: Transaction) -> Collection[SubmissionId]:
            require_number(transaction, account_id, ObjectKind.SUBMISSION, if_number)
            return _drop(transaction, account_id, submission_ids, now)

        return await self._system.write(work, is_long=len(submission_ids) > FORGOTTEN_AT_ONCE)

    async def forget(self, *, now: Instant) -> int:
        def work(transaction: Transaction) -> int:
            ended = transaction.rows(ENDED, (now, FORGOTTEN_AT_ONCE))
            for account_id, rows in groupby(ended, lambda row: row[0]):
                _drop(transaction, AccountId(account_id), [submission_id for _, submission_id in rows], now)
            return len(ended)

        forgotten = 0
        while True:
            some = await self._system.write(work, is_long=True)
            forgotten += some
            if some < FORGOTTEN_AT_ONCE:
                return forgotten


def forget_submissions(transaction: Transaction, account_id: str) -> None:
    transaction.run(FORGET_RECIPIENTS, (account_id,))
    transaction.run(FORGET_SUBMISSIONS, (account_id,))


def _make_room(transaction: Transaction, account_id: AccountId, most: int) -> list[str]:
    """For one more; gives those that went. Raises TooMany."""
    surplus = transaction.one(COUNT, (account_id,))[0] + 1 - most
    if surplus <= 0:
        return []
    gone = [submission_id for (submission_id,) in transaction.rows(OLDEST, (account_id, surplus))]
    if len(gone) < surplus:
        raise TooMany(f"account {account_id} has {most} submissions that wait")
    _drop_rows(transaction, account_id, gone)
    return gone


def _add(transaction: Transaction, account_id: AccountId, submission: EmailSubmission) -> None:
    head = submission.head
    facts = (head.submission_id, head.identity_id, head.message_id, head.thread_id, head.send_at, head.undo_status)
    transaction.run(ADD, (*facts, submission.envelope, account_id, head.send_at + SUBMISSIONS_KEPT_MS))
    transaction.run_many(
        ADD_RECIPIENT,
        [
            (head.submission_id, number, each.path, each.target, each.arrival, each.reply)
            for number, each in enumerate(submission.recipients)
        ],
    )


def _drop(
    transaction: Transaction, account_id: AccountId, submission_ids: Collection[str], now: Instant
) -> list[SubmissionId]:
    gone = _drop_rows(transaction, account_id, submission_ids)
    note(transaction, account_id, ObjectKind.SUBMISSION, destroyed=gone, now=now)
    return gone


def _drop_rows(transaction: Transaction, account_id: AccountId, submission_ids: Collection[str]) -> list[SubmissionId]:
    rows = transaction.rows(DROP, (account_id, _json(submission_ids)))
    gone = [SubmissionId(submission_id) for (submission_id,) in rows]
    transaction.run(DROP_RECIPIENTS, (_json(gone),))
    return gone


def _head(row: Row) -> SubmissionHead:
    submission_id, identity_id, message_id, thread_id, send_at, undo_status = row
    return SubmissionHead(
        submission_id=SubmissionId(submission_id),
        identity_id=identity_id,
        message_id=MessageId(message_id),
        thread_id=ThreadId(thread_id),
        send_at=Instant(send_at),
        undo_status=UndoStatus(undo_status),
    )


def _recipient(row: Row) -> SubmittedRecipient:
    _, path, target, arrival, reply = row
    return SubmittedRecipient(path=path, target=target, arrival=Arrival(arrival), reply=reply)


def _json(texts: Iterable[str]) -> str:
    return json.dumps([*texts])
