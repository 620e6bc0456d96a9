"""Copying and moving placements between mailboxes of one account, inside one transaction."""

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
from mailstack.store.sql.removal import PLACEMENTS_IN_RANGE, remove_placements

LIES_THERE = "SELECT 1 FROM placement WHERE /*of*/ message_id = ? AND mailbox_id = ?"
TAKE_MESSAGE_ID = """UPDATE counter SET last_message_id = last_message_id + 1, used_bytes = used_bytes + ?
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
    rows = _rows(transaction, source, uids)
    if not rows:
        return Copied(uid_validity=uid_validity, pairs=())
    pairs = _place(transaction, target, rows, mod_seq=next_mod_seq(transaction), now=now, quota_bytes=quota_bytes)
    return Copied(uid_validity=uid_validity, pairs=pairs)


def move(
    transaction: Transaction, source: MailboxId, uids: NumSet, target: MailboxId, *, now: Instant
) -> tuple[Copied, list[str]]:
    """Within one mailbox too: the message gets a new UID there. Second value: blob files that no row names any more."""
    uid_validity = _require_both(transaction, source, target)
    rows = _rows(transaction, source, uids)
    if not rows:
        return Copied(uid_validity=uid_validity, pairs=()), []
    mod_seq = next_mod_seq(transaction)
    pairs = _place(transaction, target, rows, mod_seq=mod_seq, now=now)
    files = remove_placements(transaction, source, rows, mod_seq=mod_seq, now=now)
    return Copied(uid_validity=uid_validity, pairs=pairs), files


def _require_both(transaction: Transaction, source: MailboxId, target: MailboxId) -> int:
    """The target's UIDVALIDITY."""
    if transaction.row(MAILBOX_EXISTS, (source,)) is None:
        raise NotFound(f"there is no mailbox {source}")
    found = transaction.row(MAILBOX_EXISTS, (target,))
    if found is None:
        raise NotFound(f"there is no mailbox {target}")
    return int(found[0])


def _rows(transaction: Transaction, mailbox_id: MailboxId, uids: NumSet) -> list[Row]:
    return [
        row for first, last in uids.ranges for row in transaction.rows(PLACEMENTS_IN_RANGE, (mailbox_id, first, last))
    ]


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
    first_uid = transaction.one(TAKE_UIDS, counts)[0] - len(rows)
    pairs = []
    for uid, (old_uid, message_id, _, is_deleted, keywords, size) in enumerate(rows, start=first_uid):
        if transaction.row(LIES_THERE, (message_id, target)):
            message_id = _duplicate(transaction, message_id, size, quota_bytes)
        transaction.run(INSERT_PLACEMENT, (target, uid, message_id, mod_seq, is_deleted, keywords, now))
        transaction.run(LOG, (mod_seq, target, uid, message_id, CREATED, now))
        pairs.append((Uid(old_uid), Uid(uid)))
    note_keywords(transaction, target, {word for text in {row[4] for row in rows} for word in text.split()})
    return tuple(pairs)


def _duplicate(transaction: Transaction, message_id: int, size_bytes: int, quota_bytes: int | None) -> int:
    """A second message with the same bytes: one message lies in a mailbox once at most."""
    duplicate, used_bytes = transaction.one(TAKE_MESSAGE_ID, (size_bytes,))
    if quota_bytes is not None and used_bytes > quota_bytes:
        raise QuotaExceeded(f"{used_bytes} bytes would be used, {quota_bytes} may be")
    transaction.run(COPY_MESSAGE, (duplicate, message_id))
    return int(duplicate)
