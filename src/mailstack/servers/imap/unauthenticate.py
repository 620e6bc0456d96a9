"""UNAUTHENTICATE: the connection starts again as a stranger's, under the same TLS. RFC 8437 §3, §4.1."""

from mailstack.servers.imap.session import Completed, Session, ok
from mailstack.wire.imap.commands.unauthenticate import Unauthenticate


async def run(session: Session, _request: Unauthenticate) -> Completed:
    if session.connection.stream.is_deflated:
        # RFC 8437 §4.1: compression would have to end between two octets of what the client may have sent already.
        session.hang_up("Compression ends with the connection")
        return ok("UNAUTHENTICATE completed")
    session.forget()
    return ok("UNAUTHENTICATE completed", f"CAPABILITY {' '.join(session.capabilities)}")
