"""IDLE: what happens is told as it happens. RFC 2177, RFC 9051 §6.3.13."""

from mailstack.model.instant import SECOND_MS
from mailstack.ports.bus import account_topic
from mailstack.servers.imap.session import Completed, Session, State, bad, ok
from mailstack.servers.imap.updates import tell_updates
from mailstack.wire.imap.events import Event, IdleEnds
from mailstack.wire.imap.responses import Continuation


async def run(session: Session) -> Completed:
    session.connection.say(Continuation(data=b"idling"))
    session.connection.machine.await_done()
    unwatch = session.service.bus.watch(account_topic(session.mail.account_id), session.connection.wake)
    try:
        event = await _wait(session)
    finally:
        unwatch()
    return ok("IDLE completed") if isinstance(event, IdleEnds) and event.is_done else bad("Expected DONE")


async def _wait(session: Session) -> Event | None:
    """Until the client says something. None: the session is over. Raises TimeoutError after half an hour of silence."""
    limits, clock = session.service.limits, session.service.clock
    end = clock() + limits.idle_s * SECOND_MS
    while True:
        await tell_updates(session, with_expunges=True)
        if session.state is State.LOGOUT:
            return None
        event = await session.connection.next_event_or_wake(limits.idle_poll_s)
        if event is not None:
            return event
        if clock() > end:
            raise TimeoutError
