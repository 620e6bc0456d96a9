"""SEARCH and UID SEARCH. RFC 9051 §6.4.4, §7.3.4, RFC 3501 §6.4.4, §7.2.5."""

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
from mailstack.services.mailbox.search import search, search_uids
from mailstack.wire.imap.commands.search import Search
from mailstack.wire.imap.search_data import search_pieces
from mailstack.wire.imap.search_returns import RETURN_ALL


async def run(session: Session, request: Search) -> Completed:
    # RFC 9051 §6.4.4: SEARCH responses are RFC 3501's; once IMAP4rev2 is enabled, it is ESEARCH.
    returns = request.returns or (RETURN_ALL if session.is_rev2 else None)
    if request.query is None:
        return refused_charset(session, returns)
    query = await limited_query(session, own_query(session, request.query), is_whole=False)
    if returns is not None and returns.saves:
        session.saved_search = None  # RFC 5182 §2.1: should this end in NO, nothing is saved
    if request.wants_uids:
        uids = await search_uids(session.mailbox, query, report=session.report)
        results = Results(told=uids, uids=uids)
    else:
        found = await search(session.mailbox, query, report=session.report)
        results = Results(told=found.numbers, uids=found.uids)
    if returns is None:
        mod_seq = await highest(session.mailbox, results.uids) if speaks_of_mod_seqs(query) else None
        await say_pieces(session, search_pieces(results.told, mod_seq))
        return ok("SEARCH completed")
    refused = await answer(session, query, returns, results, is_uid=request.wants_uids)
    return refused or ok("SEARCH completed")
