"""UNSUBSCRIBE. RFC 9051 §6.3.8."""

from mailstack.servers.imap.session import Completed, Session, ok
from mailstack.services.mailbox import hierarchy
from mailstack.wire.imap.commands.unsubscribe import Unsubscribe


async def run(session: Session, request: Unsubscribe) -> Completed:
    await hierarchy.subscribe(session.mail, request.mailbox, is_subscribed=False)
    return ok("UNSUBSCRIBE completed")
