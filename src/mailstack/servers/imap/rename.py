"""RENAME. RFC 9051 §6.3.6."""

from mailstack.model.mailbox import DELIMITER
from mailstack.servers.imap.session import Completed, Session, ok
from mailstack.services.mailbox import hierarchy
from mailstack.wire.imap.commands.rename import Rename
from mailstack.wire.imap.responses import ListData


async def run(session: Session, request: Rename) -> Completed:
    before, new_name = await hierarchy.rename(session.mail, request.mailbox, request.new_name)
    if session.is_rev2:
        # RFC 9051 §6.3.6: what the server made of the two names.
        session.connection.say(ListData(attributes=(), delimiter=DELIMITER, name=new_name, old_name=before.path))
    return ok("RENAME completed")
