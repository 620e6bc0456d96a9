"""CHECK: every change is on disk before it is answered, so there is nothing to check. RFC 3501 §6.4.1."""

from mailstack.servers.imap.session import Completed, Session, ok
from mailstack.wire.imap.commands.check import Check


async def run(_session: Session, _request: Check) -> Completed:
    return ok("CHECK completed")
