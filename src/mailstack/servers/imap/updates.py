"""What happened to the selected mailbox, told to the client. RFC 9051 §7.4.1, §7.5.1, RFC 3501 §5.2."""

from mailstack.model.errors import Conflict, NotFound
from mailstack.servers.imap.session import Session
from mailstack.services.mailbox.selected import Updates
from mailstack.wire.imap.fetch_data import fetch_lines, flags_item, joined, uid_items
from mailstack.wire.imap.responses import Exists
from mailstack.wire.imap.write import expunges


async def tell_updates(session: Session, *, with_expunges: bool) -> None:
    """Nothing without a selected mailbox. Ends the session when its mailbox is no more."""
    if session.selected is None:
        return
    try:
        updates = await session.selected.updates(with_expunges=with_expunges)
    except (NotFound, Conflict):
        # RFC 2180 §3.3: the client's numbers mean nothing any more; only a new connection puts that right.
        session.selected = None
        session.hang_up("The mailbox is no longer there")
        return
    _say(session, updates)


def _say(session: Session, updates: Updates) -> None:
    connection = session.connection
    if updates.expunged:
        connection.say_octets(expunges(updates.expunged))
    if updates.exists is not None:
        connection.say(Exists(count=updates.exists))
    if updates.flags:
        # RFC 9051 §6.4.9: the UID may be in any FETCH response; clients that work by UID need no search for it.
        items = joined(
            (
                uid_items(placement.uid for _, placement in updates.flags),
                [flags_item(placement.keywords_text, placement.is_deleted) for _, placement in updates.flags],
            )
        )
        connection.say_octets(fetch_lines([number for number, _ in updates.flags], items))
