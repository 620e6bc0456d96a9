"""From what a command asks for to the function that does it, and which commands fit which state. RFC 9051 §3, §6."""

from typing import assert_never

from mailstack.servers.imap import (
    append,
    authenticate,
    capability,
    check,
    close,
    copy,
    create,
    delete,
    enable,
    examine,
    expunge,
    fetch,
    idle,
    login,
    logout,
    lsub,
    move,
    namespace,
    noop,
    rename,
    search,
    select,
    starttls,
    status,
    store,
    subscribe,
    unselect,
    unsubscribe,
)
from mailstack.servers.imap import id as id_command
from mailstack.servers.imap import list as list_command
from mailstack.servers.imap.session import Completed, Session, State
from mailstack.wire.imap.commands.append import Append
from mailstack.wire.imap.commands.authenticate import Authenticate
from mailstack.wire.imap.commands.capability import Capability
from mailstack.wire.imap.commands.check import Check
from mailstack.wire.imap.commands.close import Close
from mailstack.wire.imap.commands.copy import Copy
from mailstack.wire.imap.commands.create import Create
from mailstack.wire.imap.commands.delete import Delete
from mailstack.wire.imap.commands.enable import Enable
from mailstack.wire.imap.commands.examine import Examine
from mailstack.wire.imap.commands.expunge import Expunge
from mailstack.wire.imap.commands.fetch import Fetch
from mailstack.wire.imap.commands.id import Id
from mailstack.wire.imap.commands.idle import Idle
from mailstack.wire.imap.commands.list import List
from mailstack.wire.imap.commands.login import Login
from mailstack.wire.imap.commands.logout import Logout
from mailstack.wire.imap.commands.lsub import Lsub
from mailstack.wire.imap.commands.move import Move
from mailstack.wire.imap.commands.namespace import Namespace
from mailstack.wire.imap.commands.noop import Noop
from mailstack.wire.imap.commands.rename import Rename
from mailstack.wire.imap.commands.search import Search
from mailstack.wire.imap.commands.select import Select
from mailstack.wire.imap.commands.starttls import Starttls
from mailstack.wire.imap.commands.status import Status
from mailstack.wire.imap.commands.store import Store
from mailstack.wire.imap.commands.subscribe import Subscribe
from mailstack.wire.imap.commands.table import Request
from mailstack.wire.imap.commands.unselect import Unselect
from mailstack.wire.imap.commands.unsubscribe import Unsubscribe

_ANY = (Capability, Noop, Logout, Id)
_NOT_AUTHENTICATED = (Starttls, Authenticate, Login)
_SELECTED = (Check, Close, Unselect, Expunge, Search, Fetch, Store, Copy, Move)


def fits(request: Request, state: State) -> bool:
    """RFC 9051 §6: what is in neither list is for both states after login."""
    if isinstance(request, _ANY):
        return True
    if isinstance(request, _NOT_AUTHENTICATED):
        return state is State.NOT_AUTHENTICATED
    if isinstance(request, _SELECTED):
        return state is State.SELECTED
    return state in (State.AUTHENTICATED, State.SELECTED)


def may_tell_expunges(request: Request) -> bool:
    """RFC 9051 §7.5.1: not in answers to FETCH, STORE, SEARCH by number, where it would shift what they speak of."""
    match request:
        case Fetch() | Store():
            return request.messages.is_uid
        case Search():
            return request.wants_uids
        case _:
            return True


async def run(session: Session, request: Request) -> Completed:
    """One line a command, the frequent ones first. Raises DomainError, SyntaxProblem."""
    match request:
        case Fetch():
            return await fetch.run(session, request)
        case Store():
            return await store.run(session, request)
        case Noop():
            return await noop.run()
        case Search():
            return await search.run(session, request)
        case Status():
            return await status.run(session, request)
        case Append():
            return await append.run(session, request)
        case Idle():
            return await idle.run(session)
        case Select():
            return await select.run(session, request)
        case Examine():
            return await examine.run(session, request)
        case Copy():
            return await copy.run(session, request)
        case Move():
            return await move.run(session, request)
        case Expunge():
            return await expunge.run(session, request)
        case List():
            return await list_command.run(session, request)
        case Lsub():
            return await lsub.run(session, request)
        case Login():
            return await login.run(session, request)
        case Authenticate():
            return await authenticate.run(session, request)
        case Capability():
            return await capability.run(session)
        case Starttls():
            return await starttls.run(session)
        case Logout():
            return await logout.run(session)
        case Id():
            return await id_command.run(session, request)
        case Enable():
            return await enable.run(session)
        case Namespace():
            return await namespace.run(session)
        case Create():
            return await create.run(session, request)
        case Delete():
            return await delete.run(session, request)
        case Rename():
            return await rename.run(session, request)
        case Subscribe():
            return await subscribe.run(session, request)
        case Unsubscribe():
            return await unsubscribe.run(session, request)
        case Check():
            return await check.run()
        case Close():
            return await close.run(session)
        case Unselect():
            return await unselect.run(session)
        case _:
            assert_never(request)
