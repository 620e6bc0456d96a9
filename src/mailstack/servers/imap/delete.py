"""DELETE. RFC 9051 §6.3.5."""

from mailstack.model.errors import Conflict
from mailstack.servers.imap.session import Completed, Session, no, ok
from mailstack.services.mailbox import hierarchy
from mailstack.wire.imap.commands.delete import Delete


async def run(session: Session, request: Delete) -> Completed:
    try:
        deleted = await hierarchy.delete(session.mail, request.mailbox)
    except Conflict:
        return no("The mailbox has children", "HASCHILDREN")  # RFC 9051 §6.3.5
    selected = session.selected
    if (
        selected is not None
        and selected.mailbox_id == deleted.mailbox.mailbox_id
        and selected.mail.account_id == deleted.mail.account_id
    ):
        session.selected = None
    return ok("DELETE completed")
