"""CREATE. RFC 9051 §6.3.4."""

from mailstack.servers.imap.session import Completed, Session, ok
from mailstack.services.mailbox import hierarchy
from mailstack.wire.imap.commands.create import Create


async def run(session: Session, request: Create) -> Completed:
    await hierarchy.create(session.mail, request.mailbox)
    return ok("CREATE completed")
