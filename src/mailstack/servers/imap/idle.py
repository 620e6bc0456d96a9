"""IDLE: what happens is told as it happens. RFC 2177, RFC 9051 §6.3.13."""

from mailstack.servers.imap.session import Completed, Session, bad, ok
from mailstack.servers.imap.waiting import wait
from mailstack.wire.imap.commands.idle import Idle
from mailstack.wire.imap.events import IdleEnds
from mailstack.wire.imap.responses import Continuation


async def run(session: Session, _request: Idle) -> Completed:
    session.connection.say(Continuation(data=b"idling"))
    session.machine.await_done()
    event = await wait(session, with_expunges=True)
    is_fault = isinstance(event, IdleEnds) and not event.is_done
    return bad("Expected DONE") if is_fault else ok("IDLE completed")
