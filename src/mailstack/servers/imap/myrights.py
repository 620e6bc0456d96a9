"""MYRIGHTS. RFC 4314 §3.5, §3.8."""

from mailstack.model.rights import shown_rights
from mailstack.servers.imap.session import Completed, Session, ok
from mailstack.services.mailbox.sharing import my_rights
from mailstack.wire.imap.commands.myrights import MyRights
from mailstack.wire.imap.responses import MyRightsData


async def run(session: Session, request: MyRights) -> Completed:
    place = await my_rights(session.mail, request.mailbox)
    session.connection.say(MyRightsData(name=place.path, rights=shown_rights(place.rights)))
    return ok("MYRIGHTS completed")
