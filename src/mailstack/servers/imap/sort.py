"""SORT and UID SORT. RFC 5256 §3, §4, RFC 5267 §3, RFC 6203 §6, RFC 7162 §3.1.9."""

from collections.abc import Mapping

from mailstack.model.query import Query
from mailstack.model.sorting import SortField
from mailstack.servers.imap.message_limit import limited_query
from mailstack.servers.imap.searching import (
    Results,
    answer,
    highest,
    own_query,
    refused_charset,
    say_pieces,
    speaks_of_mod_seqs,
)
from mailstack.servers.imap.session import Completed, Session, ok
from mailstack.services.mailbox.relevancy import relevancy
from mailstack.services.mailbox.search import search
from mailstack.services.mailbox.selected import Chosen
from mailstack.services.mailbox.sort import sort
from mailstack.wire.imap.commands.sort import Sort
from mailstack.wire.imap.search_data import sort_pieces


async def run(session: Session, request: Sort) -> Completed:
    returns = request.returns
    if request.query is None:
        return refused_charset(session, returns)
    query = await limited_query(session, own_query(session, request.query), is_whole=True)
    if returns is not None and returns.saves:
        session.saved_search = None  # RFC 5182 §2.1: should this end in NO, nothing is saved
    found = await search(session.mailbox, query, report=session.report)
    scores = await _scores(session, request, query, found)
    places = await sort(session.mailbox, found, request.keys, scores)
    uids = [found.uids[place] for place in places]
    numbers = uids if request.wants_uids else [found.numbers[place] for place in places]
    results = Results(told=numbers, uids=uids, scores=scores)
    if returns is None:
        mod_seq = await highest(session.mailbox, found.uids) if speaks_of_mod_seqs(query) else None
        await say_pieces(session, sort_pieces(results.told, mod_seq))
        return ok("SORT completed")
    return await answer(session, query, returns, results, is_uid=request.wants_uids) or ok("SORT completed")


async def _scores(session: Session, request: Sort, query: Query, found: Chosen) -> Mapping[int, int]:
    """RFC 6203 §6: to sort by."""
    if all(key.field is not SortField.RELEVANCY for key in request.keys):
        return {}
    return await relevancy(session.mailbox.mail, session.mailbox.mailbox_id, query, found.uids)
