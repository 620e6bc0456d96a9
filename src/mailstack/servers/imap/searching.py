"""What SEARCH, SORT, THREAD and ESEARCH share: how a question of this session is put, how results are told and saved.

RFC 9051 §6.4.4, RFC 4731, RFC 5182, RFC 9394 §3.2.
"""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from mailstack.model.ids import MailboxId, ModSeq
from mailstack.model.instant import SECOND_MS, Instant
from mailstack.model.numset import NumSet, numset_of
from mailstack.model.query import (
    AgeRange,
    Everything,
    InSequence,
    InstantRange,
    InUids,
    ModSeqAtLeast,
    Not,
    Query,
    SavedResult,
    TimeField,
    nodes,
    rewritten,
)
from mailstack.servers.imap.condstore import enable_condstore
from mailstack.servers.imap.session import Completed, SavedSearch, Session, no
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.mod_seqs import highest_of
from mailstack.services.mailbox.relevancy import relevancy
from mailstack.services.mailbox.selected import SelectedMailbox
from mailstack.wire.imap.search_data import EsearchData, esearch_pieces
from mailstack.wire.imap.search_keys import CHARSETS
from mailstack.wire.imap.search_returns import ReturnItem, Returns

MAX_SAVED = 1_000_000
"""Messages that `$` may stand for: 4 MB."""
NOT_SAVED = no("Too many messages to remember", "NOTSAVED")
"""RFC 5182 §2.5."""
NOTHING = Not(Everything())


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """Messages in the order in which they are told. told: numbers or UIDs, as was asked. scores: by UID, if at all."""

    told: Sequence[int]
    uids: Sequence[int]
    scores: Mapping[int, int] = field(default_factory=dict)


def refused_charset(session: Session, returns: Returns | None) -> Completed:
    """RFC 5182 §2.1: NO to a SEARCH that was to save leaves nothing saved."""
    if returns is not None and returns.saves:
        session.saved_search = None
    return no("Unknown charset", f"BADCHARSET ({' '.join(CHARSETS)})")


def own_query(session: Session, query: Query) -> Query:
    """What only this session at this moment understands, in terms that everybody does."""
    if speaks_of_mod_seqs(query):
        enable_condstore(session)  # RFC 7162 §3.1: SEARCH with MODSEQ is a CONDSTORE enabling command
    now_s = session.service.clock() // SECOND_MS

    def leaf(term: Query) -> Query:
        match term:
            case AgeRange(older_s, younger_s):
                return _instants(now_s, older_s, younger_s)
            case SavedResult():
                return InUids(numset_of(session.saved_uids)) if session.saved_uids else NOTHING
            case InSequence(numbers):
                return _existing(numbers, session.mailbox.count)
            case _:
                return term

    return rewritten(query, leaf)


def foreign_query(session: Session, query: Query) -> Query:
    """The same for mailboxes that are not selected: nothing of theirs is in `$`, and their numbers are their own."""
    now_s = session.service.clock() // SECOND_MS

    def leaf(term: Query) -> Query:
        match term:
            case AgeRange(older_s, younger_s):
                return _instants(now_s, older_s, younger_s)
            case SavedResult():
                return NOTHING
            case _:
                return term

    return rewritten(query, leaf)


def speaks_of_mod_seqs(query: Query) -> bool:
    return any(isinstance(node, ModSeqAtLeast) for node in nodes(query))


async def answer(
    session: Session, query: Query, returns: Returns, results: Results, *, is_uid: bool
) -> Completed | None:
    """One ESEARCH response, and `$`. Returns how the command ends if it cannot end well."""
    refused = save(session, returns, results) if returns.saves else None
    if refused is not None or returns.is_silent:
        return refused
    selected = session.mailbox
    results = await scored(selected.mail, selected.mailbox_id, query, returns, results)
    mod_seq = None
    if speaks_of_mod_seqs(query) and results.uids:
        mod_seq = await highest(selected, returned_uids(returns, results))
    data = EsearchData(tag=session.tag, is_uid=is_uid, mod_seq=mod_seq)
    await say_pieces(session, esearch_pieces(filled(data, returns, results), is_utf8=session.is_utf8))
    return None


def save(session: Session, returns: Returns, results: Results) -> Completed | None:
    """Makes `$` hold what is returned. How the command ends if it cannot."""
    uids = returned_uids(returns, results)
    if len(uids) > MAX_SAVED:
        return NOT_SAVED
    session.saved_search = SavedSearch(view=session.mailbox, uids=array("I", uids))
    return None


def filled(data: EsearchData, returns: Returns, results: Results) -> EsearchData:
    """With what was asked for."""
    items, told = returns.items, results.told
    scores = None
    if ReturnItem.RELEVANCY in items:
        # RFC 6203 §4: one for each message that is told, in their order
        scores = [results.scores[results.uids[place]] for place in returned_places(returns, len(told))]
    return replace(
        data,
        min=told[0] if told and ReturnItem.MIN in items else None,
        max=told[-1] if told and ReturnItem.MAX in items else None,
        all=told if ReturnItem.ALL in items else None,
        partial=None if returns.partial is None else (returns.partial, told[returns.partial.of(len(told))]),
        count=len(told) if ReturnItem.COUNT in items else None,
        scores=scores,
    )


def returned_places(returns: Returns, count: int) -> Sequence[int]:
    """Which of so many results are returned, and so what `$` is to hold and what MODSEQ is to be the highest of; a
    range says all.

    RFC 4731 §3.2, RFC 5182 §2.4, RFC 9394 §3.2: MIN, MAX and PARTIAL return few, COUNT and ALL all of them.
    """
    items = returns.items
    is_narrow = returns.partial is not None or ReturnItem.MIN in items or ReturnItem.MAX in items
    if not is_narrow or not items.isdisjoint({ReturnItem.ALL, ReturnItem.COUNT}):
        return range(count)
    places = set() if returns.partial is None else set(range(count)[returns.partial.of(count)])
    if count and ReturnItem.MIN in items:
        places.add(0)
    if count and ReturnItem.MAX in items:
        places.add(count - 1)
    return sorted(places)


def returned_uids(returns: Returns, results: Results) -> Sequence[int]:
    """Ascending."""
    places = returned_places(returns, len(results.uids))
    return sorted(results.uids if isinstance(places, range) else map(results.uids.__getitem__, places))


async def scored(mail: AccountMail, mailbox_id: MailboxId, query: Query, returns: Returns, results: Results) -> Results:
    """With the scores that are asked for. RFC 6203 §4."""
    if ReturnItem.RELEVANCY not in returns.items or results.scores:
        return results
    return replace(results, scores=await relevancy(mail, mailbox_id, query, results.uids))


async def highest(selected: SelectedMailbox, uids: Sequence[int]) -> ModSeq | None:
    return await highest_of(selected.mail, selected.mailbox_id, uids)


async def say_pieces(session: Session, pieces: Iterable[bytes]) -> None:
    for piece in pieces:
        session.connection.say_octets(piece)
        await session.connection.flush_when_full()


def _instants(now_s: int, older_s: int | None, younger_s: int | None) -> Query:
    """RFC 5032 §2: either end counts, to the resolution of a second."""
    first = None if younger_s is None else Instant((now_s - younger_s) * SECOND_MS)
    last = None if older_s is None else Instant((now_s - older_s + 1) * SECOND_MS)
    return InstantRange(TimeField.RECEIVED, first, last)


def _existing(numbers: NumSet, count: int) -> Query:
    """RFC 7377 §2: in no SEARCH is it an error to name numbers past the end of the mailbox; it must not be, where RFC
    9051 §9 would have a BAD. Dovecot and Cyrus find nothing there either.
    """
    ranges = [(first, min(last, count)) for first, last in numbers.resolved(count).ranges if first <= count]
    return InSequence(NumSet(tuple(ranges))) if count and ranges else NOTHING
