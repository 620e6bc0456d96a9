"""Changes of flags, inside one transaction. Only what truly changes gets a new ModSeq.

All messages of a range that have the same flags get the same new ones, in one statement: a mailbox of 100,000 has a
dozen combinations.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from mailstack.model.errors import Invalid, NotFound
from mailstack.model.flags import MAX_KEYWORDS_PER_MESSAGE, SEEN, Keywords, keywords_from_text, keywords_text
from mailstack.model.ids import MailboxId, ModSeq, Uid
from mailstack.model.instant import Instant
from mailstack.model.message import FlagChange, FlagOperation, FlagsChanged, Placement
from mailstack.model.numset import NumSet, numset_of
from mailstack.store.sql.appending import note_keywords
from mailstack.store.sql.change_log import LOG, UPDATED
from mailstack.store.sql.counters import COUNT_MAILBOX, MAILBOX_EXISTS, NEXT_MOD_SEQ, taken_mod_seq
from mailstack.store.sql.database import Row, Transaction, Value
from mailstack.store.sql.ranges import answers, rows_in_ranges

IN_RANGE = """SELECT uid, message_id, mod_seq, is_deleted, keywords FROM placement
    WHERE /*of*/ mailbox_id = ? AND uid BETWEEN ? AND ? ORDER BY uid"""
COMBINATIONS = """SELECT keywords, is_deleted, COUNT(*) FROM placement
    WHERE /*of*/ mailbox_id = ? AND uid BETWEEN ? AND ? AND mod_seq <= ? GROUP BY keywords, is_deleted"""
_OF_COMBINATION = """/*of p*/ p.mailbox_id = ? AND p.uid BETWEEN ? AND ? AND p.mod_seq <= ?
    AND p.keywords = ? AND p.is_deleted = ?"""
ELSEWHERE = f"""SELECT o.mailbox_id, o.uid, o.message_id, o.is_deleted
    FROM placement p JOIN placement o ON /*of o*/ o.message_id = p.message_id
    WHERE {_OF_COMBINATION} AND o.mailbox_id <> p.mailbox_id"""  # noqa: S608
LOG_THEM = f"""INSERT INTO change_log (/*key*/ mod_seq, mailbox_id, uid, message_id, kind, was_deleted, changed_at)
    SELECT /*value*/ ?, p.mailbox_id, p.uid, p.message_id, {UPDATED}, p.is_deleted, ?
    FROM placement p WHERE {_OF_COMBINATION}"""  # noqa: S608
SET_FLAGS = f"UPDATE placement AS p SET keywords = ?, is_deleted = ?, mod_seq = ? WHERE {_OF_COMBINATION}"  # noqa: S608
# The bounds as in removal.
SET_KEYWORDS = """UPDATE placement SET keywords = ?, mod_seq = ? WHERE /*of*/ mailbox_id = ?
    AND uid IN (SELECT value FROM json_each(?) AS listed) AND uid BETWEEN ? AND ?"""

NO_LIMIT = (1 << 63) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """Messages of one range that have one combination of flags. where: the values of _OF_COMBINATION."""

    where: tuple[Value, ...]
    before: tuple[str, int]
    after: tuple[str, int]
    count: int


def change_flags(
    transaction: Transaction, mailbox_id: MailboxId, uids: NumSet, change: FlagChange, *, now: Instant
) -> FlagsChanged:
    """Raises NotFound, Invalid."""
    limit = NO_LIMIT if change.unchanged_since is None else change.unchanged_since
    refused, spared = _changed_since(transaction, mailbox_id, uids, change)
    steps = _steps(transaction, mailbox_id, [(uids, limit), (spared, NO_LIMIT)], change)
    mod_seq = None
    if steps:
        mod_seq = _change_elsewhere(transaction, steps, now)
        for step in steps:
            transaction.run(LOG_THEM, (mod_seq, now, *step.where))
            transaction.run(SET_FLAGS, (*step.after, mod_seq, *step.where))
        unseen = sum(step.count * _unseen_change(step.before[0], step.after[0]) for step in steps)
        deleted = sum(step.count * (step.after[1] - step.before[1]) for step in steps)
        transaction.run(COUNT_MAILBOX, (mod_seq, 0, unseen, deleted, 0, mailbox_id))
        note_keywords(transaction, mailbox_id, {word for step in steps for word in step.after[0].split()})
    left_alone = frozenset(refused)
    changed = tuple(row for row in _rows(transaction, mailbox_id, uids) if row.uid not in left_alone)
    return FlagsChanged(changed=changed, refused=refused, mod_seq=mod_seq)


def _changed_since(
    transaction: Transaction, mailbox_id: MailboxId, uids: NumSet, change: FlagChange
) -> tuple[tuple[Uid, ...], NumSet]:
    """RFC 7162 §3.1.3: what has changed since is left alone and reported; and what of it may be changed."""
    limit = change.unchanged_since
    if limit is None:
        return (), NumSet(())
    rows = [row for row in _rows(transaction, mailbox_id, uids) if row.mod_seq > limit]
    spared = frozenset(row.uid for row in rows if _is_untouched(row, change))
    return tuple(row.uid for row in rows if row.uid not in spared), numset_of(spared)


def _is_untouched(row: Placement, change: FlagChange) -> bool:
    """RFC 7162 §3.1.12: other flags have changed: these are what who wants to turn them over takes them to be."""
    wanted, there = change.keywords, row.keywords
    match change.operation:
        case FlagOperation.SET:
            return False
        case FlagOperation.ADD if not change.unchanged_since:
            # RFC 7162 §3.1.3: 0 asks whether the flag exists; system flags always do.
            return not change.is_deleted and not any(word.startswith("\\") or word in there for word in wanted)
        case FlagOperation.ADD:
            return wanted.isdisjoint(there) and not (change.is_deleted and row.is_deleted)
        case FlagOperation.REMOVE:
            return bool(change.unchanged_since) and wanted <= there and (row.is_deleted or not change.is_deleted)
        case _:
            assert_never(change.operation)


def _steps(
    transaction: Transaction, mailbox_id: MailboxId, limited: Sequence[tuple[NumSet, int]], change: FlagChange
) -> Sequence[_Step]:
    """limited: with the mod-sequence above which nothing is changed. Raises NotFound."""
    outcomes = _Outcomes(change)
    questions = [(COMBINATIONS, (mailbox_id, *each, limit)) for uids, limit in limited for each in uids.ranges]
    exists, *found = answers(transaction, [(MAILBOX_EXISTS, (mailbox_id,)), *questions])
    if not exists:
        raise NotFound(f"there is no mailbox {mailbox_id}")
    return [
        _Step(
            where=(*values, keywords, is_deleted),
            before=(keywords, is_deleted),
            after=after,
            count=count,
        )
        for (_, values), rows in zip(questions, found, strict=True)
        for keywords, is_deleted, count in rows
        if (after := outcomes.of((keywords, is_deleted))) != (keywords, is_deleted)
    ]


class _Outcomes:
    """What the change makes of each combination of flags; a mailbox has a dozen."""

    def __init__(self, change: FlagChange) -> None:
        self._change = change
        self._known: dict[tuple[str, int], tuple[str, int]] = {}

    def of(self, before: tuple[str, int]) -> tuple[str, int]:
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


def _change_elsewhere(transaction: Transaction, steps: Sequence[_Step], now: Instant) -> ModSeq:
    """Keywords belong to the message: its placements in other mailboxes change with it. Returns the change's ModSeq.
    Raises NotFound."""
    # What one step makes of its messages is what no other changes, so all may be asked for before any is changed.
    changing = [step for step in steps if step.after[0] != step.before[0]]
    taken, *found = answers(transaction, [(NEXT_MOD_SEQ, ()), *((ELSEWHERE, step.where) for step in changing)])
    mod_seq = taken_mod_seq(taken)
    for step, places in zip(changing, found, strict=True):
        _change_places(transaction, places, step, mod_seq, now)
    return mod_seq


def _change_places(transaction: Transaction, places: Sequence[Row], step: _Step, mod_seq: ModSeq, now: Instant) -> None:
    after = step.after[0]
    transaction.run_many(LOG, [(mod_seq, *place, UPDATED, is_deleted, now) for *place, is_deleted in places])
    uids: dict[MailboxId, list[int]] = {}
    for mailbox_id, uid, *_ in places:
        uids.setdefault(mailbox_id, []).append(uid)
    for mailbox_id, there in uids.items():
        transaction.run(SET_KEYWORDS, (after, mod_seq, mailbox_id, json.dumps(there), min(there), max(there)))
        unseen = len(there) * _unseen_change(step.before[0], after)
        transaction.run(COUNT_MAILBOX, (mod_seq, 0, unseen, 0, 0, mailbox_id))
        note_keywords(transaction, mailbox_id, set(after.split()))


def _unseen_change(before: str, after: str) -> int:
    return int(SEEN in before.split()) - int(SEEN in after.split())


def _rows(transaction: Transaction, mailbox_id: MailboxId, uids: NumSet) -> list[Placement]:
    return [
        Placement(uid, message_id, mod_seq, bool(is_deleted), keywords)
        for uid, message_id, mod_seq, is_deleted, keywords in rows_in_ranges(transaction, IN_RANGE, mailbox_id, uids)
    ]
