"""LOGOUT. RFC 5804 §2.3."""

from mailstack.servers.managesieve.replies import ok
from mailstack.servers.managesieve.session import Session
from mailstack.wire.managesieve.commands.logout import Logout
from mailstack.wire.managesieve.responses import Reply


async def run(session: Session, _request: Logout) -> Reply:
    session.finish()
    return ok("Logging out")
