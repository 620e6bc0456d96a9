"""CAPABILITY. RFC 5804 §2.4."""

from mailstack.servers.managesieve.replies import ok
from mailstack.servers.managesieve.session import Session
from mailstack.wire.managesieve.commands.capability import Capability
from mailstack.wire.managesieve.responses import Reply


async def run(session: Session, _request: Capability) -> Reply:
    session.connection.say(*session.capabilities)
    return ok("CAPABILITY completed")
