"""MESSAGELIMIT: of more messages than one command may be about, those with the highest UIDs. RFC 9738 §3.1.

Commands that do all or nothing (COPY, SORT, THREAD, FETCH of a page) are refused instead.
"""

from dataclasses import replace

from mailstack.model.numset import STAR, NumSet, numset_of
from mailstack.model.query import And, InSequence, InUids, Query
from mailstack.servers.imap.session import Completed, Session
from mailstack.services.mailbox.selected import Chosen
from mailstack.wire.imap.faults import RefusedProblem
from mailstack.wire.imap.responses import Condition, Untagged

_EVERYTHING = NumSet(((1, STAR),))
_TEXT = "Too many messages at once"


def limited(session: Session, chosen: Chosen, *, is_whole: bool) -> Chosen:
    """is_whole: all or nothing. Raises RefusedProblem."""
    limit = session.service.limits.messages
    if len(chosen.uids) <= limit:
        return chosen
    lowest = chosen.uids[-limit]
    if is_whole:
        raise RefusedProblem(_code(session, lowest), _TEXT)
    session.lowest_processed = lowest
    return Chosen(numbers=chosen.numbers[-limit:], uids=chosen.uids[-limit:])


async def limited_query(session: Session, query: Query, *, is_whole: bool) -> Query:
    """What counts is how many are looked at, not how many are found. Raises RefusedProblem."""
    if session.mailbox.count <= session.service.limits.messages:
        return query
    asked = await _candidates(session, query)
    chosen = limited(session, asked, is_whole=is_whole)
    return query if chosen is asked else And((query, InUids(chosen.uid_set)))


def with_limit(session: Session, completed: Completed) -> Completed:
    """RFC 9738 §3.1: the code in the tagged OK, or before it where that has another one."""
    lowest = session.lowest_processed
    if lowest is None or completed.condition is not Condition.OK:
        return completed
    if completed.code:
        session.connection.say(Untagged(condition=Condition.NO, code=_code(session, lowest), text=_TEXT))
        return completed
    return replace(completed, code=_code(session, lowest))


async def _candidates(session: Session, query: Query) -> Chosen:
    """Whom the query can find at all: a client that goes on below what was processed names them by UID."""
    uids = set((await session.mailbox.choose(_EVERYTHING, is_uid=True)).uids)
    for term in query.terms if isinstance(query, And) else (query,):
        match term:
            case InSequence(numbers):
                uids.intersection_update((await session.mailbox.choose(numbers, is_uid=False)).uids)
            case InUids(numbers):
                uids.intersection_update((await session.mailbox.choose(numbers, is_uid=True)).uids)
            case _:
                pass
    return await session.mailbox.choose(numset_of(uids), is_uid=True)


def _code(session: Session, lowest: int) -> str:
    return f"MESSAGELIMIT {session.service.limits.messages} {lowest}"
