"""IDLE: what happens is told as it happens. RFC 2177, RFC 9051 §6.3.13."""

import structlog

from mailstack.model.errors import DomainError
from mailstack.model.instant import SECOND_MS
from mailstack.ports.bus import account_topic
from mailstack.servers.imap.session import Completed, Session, State, bad, ok
from mailstack.servers.imap.updates import tell_updates
from mailstack.wire.imap.commands.idle import Idle
from mailstack.wire.imap.events import Event, IdleEnds
from mailstack.wire.imap.responses import Condition, Continuation, Untagged

log = structlog.get_logger()

_STILL_HERE = Untagged(condition=Condition.OK, text="Still here")


async def run(session: Session, _request: Idle) -> Completed:
    session.connection.say(Continuation(data=b"idling"))
    session.connection.machine.await_done()
    watched = session.mail if session.selected is None else session.selected.mail
    unwatch = session.service.bus.watch(account_topic(watched.account_id), session.connection.wake)
    try:
        event = await _wait(session)
    finally:
        unwatch()
    return ok("IDLE completed") if isinstance(event, IdleEnds) and event.is_done else bad("Expected DONE")


async def _wait(session: Session) -> Event | None:
    """Until the client says something. None: the session is over. Raises TimeoutError after half an hour of silence."""
    limits, clock = session.service.limits, session.service.clock
    now = clock()
    end, next_sign = now + limits.idle_s * SECOND_MS, now + limits.idle_sign_s * SECOND_MS
    while True:
        await _tell(session)
        if session.state is State.LOGOUT:
            return None
        event = await session.connection.next_event_or_wake(limits.idle_poll_s)
        if event is not None:
            return event
        now = clock()
        if now > end:
            raise TimeoutError
        if now > next_sign:
            # Address translators forget a connection on which nothing is said, and neither side would notice.
            session.connection.say(_STILL_HERE)
            next_sign = now + limits.idle_sign_s * SECOND_MS


async def _tell(session: Session) -> None:
    """A fault that passes does not end IDLE: the client would go on waiting for what nobody tells it any more."""
    try:
        await tell_updates(session, with_expunges=True)
    except DomainError as fault:
        log.warning("updates", error=type(fault).__name__, detail=fault.detail)
