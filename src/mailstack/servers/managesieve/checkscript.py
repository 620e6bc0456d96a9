"""CHECKSCRIPT. RFC 5804 §2.12."""

from mailstack.servers.managesieve.replies import ok
from mailstack.servers.managesieve.session import Session
from mailstack.wire.managesieve.commands.checkscript import CheckScript
from mailstack.wire.managesieve.responses import Reply


async def run(session: Session, request: CheckScript) -> Reply:
    await session.service.scripts.check(request.content)
    return ok("The script is good")
