"""LISTRIGHTS. RFC 4314 §3.4, §3.7."""

from mailstack.model.rights import OBSOLETE_LETTERS, Right, shown_rights
from mailstack.servers.imap.session import Completed, Session, ok
from mailstack.services.mailbox.sharing import grantable_rights
from mailstack.wire.imap.commands.listrights import ListRights
from mailstack.wire.imap.responses import ListRightsData

# RFC 4314 §3.7: no two are tied together.
_ONE_BY_ONE = (*(right.value for right in Right), *OBSOLETE_LETTERS)


async def run(session: Session, request: ListRights) -> Completed:
    place, required = await grantable_rights(session.mail, request.mailbox, request.identifier)
    session.connection.say(
        ListRightsData(
            name=place.path,
            identifier=request.identifier,
            required=shown_rights(required),
            optional=() if required else _ONE_BY_ONE,
        )
    )
    return ok("LISTRIGHTS completed")
