"""CLOSE: expunges without saying so, and deselects. RFC 9051 §6.4.1."""

from mailstack.servers.imap.session import Completed, Session, ok
from mailstack.services.mailbox.expunge import expunge_at_close
from mailstack.wire.imap.commands.close import Close


async def run(session: Session, _request: Close) -> Completed:
    selected = session.mailbox
    session.selected = None
    await expunge_at_close(selected)
    return ok("CLOSE completed")
