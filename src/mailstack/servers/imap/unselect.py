"""UNSELECT. RFC 3691 §2, RFC 9051 §6.4.2."""

from mailstack.servers.imap.session import Completed, Session, ok
from mailstack.wire.imap.commands.unselect import Unselect


async def run(session: Session, _request: Unselect) -> Completed:
    session.selected = None
    return ok("UNSELECT completed")
