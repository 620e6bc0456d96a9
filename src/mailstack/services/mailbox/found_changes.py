"""What has become of what a query found, since a state of the account. RFC 8620 §5.6, RFC 8621 §4.5.

Every message that anything happened to leaves the old list and enters the new one where it is found now: that is right
for any filter and any order, for both look at the message alone, or at its thread, which then counts as a whole.
"""

from collections.abc import Collection, Sequence, Set
from dataclasses import dataclass
from itertools import compress

from mailstack.model.changes import Change, ChangeKind, LogPoint
from mailstack.model.errors import Conflict
from mailstack.model.ids import MailboxId, MessageId, ModSeq
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.emails import changed_threads, readable
from mailstack.services.mailbox.emails_found import EmailQuery, find_emails, is_by_thread, is_immutable
from mailstack.services.mailbox.readable import Readable
from mailstack.services.mailbox.settled import settled
from mailstack.services.mailbox.view import MailboxView

MAX_ROWS = 20_000
"""Of the change log. Past that a client does better to ask anew."""
_PAGE = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundChanges:
    """removed: some of them were never in the old list. added: (place in the new list, message), ascending."""

    mod_seq: ModSeq
    removed: Sequence[MessageId]
    added: Sequence[tuple[int, MessageId]]
    total: int


async def found_changes(
    mail: AccountMail, asked: EmailQuery, since: ModSeq, *, up_to: MessageId | None = None
) -> FoundChanges:
    """up_to: the last that the client has; what came behind it is left out where nothing can move.

    Raises Conflict where it cannot be told: the log does not reach back, too much has happened, it does not stop
    changing, or the viewer's rights may have been others."""
    changes, state = await settled(mail, lambda now: _changes(mail, asked, since, now, up_to))
    if state is None:
        raise Conflict("there is no state to tell it of")
    return changes


async def _changes(
    mail: AccountMail, asked: EmailQuery, since: ModSeq, now: ModSeq, up_to: MessageId | None
) -> FoundChanges:
    """Of `now`, where nothing happens meanwhile. Raises Conflict."""
    within = await readable(mail)
    if since > now:
        raise Conflict("there was no such state")
    views = await Readable(mail).views()
    rows = _seen(await _rows(mail, since, now), within)
    news = _news(rows, views)
    touched: Set[MessageId] = {row.message_id for row in rows if row.message_id is not None}
    if touched and is_by_thread(asked):
        touched = await _with_threads(mail, since, touched, views)
    found = await find_emails(mail, asked)
    told = found
    if up_to is not None and is_immutable(asked) and up_to in found:
        told = found[: found.index(up_to) + 1]
    added = list(compress(enumerate(told), map(touched.__contains__, told))) if touched else []
    return FoundChanges(mod_seq=now, removed=sorted(touched - news), added=added, total=len(found))


async def _rows(mail: AccountMail, since: ModSeq, now: ModSeq) -> Sequence[Change]:
    rows: list[Change] = []
    reached = since
    while reached < now:
        page = await mail.changes.since(mail.account_id, reached, limit=_PAGE)
        if not page:
            break
        rows += page
        reached = page[-1].mod_seq
        if len(rows) > MAX_ROWS:
            raise Conflict("too much has happened")
    return rows


def _seen(rows: Sequence[Change], within: Collection[MailboxId] | None) -> Sequence[Change]:
    """Raises Conflict."""
    if within is None:
        return rows
    if any(row.message_id is None and row.kind in (ChangeKind.ACCESS, ChangeKind.DESTROYED) for row in rows):
        raise Conflict("what the viewer may read may have changed")
    return [row for row in rows if row.mailbox_id in within]


def _news(rows: Sequence[Change], views: Sequence[MailboxView]) -> Set[MessageId]:
    """Messages that were not there before, in any mailbox: no need to remove them."""
    made: set[tuple[int, int | None]] = set()
    new: set[MessageId] = set()
    old: set[MessageId] = set()
    for row in rows:
        if row.message_id is None:
            continue
        if row.kind is ChangeKind.CREATED:
            made.add((row.mailbox_id, row.uid))
            new.add(row.message_id)
        elif (row.mailbox_id, row.uid) not in made:
            old.add(row.message_id)
    for view in views if new else ():
        table = view.table
        for at in compress(range(len(table)), map(new.__contains__, table.message_ids)):
            if (view.mailbox_id, table.uids[at]) not in made:
                old.add(MessageId(table.message_ids[at]))
    return new - old


async def _with_threads(
    mail: AccountMail, since: ModSeq, touched: Set[MessageId], views: Sequence[MailboxView]
) -> Set[MessageId]:
    """And all others of their threads; of the threads of those that are gone the log knows."""
    changed = await changed_threads(mail, LogPoint(since), limit=MAX_ROWS)
    if changed.has_more:
        raise Conflict("too much has happened")
    meant: set[int] = {*changed.created, *changed.updated, *changed.destroyed}
    for view in views:
        threads = await view.threads()
        meant.update(compress(threads, map(touched.__contains__, view.table.message_ids)))
    found = set(touched)
    for view in views:
        threads = await view.threads()
        found.update(map(MessageId, compress(view.table.message_ids, map(meant.__contains__, threads))))
    return found
