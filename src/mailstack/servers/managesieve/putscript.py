"""PUTSCRIPT. RFC 5804 §2.6."""

from mailstack.servers.managesieve.replies import ok_with
from mailstack.servers.managesieve.session import Session
from mailstack.wire.managesieve.commands.putscript import PutScript
from mailstack.wire.managesieve.responses import Reply


async def run(session: Session, request: PutScript) -> Reply:
    warnings = await session.service.scripts.put(session.account_id, request.name, request.content)
    session.tell("script kept", request.name, octets=len(request.content))
    return ok_with(warnings, "PUTSCRIPT completed")
