"""RENAME. RFC 9051 §6.3.6."""

from mailstack.servers.imap.session import Completed, Session, ok
from mailstack.services.mailbox import hierarchy
from mailstack.wire.imap.commands.rename import Rename


async def run(session: Session, request: Rename) -> Completed:
    await hierarchy.rename(session.mail, request.mailbox, request.new_name)
    return ok("RENAME completed")
