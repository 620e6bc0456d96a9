"""SETMETADATA. RFC 5464 §4.3, §4.5."""

from mailstack.model.annotation import MAX_VALUE_OCTETS
from mailstack.model.errors import TooLarge, TooMany
from mailstack.servers.imap.session import Completed, Session, no, ok
from mailstack.services.mailbox.metadata import write
from mailstack.wire.imap.commands.setmetadata import SetMetadata


async def run(session: Session, request: SetMetadata) -> Completed:
    try:
        await write(session.mail, request.mailbox, request.entries)
    except TooMany:
        return no("Too many entries", "METADATA TOOMANY")
    except TooLarge:
        return no("The value is too long", f"METADATA MAXSIZE {MAX_VALUE_OCTETS}")
    return ok("SETMETADATA completed")
