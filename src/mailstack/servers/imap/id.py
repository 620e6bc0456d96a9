"""ID. RFC 2971: for statistics and bug reports, so it goes into the log; no version is told to strangers."""

import structlog

from mailstack.servers.imap.session import Completed, Session, ok
from mailstack.wire.imap.commands.id import Id
from mailstack.wire.imap.responses import IdData

log = structlog.get_logger()


async def run(session: Session, request: Id) -> Completed:
    log.info("client", peer=session.connection.stream.peer[0], fields=dict(request.fields))
    session.connection.say(IdData(fields=(("name", "mailstack"),)))
    return ok("ID completed")
