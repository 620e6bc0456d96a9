"""SEARCH and UID SEARCH. RFC 3501 §6.4.4, §7.2.5."""

from mailstack.model.errors import Invalid
from mailstack.servers.imap.session import Completed, Session, ok
from mailstack.services.mailbox.search import search
from mailstack.wire.imap.commands.search import Search
from mailstack.wire.imap.faults import SyntaxProblem
from mailstack.wire.imap.responses import SearchData


async def run(session: Session, request: Search) -> Completed:
    try:
        found = await search(session.mailbox, request.query)
    except Invalid:
        raise SyntaxProblem("No message has this number") from None
    session.connection.say(SearchData(numbers=tuple(found.uids if request.wants_uids else found.numbers)))
    return ok("SEARCH completed")
