"""GETJMAPACCESS: where the same mail is to be had over JMAP. RFC 9698 §3."""

from mailstack.servers.imap.session import Completed, Session, bad, ok
from mailstack.wire.imap.commands.getjmapaccess import GetJmapAccess
from mailstack.wire.imap.responses import JmapAccessData


async def run(session: Session, _request: GetJmapAccess) -> Completed:
    url = session.jmap_url
    if url is None:
        return bad("GETJMAPACCESS is not offered")
    session.connection.say(JmapAccessData(url=url))
    return ok("GETJMAPACCESS completed")
