"""ESEARCH: one response for each mailbox in which something was found. RFC 7377 §2."""

import asyncio

from mailstack.model.query import Query
from mailstack.servers.imap.searching import (
    Results,
    filled,
    foreign_query,
    own_query,
    refused_charset,
    returned_uids,
    save,
    say_pieces,
    scored,
    speaks_of_mod_seqs,
)
from mailstack.servers.imap.session import Completed, Session, bad, ok
from mailstack.services.mailbox.mod_seqs import highest_of
from mailstack.services.mailbox.multisearch import search_place, searched_places
from mailstack.services.mailbox.places import Place
from mailstack.services.mailbox.search import search_uids
from mailstack.wire.imap.commands.esearch import Esearch
from mailstack.wire.imap.search_data import EsearchData, esearch_pieces
from mailstack.wire.imap.search_returns import Returns


async def run(session: Session, request: Esearch) -> Completed:
    if request.names_selected and session.selected is None:
        return bad("No mailbox is selected")  # RFC 7377 §2.2
    if request.query is None:
        return refused_charset(session, request.returns)
    query = own_query(session, request.query) if session.selected is not None else request.query
    foreign = foreign_query(session, request.query)
    if request.returns.saves:
        session.saved_search = None  # RFC 5182 §2.1: should this end in NO, nothing is saved
    for place in await searched_places(session.mail, request.sources, session.selected):
        is_selected = _is_selected(session, place)
        if is_selected:
            uids = await search_uids(session.mailbox, query, report=session.report)
        else:
            uids = await search_place(place, foreign, report=session.report)
        results = Results(told=uids, uids=uids)
        if request.returns.saves:
            refused = save(session, request.returns, results)
            if refused is not None:
                return refused
        await _tell(session, request.returns, foreign, place, results)
        # A store that answers at once never gives the other connections a turn.
        await asyncio.sleep(0)
    return ok("ESEARCH completed")


def _is_selected(session: Session, place: Place) -> bool:
    selected = session.selected
    return (
        selected is not None
        and selected.mail.account_id == place.mail.account_id
        and selected.mailbox_id == place.mailbox.mailbox_id
    )


async def _tell(session: Session, returns: Returns, query: Query, place: Place, results: Results) -> None:
    if not results.uids or returns.is_silent:
        return  # RFC 7377 §2.1: nothing is said of a mailbox in which nothing was found
    results = await scored(place.mail, place.mailbox.mailbox_id, query, returns, results)
    mod_seq = None
    if speaks_of_mod_seqs(query):
        mod_seq = await highest_of(place.mail, place.mailbox.mailbox_id, returned_uids(returns, results))
    data = EsearchData(
        tag=session.tag,
        is_uid=True,
        mailbox=place.path,
        uid_validity=place.mailbox.uid_validity,
        mod_seq=mod_seq,
    )
    await say_pieces(session, esearch_pieces(filled(data, returns, results), is_utf8=session.is_utf8))
