"""UNSELECT. RFC 3691 §2, RFC 9051 §6.4.2."""

from mailstack.servers.imap.session import Completed, Session, ok


async def run(session: Session) -> Completed:
    session.selected = None
    return ok("UNSELECT completed")
