"""EXAMINE. RFC 3501 §6.3.2, RFC 9051 §6.3.3."""

from mailstack.servers.imap.select import open_mailbox
from mailstack.servers.imap.session import Completed, Session, ok
from mailstack.wire.imap.commands.examine import Examine


async def run(session: Session, request: Examine) -> Completed:
    await open_mailbox(session, request.mailbox, request.parameters, is_read_only=True)
    return ok("EXAMINE completed", "READ-ONLY")
