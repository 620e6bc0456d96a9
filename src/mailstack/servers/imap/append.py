"""APPEND: the message was spooled while it came. RFC 9051 §6.3.12, RFC 4315 §3 (APPENDUID)."""

from mailstack.model.errors import TryAgainLater
from mailstack.servers.imap.session import Completed, Session, no, ok
from mailstack.services.mailbox.append import append
from mailstack.services.mailbox.tree import load_tree
from mailstack.wire.imap.commands.append import Append

TRY_CREATE = no("No such mailbox", "TRYCREATE")
"""RFC 9051 §6.3.12, §6.4.7: the client may create it and try again."""


async def run(session: Session, request: Append) -> Completed:
    mailbox = (await load_tree(session.mail)).find(request.mailbox)
    if mailbox is None:
        return TRY_CREATE
    if session.spool is None:
        raise TryAgainLater("the message could not be spooled")
    received_at = request.received_at if request.received_at is not None else session.service.clock()
    appended = await append(
        session.mail, mailbox.mailbox_id, session.spool.octets(), flags=request.flags, received_at=received_at
    )
    return ok("APPEND completed", f"APPENDUID {mailbox.uid_validity} {appended.uid}")
