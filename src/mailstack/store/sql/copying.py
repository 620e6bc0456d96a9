"""Copying and moving placements between mailboxes of one account, inside one transaction."""

import json
from collections.abc import Sequence

from mailstack.model.errors import NotFound, QuotaExceeded
from mailstack.model.flags import SEEN
from mailstack.model.ids import MailboxId, ModSeq, Uid
from mailstack.model.instant import Instant
from mailstack.model.message import Copied
from mailstack.model.numset import NumSet
from mailstack.store.sql.appending import INSERT_PLACEMENT, TAKE_UIDS, note_keywords
from mailstack.store.sql.change_log import CREATED, LOG
from mailstack.store.sql.counters import MAILBOX_EXISTS, next_mod_seq
from mailstack.store.sql.database import Row, Transaction
from mailstack.store.sql.listing import MESSAGE_COLUMNS
from mailstack.store.sql.ranges import rows_in_ranges
from mailstack.store.sql.removal import PLACEMENTS_IN_RANGE, remove_placements

# By the messages, which are few: the sum keeps an engine without statistics from reading the whole mailbox instead.
LIE_THERE = """SELECT message_id FROM placement
    WHERE /*of*/ mailbox_id + 0 = ? AND message_id IN (SELECT value FROM json_each(?) AS listed)"""
TAKE_MESSAGE_IDS = """UPDATE counter SET last_message_id = last_message_id + ?, used_bytes = used_bytes + ?
    /*whole*/ RETURNING last_message_id, used_bytes"""
COPY_MESSAGE = f"""INSERT INTO message (/*key*/ {MESSAGE_COLUMNS})
    SELECT /*value*/ ?{MESSAGE_COLUMNS.removeprefix("message_id")} FROM message WHERE /*of*/ message_id = ?"""  # noqa: S608


def copy(
    transaction: Transaction,
    source: MailboxId,
    uids: NumSet,
    target: MailboxId,
    *,
    now: Instant,
    quota_bytes: int | None,
) -> Copied:
    """Flags come along (RFC 9051 §6.4.7). Raises NotFound, QuotaExceeded."""
    uid_validity = _require_both(transaction, source, target)
    rows = rows_in_ranges(transaction, PLACEMENTS_IN_RANGE, source, uids)
    if not rows:
        return Copied(uid_validity=uid_validity, pairs=())
    pairs = _place(transaction, target, rows, mod_seq=next_mod_seq(transaction), now=now, quota_bytes=quota_bytes)
    return Copied(uid_validity=uid_validity, pairs=pairs)


def move(
    transaction: Transaction, source: MailboxId, uids: NumSet, target: MailboxId, *, now: Instant
) -> tuple[Copied, list[str]]:
    """Within one mailbox too: the message gets a new UID there. Second value: blob files that no row names any more."""
    uid_validity = _require_both(transaction, source, target)
    rows = rows_in_ranges(transaction, PLACEMENTS_IN_RANGE, source, uids)
    if not rows:
        return Copied(uid_validity=uid_validity, pairs=()), []
    mod_seq = next_mod_seq(transaction)
    pairs = _place(transaction, target, rows, mod_seq=mod_seq, now=now)
    files = remove_placements(transaction, source, rows, mod_seq=mod_seq, now=now)
    return Copied(uid_validity=uid_validity, pairs=pairs), files


def _require_both(transaction: Transaction, source: MailboxId, target: MailboxId) -> int:
    """The target's UIDVALIDITY."""
    sources, targets = transaction.ask((MAILBOX_EXISTS, (source,)), (MAILBOX_EXISTS, (target,)))
    if not sources:
        raise NotFound(f"there is no mailbox {source}")
    if not targets:
        raise NotFound(f"there is no mailbox {target}")
    return int(targets[0][0])


def _place(
    transaction: Transaction,
    target: MailboxId,
    rows: Sequence[Row],
    *,
    mod_seq: ModSeq,
    now: Instant,
    quota_bytes: int | None = None,
) -> tuple[tuple[Uid, Uid], ...]:
    unseen = sum(1 for row in rows if SEEN not in row[4].split())
    deleted = sum(row[3] for row in rows)
    size_bytes = sum(row[5] for row in rows)
    counts = (len(rows), len(rows), unseen, deleted, size_bytes, target)
    listed = json.dumps([row[1] for row in rows])
    ((next_uid,),), lie_there = transaction.ask((TAKE_UIDS, counts), (LIE_THERE, (target, listed)))
    there = {message_id for (message_id,) in lie_there}
    duplicates = _duplicates(transaction, [row for row in rows if row[1] in there], quota_bytes)
    placed = [
        (uid, duplicates.get(message_id, message_id), is_deleted, keywords)
        for uid, (_, message_id, _, is_deleted, keywords, _) in enumerate(rows, start=next_uid - len(rows))
    ]
    transaction.run_many(
        INSERT_PLACEMENT,
        [(target, uid, message_id, mod_seq, deleted, keywords, now) for uid, message_id, deleted, keywords in placed],
    )
    transaction.run_many(
        LOG, [(mod_seq, target, uid, message_id, CREATED, False, now) for uid, message_id, *_ in placed]
    )
    note_keywords(transaction, target, {word for text in {row[4] for row in rows} for word in text.split()})
    return tuple((Uid(row[0]), Uid(each[0])) for row, each in zip(rows, placed, strict=True))


def _duplicates(transaction: Transaction, rows: Sequence[Row], quota_bytes: int | None) -> dict[int, int]:
    """Second messages with the same bytes, by the first ones: one message lies in a mailbox once at most."""
    if not rows:
        return {}
    last, used_bytes = transaction.one(TAKE_MESSAGE_IDS, (len(rows), sum(row[5] for row in rows)))
    if quota_bytes is not None and used_bytes > quota_bytes:
        raise QuotaExceeded(f"{used_bytes} bytes would be used, {quota_bytes} may be")
    duplicates = {row[1]: int(number) for number, row in enumerate(rows, start=last - len(rows) + 1)}
    transaction.run_many(COPY_MESSAGE, [(duplicate, message_id) for message_id, duplicate in duplicates.items()])
    return duplicates
