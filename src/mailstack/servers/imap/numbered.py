"""The messages that a command names, found in the session's view. RFC 9051 §6.4.9."""

from mailstack.model.errors import Invalid
from mailstack.model.ids import Uid
from mailstack.model.query import SavedResult
from mailstack.servers.imap.message_limit import limited
from mailstack.servers.imap.session import Session
from mailstack.services.mailbox.selected import Chosen
from mailstack.wire.imap.commands.numbered import Numbered
from mailstack.wire.imap.faults import SyntaxProblem
from mailstack.wire.imap.partial import PartialRange


async def choose(
    session: Session, messages: Numbered, *, page: PartialRange | None = None, is_whole: bool = False
) -> Chosen:
    """At most as many as one command may be about. page: of them; is_whole: all or nothing.

    Raises SyntaxProblem: RFC 9051 §9 (seq-number): a number that is no message's is answered BAD.
    Raises RefusedProblem: RFC 9738 §3.1.
    """
    chosen = await _chosen(session, messages)
    if page is not None:
        part = page.of(len(chosen.uids))
        chosen = Chosen(numbers=chosen.numbers[part], uids=chosen.uids[part])
    return limited(session, chosen, is_whole=is_whole or page is not None)


async def _chosen(session: Session, messages: Numbered) -> Chosen:
    if isinstance(messages.numbers, SavedResult):
        return await session.mailbox.locate([Uid(uid) for uid in session.saved_uids])
    try:
        return await session.mailbox.choose(messages.numbers, is_uid=messages.is_uid)
    except Invalid:
        raise SyntaxProblem("No message has this number") from None
