"""CAPABILITY. RFC 9051 §6.1.1."""

from mailstack.servers.imap.session import Completed, Session, ok
from mailstack.wire.imap.commands.capability import Capability
from mailstack.wire.imap.responses import CapabilityData


async def run(session: Session, _request: Capability) -> Completed:
    session.connection.say(CapabilityData(names=session.capabilities))
    return ok("CAPABILITY completed")
