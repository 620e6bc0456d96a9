"""What a client that has given NOTIFY is told of mailboxes other than the selected one. RFC 5465 §5.

Deviates: §5 would have it not told of what it did itself; the change log does not say who did what.
"""

from collections.abc import Mapping, Sequence

from mailstack.model.changes import Change, ChangedType, ChangeKind
from mailstack.model.errors import Conflict, NotFound
from mailstack.model.events import MESSAGE_EVENTS, EventName
from mailstack.model.ids import MailboxId, ModSeq
from mailstack.model.mailbox import DELIMITER
from mailstack.servers.imap.session import Session
from mailstack.servers.imap.watch import (
    NOTHING,
    Entries,
    Known,
    Watch,
    WatchedAccount,
    known_mailboxes,
    mailbox_entries,
    server_entries,
)
from mailstack.wire.imap.responses import Condition, ListData, MetadataNames, StatusData, Untagged

MAX_CHANGES = 10_000
"""Past this many at once, the client is better off with a look of its own. RFC 5465 §5.8."""

_OF_KIND: Mapping[ChangeKind, EventName] = {
    ChangeKind.CREATED: EventName.MESSAGE_NEW,
    ChangeKind.DESTROYED: EventName.MESSAGE_EXPUNGE,
    ChangeKind.UPDATED: EventName.FLAG_CHANGE,
}


async def say_all_statuses(session: Session, watch: Watch) -> None:
    """RFC 5465 §3.1: the state from which the client is kept informed."""
    for account in watch.accounts:
        for mailbox_id, known in account.known.items():
            events = watch.events_of(known, is_own=account.mail.is_own) & MESSAGE_EVENTS
            if events and not _is_selected(session, account, mailbox_id):
                await _say_status(session, account, mailbox_id, events)
                await session.connection.flush_when_full()


async def tell_watched(session: Session, watch: Watch) -> None:
    for account in watch.accounts:
        await _tell_server_metadata(session, watch, account)
        now = await account.mail.changes.mod_seq(account.mail.account_id)
        if now == account.mod_seq:
            continue
        rows = await _changes(account, now)
        if rows is None:
            text = "Too much has happened"
            session.connection.say(Untagged(condition=Condition.OK, code="NOTIFICATIONOVERFLOW", text=text))
            session.watch = NOTHING
            return
        if any(row.type is ChangedType.MAILBOX for row in rows):
            await _tell_mailboxes(session, watch, account)
            await _tell_metadata(session, watch, account)
        await _tell_messages(session, watch, account, rows)
        # Afterwards: what a fault cuts short is told again, not never.
        account.mod_seq = max(now, rows[-1].mod_seq) if rows else now


async def _changes(account: WatchedAccount, now: ModSeq) -> Sequence[Change] | None:
    """All up to now at least. None: too many, or more than the log remembers."""
    rows: list[Change] = []
    reached = account.mod_seq
    while reached < now:
        try:
            page = await account.mail.changes.since(account.mail.account_id, reached, limit=MAX_CHANGES)
        except Conflict:
            return None
        if not page:
            break
        rows += page
        reached = page[-1].mod_seq
        if len(rows) >= MAX_CHANGES:
            return None
    return rows


async def _tell_mailboxes(session: Session, watch: Watch, account: WatchedAccount) -> None:
    """RFC 5465 §5.4, §5.5: each as a LIST response."""
    before, account.known = account.known, await known_mailboxes(account.mail)
    is_own = account.mail.is_own
    for mailbox_id, old in before.items():
        if mailbox_id not in account.known and EventName.MAILBOX_NAME in watch.events_of(old, is_own=is_own):
            gone = ListData(attributes=("\\NonExistent",), delimiter=DELIMITER, name=old.path)
            session.connection.say(gone)
    for mailbox_id, known in account.known.items():
        was = before.get(mailbox_id)
        if _changed(was, known) & watch.events_of(known, is_own=is_own):
            old_name = was.path if was is not None and was.path != known.path else None
            listed = ListData(attributes=_attributes(known), delimiter=DELIMITER, name=known.path, old_name=old_name)
            session.connection.say(listed)


def _changed(was: Known | None, known: Known) -> frozenset[EventName]:
    if was is None or was.path != known.path:
        return frozenset({EventName.MAILBOX_NAME})
    return frozenset({EventName.SUBSCRIPTION_CHANGE} if was.is_subscribed != known.is_subscribed else ())


async def _tell_metadata(session: Session, watch: Watch, account: WatchedAccount) -> None:
    """RFC 5465 §5.6."""
    before, account.entries = account.entries, await mailbox_entries(watch, account.mail)
    for mailbox_id, known in account.known.items():
        names = _differing(before.get(mailbox_id, {}), account.entries.get(mailbox_id, {}))
        events = watch.events_of(known, is_own=account.mail.is_own)
        if names and EventName.MAILBOX_METADATA_CHANGE in events:
            session.connection.say(MetadataNames(name=known.path, entries=names))


async def _tell_server_metadata(session: Session, watch: Watch, account: WatchedAccount) -> None:
    """RFC 5465 §5.7. They stand outside the change log, so they are looked at each time."""
    before, account.server_entries = account.server_entries, await server_entries(watch, account.mail)
    names = _differing(before, account.server_entries)
    if names:
        session.connection.say(MetadataNames(name="", entries=names))


def _differing(before: Entries, now: Entries) -> tuple[str, ...]:
    """RFC 5465 §5.6: also those that are no more."""
    return tuple(sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name)))


async def _tell_messages(session: Session, watch: Watch, account: WatchedAccount, rows: Sequence[Change]) -> None:
    happened: dict[MailboxId, set[EventName]] = {}
    for row in rows:
        if row.type is ChangedType.MESSAGE:
            happened.setdefault(row.mailbox_id, set()).add(_OF_KIND[row.kind])
    for mailbox_id, events in happened.items():
        known = account.known.get(mailbox_id)
        if known is None or _is_selected(session, account, mailbox_id):
            continue
        wanted = watch.events_of(known, is_own=account.mail.is_own).intersection(events)
        if wanted:
            await _say_status(session, account, mailbox_id, wanted)


async def _say_status(
    session: Session, account: WatchedAccount, mailbox_id: MailboxId, events: frozenset[EventName]
) -> None:
    """RFC 5465 §5.1-§5.3."""
    try:
        status = await account.mail.mailboxes.status(account.mail.account_id, mailbox_id)
    except NotFound:
        return  # deleted since: that its name is gone is told next, and the others' news do not suffer
    items = [("UIDVALIDITY", status.uid_validity)]
    if events - {EventName.FLAG_CHANGE}:
        items += [("MESSAGES", status.messages), ("UIDNEXT", int(status.uid_next))]
    items.append(("UNSEEN", status.unseen))
    if session.is_condstore or EventName.FLAG_CHANGE in events:
        # RFC 5465 §3.1: it is what a change of flags can be seen by.
        items.append(("HIGHESTMODSEQ", int(status.highest_mod_seq)))
    session.connection.say(StatusData(name=account.known[mailbox_id].path, items=tuple(items)))


def _is_selected(session: Session, account: WatchedAccount, mailbox_id: MailboxId) -> bool:
    selected = session.selected
    return (
        selected is not None
        and selected.mailbox_id == mailbox_id
        and selected.mail.account_id == account.mail.account_id
    )


def _attributes(known: Known) -> tuple[str, ...]:
    children = "\\HasChildren" if known.has_children else "\\HasNoChildren"
    return ("\\Subscribed", children) if known.is_subscribed else (children,)
