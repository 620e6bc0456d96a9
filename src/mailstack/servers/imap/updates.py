"""What happened to the selected mailbox, told to the client. RFC 9051 §7.4.1, §7.5.1, RFC 3501 §5.2."""

from mailstack.model.errors import Conflict, NotFound
from mailstack.model.events import MESSAGE_EVENTS, EventName
from mailstack.model.mailbox_filter import MailboxFilter, Reach
from mailstack.model.numset import NumSet, numset_of
from mailstack.servers.imap import fetch
from mailstack.servers.imap.flag_news import say_placed
from mailstack.servers.imap.session import Session
from mailstack.services.mailbox.access import check_readable
from mailstack.services.mailbox.selected import Updates
from mailstack.wire.imap.commands.fetch import Fetch
from mailstack.wire.imap.commands.notify import EventGroup
from mailstack.wire.imap.commands.numbered import Numbered
from mailstack.wire.imap.responses import Exists, Vanished
from mailstack.wire.imap.write import expunges

ALL_OF_SELECTED = EventGroup(mailboxes=MailboxFilter(Reach.SELECTED), events=MESSAGE_EVENTS)
"""What is told as long as NOTIFY was not given."""


async def tell_updates(session: Session, *, with_expunges: bool, is_asked: bool = False, may_lag: bool = False) -> None:
    """Nothing without a selected mailbox. Ends the session when its mailbox is no more.

    is_asked: RFC 5465 §3.1: also to a client that wants to hear nothing of it, since what it did itself is told.
    may_lag: as SelectedMailbox.updates has it.
    """
    if session.selected is None:
        return
    wanted = ALL_OF_SELECTED if session.watch is None else session.watch.of_selected
    if wanted is None and not is_asked:
        return
    known_below = session.selected.uid_next
    try:
        await check_readable(session.selected)
        updates = await session.selected.updates(with_expunges=with_expunges, may_lag=may_lag)
    except (NotFound, Conflict):
        _lose_mailbox(session)
        return
    _say_expunged(session, updates)
    if updates.flags and (wanted is None or EventName.FLAG_CHANGE in wanted.events):
        await say_placed(session, updates.flags)
    if updates.exists is not None:
        session.connection.say(Exists(count=updates.exists))
        # Last, for it reads messages, and may fail: what is not told here is told nowhere else.
        await _say_new(session, wanted, known_below)


async def check_selected(session: Session) -> None:
    """Before a command that is about the selected mailbox: rights may have been taken away since the last one.

    Ends the session as tell_updates does. Raises NotFound.
    """
    try:
        await check_readable(session.mailbox)
    except NotFound:
        _lose_mailbox(session)
        raise


def _lose_mailbox(session: Session) -> None:
    # RFC 2180 §3.3: the client's numbers mean nothing any more; only a new connection puts that right.
    session.selected = None
    session.hang_up("The mailbox is no longer there")


async def _say_new(session: Session, wanted: EventGroup | None, first: int) -> None:
    """RFC 5465 §5.2: of new messages what the client wants to know of each, after their EXISTS."""
    if session.selected is None or wanted is None or not wanted.items:
        return
    fresh = NumSet(((first, session.selected.uid_next - 1),))
    await fetch.run(session, Fetch(messages=Numbered(numbers=fresh, is_uid=True), items=wanted.items))


def _say_expunged(session: Session, updates: Updates) -> None:
    if not updates.expunged:
        return
    if session.is_qresync or session.is_uid_only:
        # RFC 7162 §3.2.10, RFC 9586 §3.3: VANISHED, and no EXPUNGE, from ENABLE on.
        session.connection.say(Vanished(uids=numset_of(updates.expunged_uids)))
    else:
        session.connection.say_octets(expunges(updates.expunged))
