"""EXPUNGE and UID EXPUNGE. RFC 9051 §6.4.3, RFC 4315 §2.1, RFC 7162 §3.2.7, §3.2.9."""

from mailstack.servers.imap.condstore import highest_code
from mailstack.servers.imap.numbered import choose
from mailstack.servers.imap.session import Completed, Session, ok
from mailstack.servers.imap.updates import tell_updates
from mailstack.services.mailbox.expunge import expunge
from mailstack.wire.imap.commands.expunge import Expunge
from mailstack.wire.imap.commands.numbered import Numbered


async def run(session: Session, request: Expunge) -> Completed:
    selected = session.mailbox
    if request.uids is None:
        await expunge(selected)
    else:
        await expunge(selected, (await choose(session, Numbered(numbers=request.uids, is_uid=True))).uid_set)
    return await told(session, "EXPUNGE completed")


async def told(session: Session, text: str) -> Completed:
    """What went is told before the answer, for that says up to where the client is informed."""
    if not session.is_qresync:
        return ok(text)
    await tell_updates(session, with_expunges=True, is_asked=True)
    return ok(text, highest_code(session) if session.selected is not None else "")
