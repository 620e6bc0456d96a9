"""UNAUTHENTICATE: the connection starts again as a stranger's, under the same TLS. RFC 8437 §3, §4.1."""

from mailstack.servers.imap.session import Completed, Session, ok
from mailstack.wire.imap.commands.unauthenticate import Unauthenticate


async def run(session: Session, _request: Unauthenticate) -> Completed:
    session.forget()
    return ok("UNAUTHENTICATE completed", f"CAPABILITY {' '.join(session.capabilities)}")
