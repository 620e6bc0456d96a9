"""NAMESPACE. RFC 2342 §5, RFC 9051 §6.3.10."""

from mailstack.model.mailbox import DELIMITER
from mailstack.servers.imap.session import Completed, Session, ok
from mailstack.services.mailbox.places import OTHER_USERS
from mailstack.wire.imap.commands.namespace import Namespace
from mailstack.wire.imap.responses import NamespaceData


async def run(session: Session, _request: Namespace) -> Completed:
    session.connection.say(NamespaceData(delimiter=DELIMITER, others=OTHER_USERS + DELIMITER))
    return ok("NAMESPACE completed")
