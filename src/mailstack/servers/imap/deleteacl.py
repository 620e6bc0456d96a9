"""DELETEACL. RFC 4314 §3.2."""

from mailstack.servers.imap.session import Completed, Session, ok
from mailstack.services.mailbox.sharing import remove_identifier
from mailstack.wire.imap.commands.deleteacl import DeleteAcl


async def run(session: Session, request: DeleteAcl) -> Completed:
    await remove_identifier(session.mail, request.mailbox, request.identifier)
    return ok("DELETEACL completed")
