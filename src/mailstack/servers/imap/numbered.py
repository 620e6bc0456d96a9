"""The messages that a command names, found in the session's view. RFC 9051 §6.4.9."""

from mailstack.model.errors import Invalid
from mailstack.model.ids import Uid
from mailstack.model.query import SavedResult
from mailstack.servers.imap.session import Session
from mailstack.services.mailbox.selected import Chosen
from mailstack.wire.imap.commands.numbered import Numbered
from mailstack.wire.imap.faults import RefusedProblem, SyntaxProblem


async def choose(session: Session, messages: Numbered) -> Chosen:
    """Raises SyntaxProblem: RFC 9051 §9 (seq-number): a number that is no message's is answered BAD.

    Raises RefusedProblem: RFC 9738 §3: more than one command may ask for.
    """
    chosen = await _chosen(session, messages)
    limit = session.service.limits.messages
    if len(chosen.uids) > limit:
        raise RefusedProblem(f"MESSAGELIMIT {limit}", "Too many messages at once")
    return chosen


async def _chosen(session: Session, messages: Numbered) -> Chosen:
    if isinstance(messages.numbers, SavedResult):
        return await session.mailbox.locate([Uid(uid) for uid in session.saved_uids])
    try:
        return await session.mailbox.choose(messages.numbers, is_uid=messages.is_uid)
    except Invalid:
        raise SyntaxProblem("No message has this number") from None
