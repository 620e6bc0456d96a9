"""LSUB. RFC 3501 §6.3.9."""

from mailstack.model.mailbox import DELIMITER
from mailstack.servers.imap.list import attributes
from mailstack.servers.imap.session import Completed, Session, ok
from mailstack.services.mailbox.listing import list_subscribed
from mailstack.services.mailbox.patterns import Pattern
from mailstack.wire.imap.commands.lsub import Lsub
from mailstack.wire.imap.responses import LsubData


async def run(session: Session, request: Lsub) -> Completed:
    for listed in await list_subscribed(session.mail, Pattern(request.reference, request.pattern)):
        session.connection.say(LsubData(attributes=attributes(listed), delimiter=DELIMITER, name=listed.path))
        await session.connection.flush_when_full()
    return ok("LSUB completed")
