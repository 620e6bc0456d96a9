"""EXPUNGE and UID EXPUNGE. RFC 9051 §6.4.3, RFC 4315 §2.1. What went is told by the updates after the command."""

from mailstack.servers.imap.session import Completed, Session, ok
from mailstack.services.mailbox.expunge import expunge
from mailstack.wire.imap.commands.expunge import Expunge


async def run(session: Session, request: Expunge) -> Completed:
    selected = session.mailbox
    if request.uids is None:
        await expunge(selected)
    else:
        await expunge(selected, (await selected.choose(request.uids, is_uid=True)).uid_set)
    return ok("EXPUNGE completed")
