"""MOVE and UID MOVE. RFC 6851 §3, RFC 9051 §6.4.8, RFC 7162 §3.2."""

from mailstack.servers.imap.copy import all_gone, copy_uid
from mailstack.servers.imap.expunge import told
from mailstack.servers.imap.numbered import choose
from mailstack.servers.imap.receiving import TRY_CREATE
from mailstack.servers.imap.session import Completed, Session, ok
from mailstack.services.mailbox.copy_move import move
from mailstack.services.mailbox.places import find_target
from mailstack.wire.imap.commands.move import Move
from mailstack.wire.imap.responses import Condition, Untagged


async def run(session: Session, request: Move) -> Completed:
    chosen = await choose(session, request.messages)
    target = await find_target(session.mail, request.mailbox)
    if target is None:
        return TRY_CREATE
    if not chosen.uids:
        return ok("MOVE of nothing completed")
    moved = await move(session.mailbox, chosen.uid_set, target)
    if not moved.pairs:
        return all_gone(request.messages, "MOVE")
    # RFC 6851 §4.3: COPYUID comes before the EXPUNGE responses, so in an untagged OK.
    session.connection.say(Untagged(condition=Condition.OK, code=copy_uid(moved), text="Moved"))
    return await told(session, "MOVE completed")
