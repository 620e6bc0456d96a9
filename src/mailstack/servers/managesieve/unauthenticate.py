"""UNAUTHENTICATE: the connection starts again as a stranger's, under the same TLS. RFC 5804 §2.14.1."""

from mailstack.servers.managesieve.replies import ok
from mailstack.servers.managesieve.session import Session
from mailstack.wire.managesieve.commands.unauthenticate import Unauthenticate
from mailstack.wire.managesieve.responses import Reply


async def run(session: Session, _request: Unauthenticate) -> Reply:
    session.forget()
    return ok("UNAUTHENTICATE completed")
