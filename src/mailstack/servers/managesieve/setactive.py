"""SETACTIVE. RFC 5804 §2.8."""

from mailstack.servers.managesieve.replies import ok
from mailstack.servers.managesieve.session import Session
from mailstack.wire.managesieve.commands.setactive import SetActive
from mailstack.wire.managesieve.responses import Reply


async def run(session: Session, request: SetActive) -> Reply:
    await session.service.scripts.activate(session.account_id, request.name)
    session.tell("script activated" if request.name else "no script active", request.name or "")
    return ok("SETACTIVE completed")
