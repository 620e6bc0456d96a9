"""What a session does while its client is silent and wants to hear what happens: in IDLE, and after NOTIFY.

RFC 2177, RFC 5465 §4. No task waits beside the read: the bus cuts it short.
"""

import structlog

from mailstack.model.errors import DomainError
from mailstack.model.instant import SECOND_MS
from mailstack.ports.bus import account_topic
from mailstack.servers.imap.session import Session, State
from mailstack.servers.imap.updates import tell_updates
from mailstack.servers.imap.watch_news import tell_watched
from mailstack.wire.imap.events import Event
from mailstack.wire.imap.responses import Condition, Untagged

log = structlog.get_logger()

_STILL_HERE = Untagged(condition=Condition.OK, text="Still here")


async def wait(session: Session, *, with_expunges: bool) -> Event | None:
    """Until the client says something. None: the session is over. Raises TimeoutError after half an hour of silence."""
    bus, wake = session.service.bus, session.connection.wake
    ends = [bus.watch(topic, wake) for topic in _topics(session)]
    try:
        return await _wait(session, with_expunges=with_expunges)
    finally:
        for end in ends:
            end()


def _topics(session: Session) -> set[str]:
    mails = [session.mail]
    if session.selected is not None:
        mails.append(session.selected.mail)
    if session.watch is not None:
        mails += [account.mail for account in session.watch.accounts]
    return {account_topic(mail.account_id) for mail in mails}


async def _wait(session: Session, *, with_expunges: bool) -> Event | None:
    limits, clock = session.service.limits, session.service.clock
    now = clock()
    end, next_sign = now + limits.idle_s * SECOND_MS, now + limits.idle_sign_s * SECOND_MS
    while True:
        await _tell(session, with_expunges=with_expunges)
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


async def _tell(session: Session, *, with_expunges: bool) -> None:
    """A fault that passes does not end it: the client would go on waiting for what nobody tells it any more."""
    try:
        await tell_updates(session, with_expunges=with_expunges)
        if session.watch is not None:
            await tell_watched(session, session.watch)
    except DomainError as fault:
        log.warning("updates", error=type(fault).__name__, detail=fault.detail)
