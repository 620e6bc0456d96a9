"""ENABLE. RFC 5161: what is not known is passed over; no extension here needs to be switched on yet."""

from mailstack.servers.imap.session import Completed, Session, ok
from mailstack.wire.imap.responses import EnabledData


async def run(session: Session) -> Completed:
    session.connection.say(EnabledData(names=()))
    return ok("ENABLE completed")
