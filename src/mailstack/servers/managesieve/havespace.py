"""HAVESPACE. RFC 5804 §2.5."""

from mailstack.servers.managesieve.replies import ok
from mailstack.servers.managesieve.session import Session
from mailstack.wire.managesieve.commands.havespace import HaveSpace
from mailstack.wire.managesieve.responses import Reply


async def run(session: Session, request: HaveSpace) -> Reply:
    await session.service.scripts.check_space(session.account_id, request.name, request.size_octets)
    return ok("There is space")
