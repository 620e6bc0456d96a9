"""What happened to the selected mailbox, told to the client. RFC 9051 §7.4.1, §7.5.1, RFC 3501 §5.2."""

from mailstack.model.errors import Conflict, NotFound
from mailstack.model.numset import numset_of
from mailstack.servers.imap.flag_news import say_flags
from mailstack.servers.imap.session import Session
from mailstack.services.mailbox.access import check_readable
from mailstack.services.mailbox.selected import Updates
from mailstack.wire.imap.responses import Exists, Vanished
from mailstack.wire.imap.write import expunges


async def tell_updates(session: Session, *, with_expunges: bool) -> None:
    """Nothing without a selected mailbox. Ends the session when its mailbox is no more."""
    if session.selected is None:
        return
    try:
        await check_readable(session.selected)
        updates = await session.selected.updates(with_expunges=with_expunges)
    except (NotFound, Conflict):
        # RFC 2180 §3.3: the client's numbers mean nothing any more; only a new connection puts that right.
        session.selected = None
        session.hang_up("The mailbox is no longer there")
        return
    _say_expunged(session, updates)
    if updates.exists is not None:
        session.connection.say(Exists(count=updates.exists))
    if updates.flags:
        numbers = [number for number, _ in updates.flags]
        await say_flags(session, numbers, [placement for _, placement in updates.flags])


def _say_expunged(session: Session, updates: Updates) -> None:
    if not updates.expunged:
        return
    if session.is_qresync or session.is_uid_only:
        # RFC 7162 §3.2.10, RFC 9586 §3.3: VANISHED, and no EXPUNGE, from ENABLE on.
        session.connection.say(Vanished(uids=numset_of(updates.expunged_uids)))
    else:
        session.connection.say_octets(expunges(updates.expunged))
