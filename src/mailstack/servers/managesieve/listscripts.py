"""LISTSCRIPTS. RFC 5804 §2.7."""

from mailstack.servers.managesieve.replies import ok
from mailstack.servers.managesieve.session import Session
from mailstack.wire.managesieve.commands.listscripts import ListScripts
from mailstack.wire.managesieve.responses import ListedScript, Reply


async def run(session: Session, _request: ListScripts) -> Reply:
    for entry in await session.service.scripts.all(session.account_id):
        session.connection.say(ListedScript(name=entry.name, is_active=entry.is_active))
    return ok("LISTSCRIPTS completed")
