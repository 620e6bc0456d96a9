"""THREAD and UID THREAD. RFC 5256 §3, §4. RFC 7162 §3.1.9: mod-sequences change nothing in the response."""

from mailstack.servers.imap.message_limit import limited_query
from mailstack.servers.imap.searching import own_query, refused_charset, say_pieces
from mailstack.servers.imap.session import Completed, Session, ok
from mailstack.services.mailbox.search import search
from mailstack.services.mailbox.threads import thread
from mailstack.wire.imap.commands.thread import Thread
from mailstack.wire.imap.search_data import thread_pieces


async def run(session: Session, request: Thread) -> Completed:
    if request.query is None:
        return refused_charset(session, None)
    query = await limited_query(session, own_query(session, request.query), is_whole=True)
    found = await search(session.mailbox, query, report=session.report)
    places, forest = await thread(session.mailbox, found, request.algorithm)
    numbers = found.uids if request.wants_uids else found.numbers
    await say_pieces(session, thread_pieces(forest, [numbers[place] for place in places]))
    return ok("THREAD completed")
