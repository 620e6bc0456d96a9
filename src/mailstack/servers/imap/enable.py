"""ENABLE. RFC 5161: what is not known, or not offered here, is passed over."""

from mailstack.servers.imap.condstore import tell_highest
from mailstack.servers.imap.session import Completed, Session, ok
from mailstack.wire.imap.capability import ENABLED_BY_CLIENT
from mailstack.wire.imap.commands.enable import Enable
from mailstack.wire.imap.responses import EnabledData


async def run(session: Session, request: Enable) -> Completed:
    offered = {name.upper() for name in session.capabilities}
    # RFC 5161 §3.1: ENABLE is for the state before a mailbox is selected; who comes later does no harm.
    names = [name for name in dict.fromkeys(request.capabilities) if name in ENABLED_BY_CLIENT and name in offered]
    fresh = [name for name in names if name not in session.enabled]
    had_condstore = session.is_condstore
    session.enabled.update(fresh)
    session.connection.say(EnabledData(names=tuple(ENABLED_BY_CLIENT[name] for name in fresh)))
    if session.is_utf8:
        session.use_utf8(is_on=True)
    if session.is_condstore and not had_condstore:
        tell_highest(session)
    return ok("ENABLE completed")
