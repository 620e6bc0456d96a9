"""LOGOUT. RFC 9051 §6.1.3."""

from mailstack.servers.imap.session import Completed, Session, ok
from mailstack.wire.imap.commands.logout import Logout


async def run(session: Session, _request: Logout) -> Completed:
    session.hang_up("Logging out")
    return ok("LOGOUT completed")
