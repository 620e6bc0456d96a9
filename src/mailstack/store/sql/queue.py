"""The outbound queue: ports.queue in SQL."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import orjson

from mailstack.model.delivery import Deferred, Outcome, OutgoingMail, QueueItem, QueueState, SmtpReply
from mailstack.model.errors import NotFound
from mailstack.model.handling import UNASKED, Handling, Notification, NotifyOn, Returned
from mailstack.model.ids import BlobId, MailId, QueueItemId
from mailstack.model.instant import Instant
from mailstack.ports.bus import QUEUE_TOPIC
from mailstack.store.sql.blobs import INLINE_LIMIT_BYTES, Blob, HeldBlobs
from mailstack.store.sql.database import Connection, Database, Result, Row, Transaction
from mailstack.store.sql.packing import discard, files_of, pack_each, write_packed

INLINE_RECIPIENTS = 100

COLUMNS = """r.item_id, r.mail_id, m.reverse_path, r.recipient, r.state, m.size_bytes, m.queued_at, r.next_at, r.tries,
    r.last_code, r.last_status, r.last_text, r.last_host, m.is_8bit, m.smtp_utf8, m.trace_id,
    m.is_binary, m.requires_tls, m.returned, m.envelope_id, r.notify_on, r.original_recipient
    FROM mail_recipient r JOIN mail m ON m.mail_id = r.mail_id"""
ADD_MAIL = """INSERT INTO mail
    (reverse_path, is_8bit, smtp_utf8, trace_id, queued_at, size_bytes, is_binary, requires_tls, returned, envelope_id,
    blob_id, content, file) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING mail_id"""
ADD_RECIPIENT = """INSERT INTO mail_recipient
    (mail_id, recipient, state, next_at, due_at, notify_on, original_recipient) VALUES (?, ?, ?, ?, ?, ?, ?)"""
ANY_DUE = "SELECT 1 FROM mail_recipient WHERE state = 'waiting' AND due_at <= ? LIMIT 1"
# What another node is leasing just now is passed over, not waited for.
DUE = """SELECT mail_id FROM mail_recipient
    WHERE state = 'waiting' AND due_at <= ? ORDER BY due_at, item_id LIMIT ? /*+ FOR UPDATE SKIP LOCKED*/"""
DUE_OF_MAIL = f"""SELECT {COLUMNS} WHERE r.mail_id = ? AND r.state = 'waiting' AND r.due_at <= ?
    ORDER BY r.item_id LIMIT ? /*+ FOR UPDATE OF r SKIP LOCKED*/"""
DUE_OF_MAILS = f"""SELECT {COLUMNS} JOIN json_each(?) AS wanted ON wanted.value = r.mail_id
    WHERE r.state = 'waiting' AND r.due_at <= ?
    ORDER BY wanted.key, r.item_id LIMIT ? /*+ FOR UPDATE OF r SKIP LOCKED*/"""
LEASE = """UPDATE mail_recipient SET lease_owner = ?, due_at = ?
    WHERE item_id IN (SELECT value FROM json_each(?) AS listed)"""
RENEW = """UPDATE mail_recipient SET due_at = ? WHERE lease_owner = ?
    AND item_id IN (SELECT value FROM json_each(?) AS listed) RETURNING item_id"""
CONTENT = "SELECT blob_id, size_bytes, content, file FROM mail WHERE mail_id = ?"
# The mail too: of its last two recipients, who are settled at once, the one must see that the other left.
OWNED = """SELECT r.mail_id FROM mail_recipient r JOIN mail m ON m.mail_id = r.mail_id
    WHERE r.item_id = ? AND r.lease_owner = ? /*+ FOR UPDATE*/"""
DEFER = """UPDATE mail_recipient SET state = ?, next_at = ?, due_at = ?, lease_owner = NULL, tries = tries + 1,
    last_code = ?, last_status = ?, last_text = ?, last_host = ? WHERE item_id = ?"""
LEAVE = "DELETE FROM mail_recipient WHERE item_id = ?"
LEAVE_MAIL = """DELETE FROM mail WHERE mail_id = ?
    AND NOT EXISTS (SELECT 1 FROM mail_recipient WHERE mail_recipient.mail_id = mail.mail_id) RETURNING file"""
NEXT_DUE = "SELECT due_at FROM mail_recipient WHERE state = 'waiting' ORDER BY due_at LIMIT 1"
COUNTS = "SELECT state, COUNT(*) FROM mail_recipient GROUP BY state"
ITEMS = f"SELECT {COLUMNS} ORDER BY r.item_id LIMIT ?"
ITEMS_IN_STATE = f"SELECT {COLUMNS} WHERE r.state = ? ORDER BY r.item_id LIMIT ?"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Packed:
    mail: OutgoingMail
    blob: Blob


class SqlQueue:
    def __init__(self, system: Database, *, blobs: HeldBlobs) -> None:
        self._system = system
        self._blobs = blobs

    async def enqueue(
        self, mails: Sequence[OutgoingMail], *, next_at: Instant, state: QueueState = QueueState.WAITING
    ) -> Sequence[MailId]:
        def work(transaction: Transaction, packed: Sequence[_Packed]) -> list[MailId]:
            transaction.announce(QUEUE_TOPIC)
            return [_add(transaction, each, next_at, state) for each in packed]

        return await self._write_packed(mails, work)

    async def lease(self, owner: str, *, now: Instant, until: Instant, limit: int) -> Sequence[QueueItem]:
        # Workers ask often and mostly in vain: that costs a read and no transaction.
        if await self._system.row(ANY_DUE, (now,)) is None:
            return ()

        def work(transaction: Transaction) -> list[QueueItem]:
            rows = _due(transaction, now, limit)
            if rows:
                transaction.run(LEASE, (owner, until, _json(row[0] for row in rows)))
            return [_item(row) for row in rows]

        return await self._system.write(work, is_long=limit > INLINE_RECIPIENTS)

    async def renew(self, owner: str, item_ids: Sequence[QueueItemId], *, until: Instant) -> Collection[QueueItemId]:
        def work(transaction: Transaction) -> list[QueueItemId]:
            return [QueueItemId(number) for (number,) in transaction.rows(RENEW, (until, owner, _json(item_ids)))]

        return await self._system.write(work, is_long=len(item_ids) > INLINE_RECIPIENTS)

    async def content(self, mail_id: MailId) -> bytes:
        row = await self._system.row(CONTENT, (mail_id,))
        if row is None:
            raise NotFound(f"there is no mail {mail_id} in the queue")
        blob_id, size_bytes, content, file = row
        blob = Blob(blob_id=BlobId(blob_id.hex()), size_bytes=size_bytes, content=content, file=file)
        unpack = partial(self._blobs.unpack, blob, what=f"mail {mail_id} of the queue")
        if size_bytes <= INLINE_LIMIT_BYTES:
            return unpack()
        return await self._system.in_thread(unpack)

    async def settle(
        self,
        owner: str,
        item_id: QueueItemId,
        outcome: Outcome,
        *,
        next_at: Instant | None,
        notices: Sequence[OutgoingMail] = (),
    ) -> bool:
        """A deferred item without next_at waits for a person."""

        def work(transaction: Transaction, packed: Sequence[_Packed]) -> bool:
            owned = transaction.row(OWNED, (item_id, owner))
            if owned is None:
                if files_of(packed):
                    transaction.after_commit(partial(discard, self._blobs, files_of(packed)))
                return False
            if isinstance(outcome, Deferred):
                _defer(transaction, item_id, outcome.reply, outcome.host, next_at)
            else:
                self._leave(transaction, item_id, owned[0])
            for each in packed:
                _add(transaction, each, each.mail.queued_at, QueueState.WAITING)
            transaction.announce(QUEUE_TOPIC)
            return True

        return await self._write_packed(notices, work)

    async def next_due(self) -> Instant | None:
        row = await self._system.row(NEXT_DUE)
        return None if row is None else Instant(row[0])

    async def counts(self) -> Mapping[QueueState, int]:
        rows = await self._system.read_long(lambda connection: connection.rows(COUNTS))
        return {QueueState(state): count for state, count in rows}

    async def items(self, *, states: Sequence[QueueState] = (), limit: int = 1_000) -> Sequence[QueueItem]:
        return await self._system.read_long(lambda connection: _items(connection, states, limit))

    async def _write_packed(
        self, mails: Sequence[OutgoingMail], work: Callable[[Transaction, Sequence[_Packed]], Result]
    ) -> Result:
        return await write_packed(
            self._system,
            self._blobs,
            lambda: pack_each(self._blobs, mails, self._pack),
            work,
            is_large=sum(len(mail.raw) for mail in mails) > INLINE_LIMIT_BYTES,
            is_long=sum(len(mail.recipients) for mail in mails) > INLINE_RECIPIENTS,
        )

    def _pack(self, mail: OutgoingMail) -> _Packed:
        return _Packed(mail=mail, blob=self._blobs.pack(mail.raw))

    def _leave(self, transaction: Transaction, item_id: QueueItemId, mail_id: int) -> None:
        transaction.run(LEAVE, (item_id,))
        gone = transaction.row(LEAVE_MAIL, (mail_id,))
        if gone is not None and gone[0] is not None:
            transaction.after_commit(partial(self._blobs.discard, gone[0]))


def _add(transaction: Transaction, packed: _Packed, next_at: Instant, state: QueueState) -> MailId:
    mail, blob = packed.mail, packed.blob
    envelope = (mail.reverse_path, mail.is_8bit, mail.smtp_utf8, mail.trace_id, mail.queued_at, len(mail.raw))
    handling = (
        mail.handling.is_binary,
        mail.handling.requires_tls,
        mail.handling.returned or "",
        mail.handling.envelope_id,
    )
    (mail_id,) = transaction.one(ADD_MAIL, (*envelope, *handling, bytes.fromhex(blob.blob_id), blob.content, blob.file))
    transaction.run_many(
        ADD_RECIPIENT,
        [
            (mail_id, recipient, state, next_at, next_at, *_wished(mail.notifications.get(recipient, UNASKED)))
            for recipient in mail.recipients
        ],
    )
    return MailId(mail_id)


def _due(transaction: Transaction, now: Instant, limit: int) -> list[Row]:
    """Whole mails while they fit; the first is cut when it alone is over the limit."""
    wanted = dict.fromkeys(mail_id for (mail_id,) in transaction.rows(DUE, (now, limit)))
    if not wanted:
        return []
    if len(wanted) == 1:  # without sorting: it may have a hundred thousand recipients
        return transaction.rows(DUE_OF_MAIL, (*wanted, now, limit))
    rows = transaction.rows(DUE_OF_MAILS, (_json(wanted), now, limit + 1))
    if len(rows) <= limit:
        return rows
    last = rows[-1][1]
    return [row for row in rows if row[1] != last] or rows[:limit]


def _defer(
    transaction: Transaction, item_id: QueueItemId, reply: SmtpReply, host: str, next_at: Instant | None
) -> None:
    state = QueueState.HELD if next_at is None else QueueState.WAITING
    at = 0 if next_at is None else next_at
    transaction.run(DEFER, (state, at, at, reply.code, reply.status, reply.text, host, item_id))


def _items(connection: Connection, states: Sequence[QueueState], limit: int) -> list[QueueItem]:
    if not states:
        return [_item(row) for row in connection.rows(ITEMS, (limit,))]
    rows = [row for state in set(states) for row in connection.rows(ITEMS_IN_STATE, (state, limit))]
    return [_item(row) for row in sorted(rows)[:limit]]


def _json(numbers: Iterable[int]) -> str:
    return orjson.dumps(list(numbers)).decode()


def _item(row: Row) -> QueueItem:
    (item_id, mail_id, reverse_path, recipient, state, size_bytes, queued_at, next_at, tries,
     code, status, text, host, is_8bit, smtp_utf8, trace_id,
     is_binary, requires_tls, returned, envelope_id, notify_on, original_recipient) = row  # fmt: skip
    return QueueItem(
        item_id=QueueItemId(item_id),
        mail_id=MailId(mail_id),
        reverse_path=reverse_path,
        recipient=recipient,
        state=QueueState(state),
        size_bytes=size_bytes,
        queued_at=Instant(queued_at),
        next_at=Instant(next_at),
        tries=tries,
        last_reply=None if code is None else SmtpReply(code=code, status=status, text=text),
        last_host=host,
        is_8bit=bool(is_8bit),
        smtp_utf8=bool(smtp_utf8),
        trace_id=trace_id,
        handling=Handling(
            is_binary=bool(is_binary),
            requires_tls=bool(requires_tls),
            returned=Returned(returned) if returned else None,
            envelope_id=envelope_id,
        ),
        notification=Notification(notify_on=_events(notify_on), original_recipient=original_recipient),
    )


def _wished(notification: Notification) -> tuple[str | None, str]:
    """notify_on: NULL where nothing was said, "" for never."""
    events = notification.notify_on
    return (None if events is None else ",".join(sorted(events)), notification.original_recipient)


def _events(text: str | None) -> frozenset[NotifyOn] | None:
    return None if text is None else frozenset(NotifyOn(word) for word in text.split(",") if word)
