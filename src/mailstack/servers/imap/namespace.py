"""NAMESPACE. RFC 2342 §5."""

from mailstack.model.mailbox import DELIMITER
from mailstack.servers.imap.session import Completed, Session, ok
from mailstack.wire.imap.commands.namespace import Namespace
from mailstack.wire.imap.responses import NamespaceData


async def run(session: Session, _request: Namespace) -> Completed:
    session.connection.say(NamespaceData(delimiter=DELIMITER))
    return ok("NAMESPACE completed")
