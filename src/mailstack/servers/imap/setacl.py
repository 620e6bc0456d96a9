"""SETACL. RFC 4314 §3.1."""

from mailstack.servers.imap.session import Completed, Session, ok
from mailstack.services.mailbox.sharing import set_rights
from mailstack.wire.imap.commands.setacl import SetAcl


async def run(session: Session, request: SetAcl) -> Completed:
    await set_rights(session.mail, request.mailbox, request.identifier, request.rights, operation=request.operation)
    return ok("SETACL completed")
