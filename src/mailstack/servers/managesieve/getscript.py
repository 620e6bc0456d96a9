"""GETSCRIPT. RFC 5804 §2.9."""

from mailstack.servers.managesieve.replies import ok
from mailstack.servers.managesieve.session import Session
from mailstack.wire.managesieve.commands.getscript import GetScript
from mailstack.wire.managesieve.responses import Reply, ScriptContent


async def run(session: Session, request: GetScript) -> Reply:
    content = await session.service.scripts.read(session.account_id, request.name)
    session.connection.say(ScriptContent(content))
    return ok("GETSCRIPT completed")
