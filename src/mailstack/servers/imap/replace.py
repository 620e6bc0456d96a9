"""REPLACE and UID REPLACE: a new message comes and an old one goes in one step. RFC 8508 §3."""

from mailstack.model.ids import Uid
from mailstack.servers.imap.append import append_uid
from mailstack.servers.imap.numbered import choose
from mailstack.servers.imap.receiving import TRY_CREATE, target_of
from mailstack.servers.imap.session import Completed, Session, no, ok
from mailstack.services.mailbox.append import replace
from mailstack.wire.imap.commands.replace import Replace
from mailstack.wire.imap.responses import Condition, Untagged


async def run(session: Session, request: Replace) -> Completed:
    if session.receipt is None:
        raise RuntimeError("no message has come")
    chosen = await choose(session, request.message)
    if not chosen.uids:
        return no("No such message", "NONEXISTENT")
    target = await target_of(session, session.receipt)
    if target is None:
        return TRY_CREATE
    (arrival,) = session.receipt.arrivals(session.service.clock())
    appended = await replace(
        session.mailbox, Uid(chosen.uids[0]), arrival, target_mail=target.mail, target=target.mailbox_id
    )
    # RFC 8508 §4.3: before the EXPUNGE, which comes with the news at the command's end.
    code = append_uid(target.uid_validity, appended)
    session.connection.say(Untagged(condition=Condition.OK, code=code, text="Replacement message ready"))
    return ok("REPLACE completed")
