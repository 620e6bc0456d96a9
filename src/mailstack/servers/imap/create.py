"""CREATE. RFC 9051 §6.3.4, RFC 6154 §3 (USE), RFC 8474 §4.1 (MAILBOXID)."""

from mailstack.model.objectid import mailbox_object_id
from mailstack.servers.imap.session import Completed, Session, ok
from mailstack.services.mailbox import hierarchy
from mailstack.services.mailbox.special_use import role_of
from mailstack.wire.imap.commands.create import Create


async def run(session: Session, request: Create) -> Completed:
    place = await hierarchy.create(session.mail, request.mailbox, role=role_of(request.uses))
    object_id = mailbox_object_id(place.mail.account_id, place.mailbox.mailbox_id)
    return ok("CREATE completed", f"MAILBOXID ({object_id})")
