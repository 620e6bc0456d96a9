"""SUBSCRIBE. RFC 9051 §6.3.7."""

from mailstack.servers.imap.session import Completed, Session, ok
from mailstack.services.mailbox import hierarchy
from mailstack.wire.imap.commands.subscribe import Subscribe


async def run(session: Session, request: Subscribe) -> Completed:
    await hierarchy.subscribe(session.mail, request.mailbox, is_subscribed=True)
    return ok("SUBSCRIBE completed")
