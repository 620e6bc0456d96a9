"""GETACL. RFC 4314 §3.3, §3.6."""

from mailstack.model.rights import shown_rights
from mailstack.servers.imap.session import Completed, Session, ok
from mailstack.services.mailbox.sharing import list_grants
from mailstack.wire.imap.commands.getacl import GetAcl
from mailstack.wire.imap.responses import AclData


async def run(session: Session, request: GetAcl) -> Completed:
    place, grants = await list_grants(session.mail, request.mailbox)
    entries = tuple((grant.identifier, shown_rights(grant.rights)) for grant in grants)
    session.connection.say(AclData(name=place.path, entries=entries))
    return ok("GETACL completed")
