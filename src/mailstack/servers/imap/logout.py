"""LOGOUT. RFC 9051 §6.1.3."""

from mailstack.servers.imap.session import Completed, Session, ok


async def run(session: Session) -> Completed:
    session.hang_up("Logging out")
    return ok("LOGOUT completed")
