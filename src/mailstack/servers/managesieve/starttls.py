"""STARTTLS. RFC 5804 §2.2."""

from mailstack.servers.managesieve.replies import no, ok
from mailstack.servers.managesieve.session import Session
from mailstack.wire.managesieve.commands.starttls import Starttls
from mailstack.wire.managesieve.responses import Reply


async def run(session: Session, _request: Starttls) -> Reply:
    if session.service.tls is None or not session.offers_starttls:
        return no("STARTTLS is not offered")
    session.connection.say(ok("Begin TLS negotiation now"))
    await session.connection.start_tls(session.service.tls)
    # RFC 5804 §2.2: what was said in the clear may have been somebody else's, and is said anew.
    session.connection.say(*session.capabilities)
    return ok("TLS negotiation successful")
