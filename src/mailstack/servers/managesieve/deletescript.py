"""DELETESCRIPT. RFC 5804 §2.10."""

from mailstack.servers.managesieve.replies import ok
from mailstack.servers.managesieve.session import Session
from mailstack.wire.managesieve.commands.deletescript import DeleteScript
from mailstack.wire.managesieve.responses import Reply


async def run(session: Session, request: DeleteScript) -> Reply:
    await session.service.scripts.remove(session.account_id, request.name)
    session.tell("script removed", request.name)
    return ok("DELETESCRIPT completed")
