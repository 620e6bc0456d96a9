"""RENAMESCRIPT. RFC 5804 §2.11."""

from mailstack.model.log_events import plain
from mailstack.servers.managesieve.replies import ok
from mailstack.servers.managesieve.session import LOGGED_SCRIPT, Session
from mailstack.wire.managesieve.commands.renamescript import RenameScript
from mailstack.wire.managesieve.responses import Reply


async def run(session: Session, request: RenameScript) -> Reply:
    await session.service.scripts.rename(session.account_id, request.name, request.new_name)
    session.tell("script renamed", request.name, to=plain(request.new_name, LOGGED_SCRIPT))
    return ok("RENAMESCRIPT completed")
