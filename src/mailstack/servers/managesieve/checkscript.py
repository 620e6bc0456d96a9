"""CHECKSCRIPT. RFC 5804 §2.12."""

from mailstack.servers.managesieve.replies import ok_with
from mailstack.servers.managesieve.session import Session
from mailstack.wire.managesieve.commands.checkscript import CheckScript
from mailstack.wire.managesieve.responses import Reply


async def run(session: Session, request: CheckScript) -> Reply:
    warnings = await session.service.scripts.check(session.account_id, request.content)
    return ok_with(warnings, "The script is good")
