"""NOOP: its use is what the session tells after every command. RFC 9051 §6.1.2."""

from mailstack.servers.imap.session import Completed, Session, ok
from mailstack.wire.imap.commands.noop import Noop


async def run(_session: Session, _request: Noop) -> Completed:
    return ok("NOOP completed")
