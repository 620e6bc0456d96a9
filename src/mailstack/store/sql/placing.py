"""Where messages lie, by their ids: read and changed inside one transaction, for ports.emails."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from mailstack.model.email import EmailPlace, EmailsUpdated, EmailUpdate, EmailUpdated, PlacedEmail
from mailstack.model.errors import Conflict, DomainError, Invalid, NotFound
from mailstack.model.flags import MAX_KEYWORDS_PER_MESSAGE, SEEN, keywords_text
from mailstack.model.ids import EmailId, MailboxId, MessageId, ModSeq, ThreadId, Uid
from mailstack.model.instant import Instant
from mailstack.store.sql.appending import INSERT_PLACEMENT, TAKE_UIDS, note_keywords
from mailstack.store.sql.change_log import CREATED, LOG, UPDATED
from mailstack.store.sql.counters import COUNT_MAILBOX, next_mod_seq
from mailstack.store.sql.database import Connection, Row, Transaction
from mailstack.store.sql.removal import remove_placements

PLACED = """SELECT p.message_id, p.mailbox_id, p.uid, p.mod_seq, p.is_deleted, p.keywords, m.thread_id, m.blob_key,
        m.size_bytes
    FROM placement p JOIN message m ON /*of m*/ m.message_id = p.message_id
    WHERE /*of p*/ p.message_id IN (SELECT value FROM json_each(?) AS listed)"""
THERE = "SELECT mailbox_id FROM mailbox WHERE /*of*/ mailbox_id IN (SELECT value FROM json_each(?) AS listed)"
SEEN_IN = """SELECT message_id, mailbox_id FROM placement
    WHERE /*of*/ message_id IN (SELECT value FROM json_each(?) AS listed) AND is_deleted = 0"""
# The bounds as in removal.
SET_PLACES = """UPDATE placement SET keywords = ?, is_deleted = ?, mod_seq = ? WHERE /*of*/ mailbox_id = ?
    AND uid IN (SELECT value FROM json_each(?) AS listed) AND uid BETWEEN ? AND ?"""
MOD_SEQ = "SELECT mod_seq FROM counter /*whole*/"


def read_placed(
    asking: Connection | Transaction, message_ids: Collection[MessageId], within: Collection[MailboxId] | None
) -> dict[MessageId, PlacedEmail]:
    """Also of those that are seen nowhere."""
    found: defaultdict[int, list[Row]] = defaultdict(list)
    for row in asking.rows(PLACED, (json.dumps(sorted(message_ids)),)):
        if within is None or row[1] in within:
            found[row[0]].append(row)
    return {MessageId(message_id): _placed(sorted(rows)) for message_id, rows in found.items()}


def seen(connection: Connection, message_ids: Collection[int], within: Collection[MailboxId] | None) -> set[int]:
    """Of these the messages that are visible somewhere."""
    rows = connection.rows(SEEN_IN, (json.dumps(sorted(message_ids)),))
    return {message_id for message_id, mailbox_id in rows if within is None or mailbox_id in within}


def require_mod_seq(transaction: Transaction, if_mod_seq: ModSeq | None) -> None:
    """Raises Conflict."""
    if if_mod_seq is not None and transaction.one(MOD_SEQ)[0] != if_mod_seq:
        raise Conflict(f"something has changed since ModSeq {if_mod_seq}")


def require_mailboxes(transaction: Transaction, mailbox_ids: Iterable[MailboxId]) -> None:
    """Raises Invalid for none of them, NotFound."""
    wanted = frozenset(mailbox_ids)
    if not wanted:
        raise Invalid("a message lies in one mailbox at least")
    for missing in sorted(wanted - _there(transaction, wanted)):
        raise NotFound(f"there is no mailbox {missing}")


def update(
    transaction: Transaction, updates: Sequence[EmailUpdate], within: Collection[MailboxId] | None, now: Instant
) -> tuple[EmailsUpdated, list[str]]:
    """Second value: blob files that no row names any more."""
    emails = read_placed(transaction, [update.message_id for update in updates], None)
    named = frozenset[MailboxId]().union(*(each.mailboxes.whole or each.mailboxes.added for each in updates))
    there = _there(transaction, named)
    steps: list[_Step] = []
    refused: dict[MessageId, DomainError] = {}
    for each in updates:
        try:
            steps.append(_step(each, emails.get(each.message_id), within, there))
        except DomainError as refusal:
            refused[each.message_id] = refusal
    changing = [step for step in steps if step.changes]
    mod_seq, files = None, list[str]()
    if changing:
        mod_seq = next_mod_seq(transaction)
        _change_places(transaction, changing, mod_seq, now)
        for mailbox_id, coming in _by_mailbox((step.into, step) for step in changing).items():
            keywords = [(step.email.message_id, step.after, step.email.size_bytes) for step in coming]
            put(transaction, mailbox_id, keywords, mod_seq=mod_seq, now=now)
        files = take_out(transaction, [(step.email, step.out_of) for step in changing], mod_seq=mod_seq, now=now)
    done = [step.updated for step in steps]
    return EmailsUpdated(updated=done, refused=refused, mod_seq=mod_seq), files


def put(
    transaction: Transaction,
    mailbox_id: MailboxId,
    messages: Sequence[tuple[MessageId, str, int]],
    *,
    mod_seq: ModSeq,
    now: Instant,
) -> None:
    """messages, none of which lies there: with the text of their keywords, and their sizes."""
    count = len(messages)
    unseen = sum(SEEN not in keywords.split() for _, keywords, _ in messages)
    counts = (count, count, unseen, 0, sum(size_bytes for *_, size_bytes in messages), mailbox_id)
    (next_uid,) = transaction.one(TAKE_UIDS, counts)
    uids = range(next_uid - count, next_uid)
    transaction.run_many(
        INSERT_PLACEMENT,
        [
            (mailbox_id, uid, message_id, mod_seq, False, keywords, now)
            for uid, (message_id, keywords, _) in zip(uids, messages, strict=True)
        ],
    )
    log = [(mod_seq, mailbox_id, uid, each[0], CREATED, False, now) for uid, each in zip(uids, messages, strict=True)]
    transaction.run_many(LOG, log)
    note_keywords(transaction, mailbox_id, {word for _, keywords, _ in messages for word in keywords.split()})


def take_out(
    transaction: Transaction,
    emails: Iterable[tuple[PlacedEmail, frozenset[MailboxId]]],
    *,
    mod_seq: ModSeq,
    now: Instant,
) -> list[str]:
    """Each out of these mailboxes. Returns blob files that no row names any more."""
    rows: defaultdict[MailboxId, list[Row]] = defaultdict(list)
    for email, mailbox_ids in emails:
        for place in email.places:
            if place.mailbox_id in mailbox_ids:
                facts = (place.mod_seq, place.is_deleted, email.keywords_text, email.size_bytes)
                rows[place.mailbox_id].append((place.uid, email.message_id, *facts))
    return [
        file
        for mailbox_id, going in sorted(rows.items())
        for file in remove_placements(transaction, mailbox_id, going, mod_seq=mod_seq, now=now)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """after: the text of the keywords that the message then has. shown: where it lies \\Deleted, and is to be seen."""

    email: PlacedEmail
    after: str
    into: frozenset[MailboxId]
    shown: frozenset[MailboxId]
    out_of: frozenset[MailboxId]
    updated: EmailUpdated

    @property
    def changes(self) -> bool:
        return bool(self.into or self.shown or self.out_of or self.after != self.email.keywords_text)


def _step(
    update: EmailUpdate,
    email: PlacedEmail | None,
    within: Collection[MailboxId] | None,
    there: frozenset[MailboxId],
) -> _Step:
    """Raises NotFound, Invalid."""
    before = frozenset[MailboxId]() if email is None else email.mailbox_ids
    if within is not None:
        before &= frozenset(within)
    if email is None or not before:
        raise NotFound(f"there is no message {update.message_id}")
    after = update.mailboxes.of(before)
    if not after:
        raise Invalid("a message lies in one mailbox at least")
    for missing in sorted(after - before - there):
        raise Invalid(f"there is no mailbox {missing}")
    keywords = update.keywords.of(email.keywords)
    if len(keywords) > MAX_KEYWORDS_PER_MESSAGE:
        raise Invalid(f"a message has at most {MAX_KEYWORDS_PER_MESSAGE} keywords")
    return _Step(
        email=email,
        after=keywords_text(keywords),
        into=after - email.all_mailbox_ids,
        shown=after & (email.all_mailbox_ids - email.mailbox_ids),
        out_of=before - after,
        updated=EmailUpdated(
            message_id=update.message_id,
            mailboxes_before=before,
            mailboxes=after,
            keywords_before=email.keywords,
            keywords=keywords,
        ),
    )


def _change_places(transaction: Transaction, steps: Sequence[_Step], mod_seq: ModSeq, now: Instant) -> None:
    """Where they stay: who leaves a mailbox leaves it with those flags that it was counted with."""
    uids: defaultdict[tuple[MailboxId, str, str, bool, bool], list[Uid]] = defaultdict(list)
    for step in steps:
        before, after = step.email.keywords_text, step.after
        for place in step.email.places:
            is_shown = place.mailbox_id in step.shown
            if place.mailbox_id not in step.out_of and (is_shown or after != before):
                is_deleted = place.is_deleted and not is_shown
                uids[place.mailbox_id, before, after, place.is_deleted, is_deleted].append(place.uid)
                row = (place.mailbox_id, place.uid, step.email.message_id, UPDATED, place.is_deleted)
                transaction.run(LOG, (mod_seq, *row, now))
    for (mailbox_id, before, after, was_deleted, is_deleted), there in sorted(uids.items()):
        flags = (after, is_deleted, mod_seq)
        transaction.run(SET_PLACES, (*flags, mailbox_id, json.dumps(there), min(there), max(there)))
        unseen = len(there) * (int(SEEN in before.split()) - int(SEEN in after.split()))
        deleted = len(there) * (int(is_deleted) - int(was_deleted))
        transaction.run(COUNT_MAILBOX, (mod_seq, 0, unseen, deleted, 0, mailbox_id))
        note_keywords(transaction, mailbox_id, set(after.split()))


def _by_mailbox(steps: Iterable[tuple[frozenset[MailboxId], _Step]]) -> Mapping[MailboxId, Sequence[_Step]]:
    found: defaultdict[MailboxId, list[_Step]] = defaultdict(list)
    for mailbox_ids, step in steps:
        for mailbox_id in mailbox_ids:
            found[mailbox_id].append(step)
    return dict(sorted(found.items()))


def _there(transaction: Transaction, mailbox_ids: frozenset[MailboxId]) -> frozenset[MailboxId]:
    if not mailbox_ids:
        return mailbox_ids
    return frozenset(MailboxId(row[0]) for row in transaction.rows(THERE, (json.dumps(sorted(mailbox_ids)),)))


def _placed(rows: Sequence[Row]) -> PlacedEmail:
    message_id, _, _, _, _, keywords, thread_id, blob_key, size_bytes = rows[0]
    return PlacedEmail(
        message_id=MessageId(message_id),
        email_id=EmailId(blob_key),
        thread_id=ThreadId(thread_id),
        size_bytes=size_bytes,
        keywords_text=keywords,
        places=tuple(EmailPlace(row[1], row[2], row[3], bool(row[4])) for row in rows),
    )
