"""From what a command asks for to the function that does it, and which commands fit which state. RFC 9051 §3, §6.

One row a command. A new one needs its line here and in wire/imap/commands/table.py, and nothing else.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from mailstack.servers.imap import (
    append,
    authenticate,
    capability,
    check,
    close,
    compress,
    copy,
    create,
    delete,
    deleteacl,
    enable,
    esearch,
    examine,
    expunge,
    fetch,
    getacl,
    getjmapaccess,
    getmetadata,
    getquota,
    getquotaroot,
    idle,
    listrights,
    login,
    logout,
    lsub,
    move,
    myrights,
    namespace,
    noop,
    notify,
    rename,
    replace,
    search,
    select,
    setacl,
    setmetadata,
    setquota,
    sort,
    starttls,
    status,
    store,
    subscribe,
    thread,
    uidbatches,
    unauthenticate,
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
from mailstack.wire.imap.commands.compress import Compress
from mailstack.wire.imap.commands.copy import Copy
from mailstack.wire.imap.commands.create import Create
from mailstack.wire.imap.commands.delete import Delete
from mailstack.wire.imap.commands.deleteacl import DeleteAcl
from mailstack.wire.imap.commands.enable import Enable
from mailstack.wire.imap.commands.esearch import Esearch
from mailstack.wire.imap.commands.examine import Examine
from mailstack.wire.imap.commands.expunge import Expunge
from mailstack.wire.imap.commands.fetch import Fetch
from mailstack.wire.imap.commands.getacl import GetAcl
from mailstack.wire.imap.commands.getjmapaccess import GetJmapAccess
from mailstack.wire.imap.commands.getmetadata import GetMetadata
from mailstack.wire.imap.commands.getquota import GetQuota
from mailstack.wire.imap.commands.getquotaroot import GetQuotaRoot
from mailstack.wire.imap.commands.id import Id
from mailstack.wire.imap.commands.idle import Idle
from mailstack.wire.imap.commands.list import List
from mailstack.wire.imap.commands.listrights import ListRights
from mailstack.wire.imap.commands.login import Login
from mailstack.wire.imap.commands.logout import Logout
from mailstack.wire.imap.commands.lsub import Lsub
from mailstack.wire.imap.commands.move import Move
from mailstack.wire.imap.commands.myrights import MyRights
from mailstack.wire.imap.commands.namespace import Namespace
from mailstack.wire.imap.commands.noop import Noop
from mailstack.wire.imap.commands.notify import Notify
from mailstack.wire.imap.commands.rename import Rename
from mailstack.wire.imap.commands.replace import Replace
from mailstack.wire.imap.commands.search import Search
from mailstack.wire.imap.commands.select import Select
from mailstack.wire.imap.commands.setacl import SetAcl
from mailstack.wire.imap.commands.setmetadata import SetMetadata
from mailstack.wire.imap.commands.setquota import SetQuota
from mailstack.wire.imap.commands.sort import Sort
from mailstack.wire.imap.commands.starttls import Starttls
from mailstack.wire.imap.commands.status import Status
from mailstack.wire.imap.commands.store import Store
from mailstack.wire.imap.commands.subscribe import Subscribe
from mailstack.wire.imap.commands.table import Request
from mailstack.wire.imap.commands.thread import Thread
from mailstack.wire.imap.commands.uidbatches import UidBatches
from mailstack.wire.imap.commands.unauthenticate import Unauthenticate
from mailstack.wire.imap.commands.unselect import Unselect
from mailstack.wire.imap.commands.unsubscribe import Unsubscribe

_R = TypeVar("_R")

_ANY = frozenset(State)
_STRANGER = frozenset({State.NOT_AUTHENTICATED})
_LOGGED_IN = frozenset({State.AUTHENTICATED, State.SELECTED})
_SELECTED = frozenset({State.SELECTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """uses_numbers: whether it speaks of messages by their numbers, which RFC 9586 §3 forbids to who has given them up.
    keeps_numbers: RFC 9051 §7.5.1: then no expunge may be told in the answer, for it would shift them. is_slow: it may
    take long without a word. RFC 9585.
    """

    states: frozenset[State]
    run: Callable[[Session, Any], Awaitable[Completed]]
    uses_numbers: Callable[[Any], bool]
    keeps_numbers: bool
    is_slow: bool


def _row(
    request: type[_R],
    run: Callable[[Session, _R], Awaitable[Completed]],
    states: frozenset[State],
    uses_numbers: Callable[[_R], bool] = lambda _: False,
    *,
    keeps_numbers: bool = False,
    is_slow: bool = False,
) -> tuple[type[Any], Row]:
    row = Row(states=states, run=run, uses_numbers=uses_numbers, keeps_numbers=keeps_numbers, is_slow=is_slow)
    return request, row


def _by_number(request: Fetch | Store | Copy | Move) -> bool:
    return not request.messages.is_uid


def _asks_by_number(request: Search | Sort | Thread) -> bool:
    return request.uses_numbers


def _matches_numbers(request: Select | Examine) -> bool:
    """RFC 9586 §3.4: not even in QRESYNC's match data."""
    return request.parameters.known is not None and bool(request.parameters.known.matches)


TABLE: Mapping[type[Request], Row] = dict(
    (
        _row(Append, append.run, _LOGGED_IN, is_slow=True),
        _row(Authenticate, authenticate.run, _STRANGER),
        _row(Capability, capability.run, _ANY),
        _row(Check, check.run, _SELECTED),
        _row(Close, close.run, _SELECTED, is_slow=True),
        _row(Compress, compress.run, _LOGGED_IN),
        _row(Copy, copy.run, _SELECTED, _by_number, is_slow=True),
        _row(Create, create.run, _LOGGED_IN),
        _row(Delete, delete.run, _LOGGED_IN, is_slow=True),
        _row(DeleteAcl, deleteacl.run, _LOGGED_IN),
        _row(Enable, enable.run, _LOGGED_IN),
        _row(Esearch, esearch.run, _LOGGED_IN, lambda esearch: esearch.uses_numbers, is_slow=True),
        _row(Examine, examine.run, _LOGGED_IN, _matches_numbers),
        _row(Expunge, expunge.run, _SELECTED, is_slow=True),
        _row(Fetch, fetch.run, _SELECTED, _by_number, keeps_numbers=True),
        _row(GetAcl, getacl.run, _LOGGED_IN),
        _row(GetJmapAccess, getjmapaccess.run, _LOGGED_IN),
        _row(GetMetadata, getmetadata.run, _LOGGED_IN),
        _row(GetQuota, getquota.run, _LOGGED_IN),
        _row(GetQuotaRoot, getquotaroot.run, _LOGGED_IN),
        _row(Id, id_command.run, _ANY),
        _row(Idle, idle.run, _LOGGED_IN),
        _row(List, list_command.run, _LOGGED_IN),
        _row(ListRights, listrights.run, _LOGGED_IN),
        _row(Login, login.run, _STRANGER),
        _row(Logout, logout.run, _ANY),
        _row(Lsub, lsub.run, _LOGGED_IN),
        _row(Move, move.run, _SELECTED, _by_number, is_slow=True),
        _row(MyRights, myrights.run, _LOGGED_IN),
        _row(Namespace, namespace.run, _LOGGED_IN),
        _row(Noop, noop.run, _ANY),
        _row(Notify, notify.run, _LOGGED_IN),
        _row(Rename, rename.run, _LOGGED_IN, is_slow=True),
        _row(Replace, replace.run, _SELECTED),
        _row(Search, search.run, _SELECTED, _asks_by_number, keeps_numbers=True, is_slow=True),
        _row(Select, select.run, _LOGGED_IN, _matches_numbers),
        _row(SetAcl, setacl.run, _LOGGED_IN),
        _row(SetMetadata, setmetadata.run, _LOGGED_IN),
        _row(SetQuota, setquota.run, _LOGGED_IN),
        _row(Sort, sort.run, _SELECTED, _asks_by_number, keeps_numbers=True, is_slow=True),
        _row(Starttls, starttls.run, _STRANGER),
        _row(Status, status.run, _LOGGED_IN),
        _row(Store, store.run, _SELECTED, _by_number, keeps_numbers=True, is_slow=True),
        _row(Subscribe, subscribe.run, _LOGGED_IN),
        _row(Thread, thread.run, _SELECTED, _asks_by_number, keeps_numbers=True, is_slow=True),
        _row(UidBatches, uidbatches.run, _SELECTED),
        _row(Unauthenticate, unauthenticate.run, _LOGGED_IN),
        _row(Unselect, unselect.run, _SELECTED),
        _row(Unsubscribe, unsubscribe.run, _LOGGED_IN),
    )
)


def fits(request: Request, state: State) -> bool:
    return state in TABLE[type(request)].states


def needs_mailbox(request: Request) -> bool:
    """Whoever only leaves the selected mailbox needs no right to it any more."""
    return TABLE[type(request)].states == _SELECTED and not isinstance(request, Close | Unselect)


def may_tell_expunges(request: Request) -> bool:
    row = TABLE[type(request)]
    return not (row.keeps_numbers and row.uses_numbers(request))


def only_looks(request: Request) -> bool:
    """At the selected mailbox. FETCH may set \\Seen, and looks again when it did."""
    return isinstance(request, Examine | Fetch | Search | Select | Sort | Thread)


def uses_numbers(request: Request) -> bool:
    return TABLE[type(request)].uses_numbers(request)


def is_slow(request: Request) -> bool:
    return TABLE[type(request)].is_slow


async def run(session: Session, request: Request) -> Completed:
    """Raises DomainError, SyntaxProblem."""
    return await TABLE[type(request)].run(session, request)
