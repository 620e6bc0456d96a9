"""STARTTLS. RFC 9051 §6.2.1. The switch itself comes after the tagged response."""

from mailstack.servers.imap.session import Completed, Session, bad
from mailstack.wire.imap.commands.starttls import Starttls
from mailstack.wire.imap.responses import Condition


async def run(session: Session, _request: Starttls) -> Completed:
    if session.service.tls is None or session.connection.stream.tls is not None:
        return bad("STARTTLS is not offered")
    return Completed(condition=Condition.OK, text="Begin TLS negotiation now", starts_tls=True)
