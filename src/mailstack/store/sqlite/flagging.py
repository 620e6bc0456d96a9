"""Changes of flags, inside one transaction. Only what truly changes gets a new ModSeq."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import assert_never

from mailstack.model.errors import Invalid, NotFound
from mailstack.model.flags import MAX_KEYWORDS_PER_MESSAGE, SEEN, Keywords, keywords_from_text, keywords_text
from mailstack.model.ids import MailboxId, ModSeq, Uid
from mailstack.model.instant import Instant
from mailstack.model.message import FlagChange, FlagOperation, FlagsChanged, Placement
from mailstack.model.numset import NumSet
from mailstack.store.sqlite.appending import note_keywords
from mailstack.store.sqlite.connection import Row
from mailstack.store.sqlite.counters import COUNT_MAILBOX, MAILBOX_EXISTS, next_mod_seq
from mailstack.store.sqlite.schema_account import UPDATED
from mailstack.store.sqlite.writer import Transaction

IN_RANGE = """SELECT uid, message_id, mod_seq, is_deleted, keywords FROM placement
    WHERE mailbox_id = ? AND uid BETWEEN ? AND ? ORDER BY uid"""
ELSEWHERE_IN_RANGE = """SELECT p.uid, o.mailbox_id, o.uid, o.message_id
    FROM placement p JOIN placement o ON o.message_id = p.message_id
    WHERE p.mailbox_id = ? AND p.uid BETWEEN ? AND ? AND o.mailbox_id <> p.mailbox_id"""
SET_FLAGS = "UPDATE placement SET keywords = ?, is_deleted = ?, mod_seq = ? WHERE mailbox_id = ? AND uid = ?"
SET_KEYWORDS = "UPDATE placement SET keywords = ?, mod_seq = ? WHERE mailbox_id = ? AND uid = ?"
LOG = "INSERT INTO change_log (mod_seq, mailbox_id, uid, message_id, kind, changed_at) VALUES (?, ?, ?, ?, ?, ?)"


def change_flags(
    transaction: Transaction, mailbox_id: MailboxId, uids: NumSet, change: FlagChange, *, now: Instant
) -> FlagsChanged:
    """Raises NotFound, Invalid."""
    if transaction.row(MAILBOX_EXISTS, (mailbox_id,)) is None:
        raise NotFound(f"there is no mailbox {mailbox_id}")
    rows = [row for first, last in uids.ranges for row in transaction.rows(IN_RANGE, (mailbox_id, first, last))]
    refused: tuple[Uid, ...] = ()
    if change.unchanged_since is not None:
        # RFC 7162 §3.1.3: what has changed since is left alone and reported.
        refused = tuple(Uid(row[0]) for row in rows if row[2] > change.unchanged_since)
        rows = [row for row in rows if row[2] <= change.unchanged_since]
    outcomes = _Outcomes(change)
    changed = [(row, *after) for row in rows if (after := outcomes.of(row)) != (row[4], row[3])]
    if not changed:
        return FlagsChanged(changed=tuple(_placement(row) for row in rows), refused=refused)
    mod_seq = next_mod_seq(transaction)
    _write(transaction, mailbox_id, changed, mod_seq, now)
    reworded = {row[0]: (row[4], keywords) for row, keywords, _ in changed if keywords != row[4]}
    if reworded:
        note_keywords(transaction, mailbox_id, {word for text in {row[1] for row in changed} for word in text.split()})
        _write_elsewhere(transaction, mailbox_id, uids, reworded, mod_seq=mod_seq, now=now)
    now_there = {row[0]: Placement(row[0], row[1], mod_seq, bool(gone), words) for row, words, gone in changed}
    return FlagsChanged(
        changed=tuple(now_there.get(row[0]) or _placement(row) for row in rows),
        refused=refused,
    )


class _Outcomes:
    """What the change makes of each combination of flags; a mailbox has a dozen."""

    def __init__(self, change: FlagChange) -> None:
        self._change = change
        self._known: dict[tuple[str, int], tuple[str, int]] = {}

    def of(self, row: Row) -> tuple[str, int]:
        before = (row[4], row[3])
        after = self._known.get(before)
        if after is None:
            after = self._known[before] = self._apply(*before)
        return after

    def _apply(self, text: str, is_deleted: int) -> tuple[str, int]:
        change = self._change
        keywords = keywords_from_text(text)
        match change.operation:
            case FlagOperation.SET:
                return _checked(change.keywords), int(change.is_deleted)
            case FlagOperation.ADD:
                return _checked(keywords | change.keywords), int(is_deleted or change.is_deleted)
            case FlagOperation.REMOVE:
                return keywords_text(keywords - change.keywords), int(is_deleted and not change.is_deleted)
            case _:
                assert_never(change.operation)


def _checked(keywords: Keywords) -> str:
    if len(keywords) > MAX_KEYWORDS_PER_MESSAGE:
        raise Invalid(f"a message has at most {MAX_KEYWORDS_PER_MESSAGE} keywords")
    return keywords_text(keywords)


def _write(
    transaction: Transaction,
    mailbox_id: MailboxId,
    changed: Sequence[tuple[Row, str, int]],
    mod_seq: ModSeq,
    now: Instant,
) -> None:
    transaction.run_many(SET_FLAGS, [(words, gone, mod_seq, mailbox_id, row[0]) for row, words, gone in changed])
    transaction.run_many(LOG, [(mod_seq, mailbox_id, row[0], row[1], UPDATED, now) for row, _, _ in changed])
    unseen = sum(_unseen_change(row[4], words) for row, words, _ in changed)
    deleted = sum(gone - row[3] for row, _, gone in changed)
    transaction.run(COUNT_MAILBOX, (mod_seq, 0, unseen, deleted, 0, mailbox_id))


def _write_elsewhere(
    transaction: Transaction,
    mailbox_id: MailboxId,
    uids: NumSet,
    reworded: Mapping[int, tuple[str, str]],
    *,
    mod_seq: ModSeq,
    now: Instant,
) -> None:
    """Keywords belong to the message: its placements in other mailboxes change with it."""
    unseen: Counter[int] = Counter()
    for first, last in uids.ranges:
        for uid, other_mailbox, other_uid, message_id in transaction.rows(
            ELSEWHERE_IN_RANGE, (mailbox_id, first, last)
        ):
            if uid not in reworded:
                continue
            before, after = reworded[uid]
            transaction.run(SET_KEYWORDS, (after, mod_seq, other_mailbox, other_uid))
            transaction.run(LOG, (mod_seq, other_mailbox, other_uid, message_id, UPDATED, now))
            unseen[other_mailbox] += _unseen_change(before, after)
            note_keywords(transaction, other_mailbox, set(after.split()))
    for other_mailbox, change in unseen.items():
        transaction.run(COUNT_MAILBOX, (mod_seq, 0, change, 0, 0, other_mailbox))


def _unseen_change(before: str, after: str) -> int:
    return int(SEEN in before.split()) - int(SEEN in after.split())


def _placement(row: Row) -> Placement:
    uid, message_id, mod_seq, is_deleted, keywords = row
    return Placement(uid, message_id, mod_seq, bool(is_deleted), keywords)
