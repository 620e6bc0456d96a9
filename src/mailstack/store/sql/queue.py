"""The outbound queue: ports.queue in SQL."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import orjson

from mailstack.model.bad_address import is_plain
from mailstack.model.delivery import (
    Deferred,
    OutgoingMail,
    Priority,
    QueueItem,
    QueueState,
    Settlement,
    SmtpReply,
)
from mailstack.model.errors import NotFound
from mailstack.model.handling import PLAIN, UNASKED, Handling, Notification, NotifyOn, Returned
from mailstack.model.ids import BlobId, MailId, QueueItemId, SubmissionId
from mailstack.model.instant import Clock, Instant
from mailstack.model.queue_entry import QueueEntry, QueueFigures
from mailstack.model.queue_share import URGENT_FIRST, Quota, Taking, lane_of
from mailstack.model.source import Source
from mailstack.model.tls_policy import LeastTls, TlsFailure, TlsUsed
from mailstack.ports.bus import QUEUE_TOPIC
from mailstack.store.sql import leasing
from mailstack.store.sql.blobs import INLINE_LIMIT_BYTES, Blob, HeldBlobs
from mailstack.store.sql.database import Connection, Database, Result, Row, Transaction, Value
from mailstack.store.sql.packing import discard, files_of, pack_each, write_packed
from mailstack.store.sql.queue_figures import figures
from mailstack.store.sql.submission_news import TAKEN_OUT, News, note_on_the_way, note_outcomes

INLINE_RECIPIENTS = 100
_STATES = {str(state): state for state in QueueState}
_PRIORITIES = {int(priority): priority for priority in Priority}

COLUMNS = """r.item_id, r.mail_id, m.reverse_path, r.recipient, r.state, m.size_bytes, m.queued_at, r.next_at, r.tries,
    r.last_code, r.last_status, r.last_text, r.last_host, m.is_8bit, m.smtp_utf8, m.trace_id,
    m.is_binary, m.requires_tls, m.returned, m.envelope_id, r.notify_on, r.original_recipient, m.is_suspicious,
    r.priority, r.last_tls_policy, r.last_tls_least, r.last_tls_version, r.last_tls_cipher, r.last_tls_failure,
    r.last_source, r.last_ehlo, r.is_delay_told, r.waits_for,
    m.submission_id, EXISTS (SELECT 1 FROM bad_address b WHERE b.address = LOWER(r.recipient))
    FROM mail_recipient r JOIN mail m ON m.mail_id = r.mail_id"""
ADD_MAIL = """INSERT INTO mail
    (reverse_path, is_8bit, smtp_utf8, trace_id, queued_at, size_bytes, is_binary, requires_tls, returned, envelope_id,
    is_suspicious, submission_id, blob_id, content, file)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING mail_id"""
ADD_RECIPIENT = """INSERT INTO mail_recipient
    (mail_id, recipient, state, next_at, due_at, priority, lane, notify_on, original_recipient)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"""
BY_ID = f"SELECT {COLUMNS} WHERE r.item_id IN (SELECT value FROM json_each(?) AS listed)"  # noqa: S608
LEASE = """UPDATE mail_recipient SET lease_owner = ?, due_at = ?
    WHERE item_id IN (SELECT value FROM json_each(?) AS listed)"""
RENEW = """UPDATE mail_recipient SET due_at = ? WHERE lease_owner = ?
    AND item_id IN (SELECT value FROM json_each(?) AS listed) RETURNING item_id"""
CONTENT = "SELECT blob_id, size_bytes, content, file FROM mail WHERE mail_id = ?"
# The mail too: of its last two recipients, who are settled at once, the one must see that the other left.
OWNED = """SELECT r.item_id, r.mail_id, m.submission_id, r.recipient
    FROM mail_recipient r JOIN mail m ON m.mail_id = r.mail_id
    WHERE r.item_id IN (SELECT value FROM json_each(?) AS listed) AND r.lease_owner = ?
    ORDER BY r.item_id /*+ FOR UPDATE OF r, m*/"""
DEFER = """UPDATE mail_recipient SET state = ?, next_at = ?, due_at = ?, lease_owner = NULL, tries = tries + 1,
    last_code = ?, last_status = ?, last_text = ?, last_host = ?,
    last_tls_policy = ?, last_tls_least = ?, last_tls_version = ?, last_tls_cipher = ?, last_tls_failure = ?,
    last_source = ?, last_ehlo = ?, relay = ?, is_delay_told = is_delay_told | ?, waits_for = '' WHERE item_id = ?"""
POSTPONE = """UPDATE mail_recipient SET due_at = ?, lease_owner = NULL, last_code = ?, last_status = ?, last_text = ?,
    last_host = ?, relay = ?, is_delay_told = is_delay_told | ?, waits_for = ? WHERE item_id = ?"""
LEAVE_MAIL = """DELETE FROM mail WHERE mail_id = ?
    AND NOT EXISTS (SELECT 1 FROM mail_recipient WHERE mail_recipient.mail_id = mail.mail_id) RETURNING file"""
ITEMS = f"SELECT {COLUMNS} ORDER BY r.item_id LIMIT ?"
ITEMS_IN_STATE = f"SELECT {COLUMNS} WHERE r.state = ? ORDER BY r.item_id LIMIT ?"
PAGE = f"SELECT r.due_at, r.lease_owner, {COLUMNS} WHERE r.item_id > ? ORDER BY r.item_id LIMIT ?"
PUT = """UPDATE mail_recipient SET state = ?, due_at = ?, lease_owner = NULL
    WHERE item_id IN (SELECT value FROM json_each(?) AS listed) AND state = ?
    AND (lease_owner IS NULL OR due_at <= ?)
    AND mail_id IN (SELECT m.mail_id FROM mail m WHERE m.mail_id = mail_recipient.mail_id AND m.queued_at <= ?)
    RETURNING item_id"""
PUT_OFF_BY_OTHERS = """SELECT item_id FROM mail_recipient WHERE relay <> '' AND state = 'waiting'
    AND relay NOT IN (SELECT value FROM json_each(?) AS texts) AND due_at > ? AND lease_owner IS NULL"""
RETRY_OTHERS = f"UPDATE mail_recipient SET due_at = ? WHERE item_id IN ({PUT_OFF_BY_OTHERS})"  # noqa: S608
FREE = f"""SELECT {COLUMNS} JOIN json_each(?) AS wanted ON wanted.value = r.item_id
    WHERE r.lease_owner IS NULL OR r.due_at <= ? ORDER BY r.item_id /*+ FOR UPDATE OF r, m*/"""
LEAVE = "DELETE FROM mail_recipient WHERE item_id IN (SELECT value FROM json_each(?) AS listed)"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Packed:
    mail: OutgoingMail
    blob: Blob


class SqlQueue:
    def __init__(self, system: Database, *, blobs: HeldBlobs, clock: Clock) -> None:
        self._system = system
        self._blobs = blobs
        self._clock = clock

    async def enqueue(
        self, mails: Sequence[OutgoingMail], *, next_at: Instant, state: QueueState = QueueState.WAITING
    ) -> Sequence[MailId]:
        return await self._enqueue(mails, next_at, state, _nothing)

    async def enqueue_beside(
        self, mails: Sequence[OutgoingMail], *, next_at: Instant, beside: Callable[[Transaction], None]
    ) -> None:
        """beside: what is written in the same transaction, before them."""
        await self._enqueue(mails, next_at, QueueState.WAITING, beside)

    async def _enqueue(
        self,
        mails: Sequence[OutgoingMail],
        next_at: Instant,
        state: QueueState,
        beside: Callable[[Transaction], None],
    ) -> Sequence[MailId]:
        def work(transaction: Transaction, packed: Sequence[_Packed]) -> list[MailId]:
            beside(transaction)
            transaction.announce(QUEUE_TOPIC)
            return _add(transaction, [(each, next_at) for each in packed], state)

        return await self._write_packed(mails, work)

    async def lease(self, owner: str, *, now: Instant, until: Instant, quota: Quota) -> Sequence[QueueItem]:
        # Workers ask often and mostly in vain: that costs a read and no transaction.
        found = await self._system.rows(leasing.ANY_DUE, (now, INLINE_RECIPIENTS + 1))
        if not found:
            return ()

        def work(transaction: Transaction) -> list[QueueItem]:
            chosen = leasing.choose(transaction, now, Taking(quota))
            rows = {row[0]: row for row in transaction.rows(BY_ID, (_json(chosen),))} if chosen else {}
            if rows:
                transaction.run(LEASE, (owner, until, _json(rows)))
            return _on_the_way(transaction, [rows[item_id] for item_id in chosen], now)

        return await self._system.write(work, is_long=min(len(found), quota.limit) > INLINE_RECIPIENTS)

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

    async def settle(self, owner: str, settlements: Sequence[Settlement]) -> Collection[QueueItemId]:
        notices = [(each.item_id, notice) for each in settlements for notice in each.notices]

        def work(transaction: Transaction, packed: Sequence[_Packed]) -> Collection[QueueItemId]:
            rows = transaction.rows(OWNED, (_json(each.item_id for each in settlements), owner))
            owned = {QueueItemId(row[0]): row for row in rows}
            gone: dict[QueueItemId, int] = {item_id: row[1] for item_id, row in owned.items()}
            for each in settlements:
                if each.item_id in owned and isinstance(each.outcome, Deferred):
                    _defer(transaction, each, each.outcome)
                    del gone[each.item_id]
            self.leave(transaction, gone)
            note_outcomes(transaction, _news(settlements, owned), self._clock())
            told, unused = _parted(packed, [item_id in owned for item_id, _ in notices])
            _add(transaction, [(one, one.mail.queued_at) for one in told], QueueState.WAITING)
            if told or len(gone) < len(owned):  # what has only left wakes nobody
                transaction.announce(QUEUE_TOPIC)
            if files_of(unused):
                transaction.after_commit(partial(discard, self._blobs, files_of(unused)))
            return frozenset(owned)

        return await self._write_packed([notice for _, notice in notices], work, count=len(settlements))

    async def next_due(self) -> Instant | None:
        (found,) = await self._system.one(leasing.NEXT_DUE, (_json(URGENT_FIRST),))
        return None if found is None else Instant(found)

    async def figures(self, *, now: Instant, domains: int) -> QueueFigures:
        return await self._system.read_long(lambda connection: figures(connection, now, domains))

    async def items(self, *, states: Sequence[QueueState] = (), limit: int = 1_000) -> Sequence[QueueItem]:
        return await self._system.read_long(lambda connection: _items(connection, states, limit))

    async def page(self, *, after: QueueItemId, now: Instant, limit: int) -> Sequence[QueueEntry]:
        rows = await self._system.read_long(lambda connection: connection.rows(PAGE, (after, limit)))
        return [
            QueueEntry(item=_item(row[2:]), due_at=Instant(row[0]), is_leased=row[1] is not None and row[0] > now)
            for row in rows
        ]

    async def put(
        self, item_ids: Sequence[QueueItemId], *, was: QueueState, state: QueueState, now: Instant
    ) -> Collection[QueueItemId]:
        def work(transaction: Transaction) -> list[QueueItemId]:
            transaction.announce(QUEUE_TOPIC)
            changed = transaction.rows(PUT, (state, now, _json(item_ids), was, now, now))
            return [QueueItemId(number) for (number,) in changed]

        return await self._system.write(work, is_long=len(item_ids) > INLINE_RECIPIENTS)

    async def retry_others(self, relays: Collection[str], *, now: Instant) -> int:
        marks = orjson.dumps(sorted(relays)).decode()
        # Each worker asks, at each start too, and mostly in vain: that costs a read and no transaction.
        if not await self._system.rows(f"{PUT_OFF_BY_OTHERS} LIMIT 1", (marks, now)):
            return 0

        def work(transaction: Transaction) -> int:
            transaction.announce(QUEUE_TOPIC)
            return transaction.run_counted(RETRY_OTHERS, (now, marks, now))

        return await self._system.write(work, is_long=True)

    async def take(
        self, owner: str, item_ids: Sequence[QueueItemId], *, now: Instant, until: Instant
    ) -> Sequence[QueueItem]:
        def work(transaction: Transaction) -> list[QueueItem]:
            rows = transaction.rows(FREE, (_json(item_ids), now))
            transaction.run(LEASE, (owner, until, _json(row[0] for row in rows)))
            return _on_the_way(transaction, rows, now)

        return await self._system.write(work, is_long=len(item_ids) > INLINE_RECIPIENTS)

    async def drop(self, item_ids: Sequence[QueueItemId], *, now: Instant) -> Sequence[QueueItem]:
        def work(transaction: Transaction) -> list[QueueItem]:
            rows = transaction.rows(FREE, (_json(item_ids), now))
            self.leave(transaction, {row[0]: row[1] for row in rows})
            transaction.announce(QUEUE_TOPIC)
            dropped = _on_the_way(transaction, rows, now)
            news = [News(item.submission_id, item.recipient, TAKEN_OUT) for item in dropped if item.submission_id]
            note_outcomes(transaction, news, now)
            return dropped

        return await self._system.write(work, is_long=len(item_ids) > INLINE_RECIPIENTS)

    async def _write_packed(
        self, mails: Sequence[OutgoingMail], work: Callable[[Transaction, Sequence[_Packed]], Result], *, count: int = 0
    ) -> Result:
        """count: of recipients that are written beside those of the mails."""
        return await write_packed(
            self._system,
            self._blobs,
            lambda: pack_each(self._blobs, mails, self._pack),
            work,
            is_large=sum(len(mail.raw) for mail in mails) > INLINE_LIMIT_BYTES,
            is_long=count + sum(len(mail.recipients) for mail in mails) > INLINE_RECIPIENTS,
        )

    def _pack(self, mail: OutgoingMail) -> _Packed:
        return _Packed(mail=mail, blob=self._blobs.pack(mail.raw))

    def leave(self, transaction: Transaction, mail_ids: Mapping[QueueItemId, int]) -> None:
        """By recipient: each mail leaves with the last of its own."""
        if not mail_ids:
            return
        transaction.run(LEAVE, (_json(mail_ids),))
        gone = transaction.ask(*((LEAVE_MAIL, (mail_id,)) for mail_id in dict.fromkeys(mail_ids.values())))
        for (file,) in (row for rows in gone for row in rows):
            if file is not None:
                transaction.after_commit(partial(self._blobs.discard, file))


def _nothing(_transaction: Transaction) -> None: ...


def _on_the_way(transaction: Transaction, rows: Sequence[Row], now: Instant) -> list[QueueItem]:
    items = [_item(row) for row in rows]
    note_on_the_way(transaction, {item.submission_id for item in items if item.submission_id is not None}, now)
    return items


def _news(settlements: Sequence[Settlement], owned: Mapping[QueueItemId, Row]) -> list[News]:
    found: list[News] = []
    for each in settlements:
        _, _, submission_id, recipient = owned.get(each.item_id, (0, 0, None, ""))
        # What was held back was not tried.
        if submission_id is not None and not (isinstance(each.outcome, Deferred) and each.outcome.until is not None):
            found.append(News(SubmissionId(submission_id), recipient, each.outcome))
    return found


def _add(transaction: Transaction, packed: Sequence[tuple[_Packed, Instant]], state: QueueState) -> list[MailId]:
    """Each with when it is due; in one round trip, where there are any."""
    found = transaction.ask(*((ADD_MAIL, _mail_row(each)) for each, _ in packed)) if packed else []
    mail_ids = [mail_id for ((mail_id,),) in found]
    for (each, next_at), mail_id in zip(packed, mail_ids, strict=True):
        transaction.run_many(ADD_RECIPIENT, _recipient_rows(each.mail, mail_id, next_at, state))
    return mail_ids


def _mail_row(packed: _Packed) -> tuple[Value, ...]:
    mail, blob = packed.mail, packed.blob
    envelope = (mail.reverse_path, mail.is_8bit, mail.smtp_utf8, mail.trace_id, mail.queued_at, len(mail.raw))
    handling = (
        mail.handling.is_binary,
        mail.handling.requires_tls,
        mail.handling.returned or "",
        mail.handling.envelope_id,
    )
    kept = (bytes.fromhex(blob.blob_id), blob.content, blob.file)
    return (*envelope, *handling, mail.is_suspicious, mail.submission_id, *kept)


def _recipient_rows(
    mail: OutgoingMail, mail_id: MailId, next_at: Instant, state: QueueState
) -> list[tuple[Value, ...]]:
    return [
        (
            *(mail_id, recipient, state, next_at, next_at, mail.priority, lane_of(mail.priority, recipient)),
            *_wished(mail.notifications.get(recipient, UNASKED)),
        )
        for recipient in mail.recipients
    ]


def _parted(packed: Sequence[_Packed], are_told: Sequence[bool]) -> tuple[list[_Packed], list[_Packed]]:
    both = list(zip(packed, are_told, strict=True))
    return [one for one, is_told in both if is_told], [one for one, is_told in both if not is_told]


def _defer(transaction: Transaction, settled: Settlement, outcome: Deferred) -> None:
    state = QueueState.HELD if settled.next_at is None else QueueState.WAITING
    at = 0 if settled.next_at is None else settled.next_at
    reply = outcome.reply
    said = (reply.code, reply.status, reply.text, outcome.host)
    if outcome.until is not None:
        transaction.run(POSTPONE, (at, *said, outcome.relay, settled.is_delay_told, outcome.waits_for, settled.item_id))
        return
    source = outcome.source or Source("", "")
    used = (*_tls_columns(outcome.tls), source.address, source.name)
    transaction.run(DEFER, (state, at, at, *said, *used, outcome.relay, settled.is_delay_told, settled.item_id))


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
     is_binary, requires_tls, returned, envelope_id, notify_on, original_recipient, is_suspicious,
     priority, policy, least, version, cipher, failure, source, ehlo,
     is_delay_told, waits_for, submission_id, is_known_bad) = row  # fmt: skip
    return QueueItem(
        item_id=QueueItemId(item_id),
        mail_id=MailId(mail_id),
        reverse_path=reverse_path,
        recipient=recipient,
        state=_STATES[state],
        size_bytes=size_bytes,
        queued_at=Instant(queued_at),
        next_at=Instant(next_at),
        tries=tries,
        last_reply=None if code is None else SmtpReply(code=code, status=status, text=text),
        last_host=host,
        is_8bit=bool(is_8bit),
        smtp_utf8=bool(smtp_utf8),
        trace_id=trace_id,
        handling=_handling(is_binary, requires_tls, returned, envelope_id),
        notification=_notification(notify_on, original_recipient),
        is_suspicious=bool(is_suspicious),
        last_tls=_tls(policy, least, version, cipher, failure),
        last_source=Source(source, ehlo) if source else None,
        priority=_PRIORITIES[priority],
        is_delay_told=bool(is_delay_told),
        waits_for=waits_for,
        submission_id=None if submission_id is None else SubmissionId(submission_id),
        # Of a path that has to be read to be compared, the database cannot tell.
        is_doubtful=bool(is_known_bad) or not is_plain(recipient),
    )


def _tls_columns(tls: TlsUsed | None) -> tuple[str, ...]:
    if tls is None:
        return ("", "", "", "", "")
    return (tls.policy, tls.least.value, tls.version, tls.cipher, tls.failure or "")


def _tls(policy: str, least: str, version: str, cipher: str, failure: str) -> TlsUsed | None:
    if not policy:
        return None
    return TlsUsed(
        policy=policy,
        least=LeastTls(least),
        version=version,
        cipher=cipher,
        failure=TlsFailure(failure) if failure else None,
    )


def _wished(notification: Notification) -> tuple[str | None, str]:
    """notify_on: NULL where nothing was said, "" for never."""
    events = notification.notify_on
    return (None if events is None else ",".join(sorted(events)), notification.original_recipient)


def _handling(is_binary: bool, requires_tls: bool, returned: str | None, envelope_id: str) -> Handling:
    # Nearly all mail: making one for each takes a fifth of what reading the queue takes.
    if not (is_binary or requires_tls or returned or envelope_id):
        return PLAIN
    return Handling(
        is_binary=bool(is_binary),
        requires_tls=bool(requires_tls),
        returned=Returned(returned) if returned else None,
        envelope_id=envelope_id,
    )


def _notification(notify_on: str | None, original_recipient: str) -> Notification:
    if notify_on is None and not original_recipient:
        return UNASKED
    return Notification(notify_on=_events(notify_on), original_recipient=original_recipient)


def _events(text: str | None) -> frozenset[NotifyOn] | None:
    return None if text is None else frozenset(NotifyOn(word) for word in text.split(",") if word)
