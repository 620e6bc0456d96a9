"""From what a command asks for to the function that does it, and which commands fit which state. RFC 5804 §2.

One row a command. A new one needs its line here and in wire/managesieve/commands/table.py, and nothing else.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from mailstack.servers.managesieve import (
    authenticate,
    capability,
    checkscript,
    deletescript,
    getscript,
    havespace,
    listscripts,
    logout,
    noop,
    putscript,
    renamescript,
    setactive,
    starttls,
    unauthenticate,
)
from mailstack.servers.managesieve.session import Session, State
from mailstack.wire.managesieve.commands.authenticate import Authenticate
from mailstack.wire.managesieve.commands.capability import Capability
from mailstack.wire.managesieve.commands.checkscript import CheckScript
from mailstack.wire.managesieve.commands.deletescript import DeleteScript
from mailstack.wire.managesieve.commands.getscript import GetScript
from mailstack.wire.managesieve.commands.havespace import HaveSpace
from mailstack.wire.managesieve.commands.listscripts import ListScripts
from mailstack.wire.managesieve.commands.logout import Logout
from mailstack.wire.managesieve.commands.noop import Noop
from mailstack.wire.managesieve.commands.putscript import PutScript
from mailstack.wire.managesieve.commands.renamescript import RenameScript
from mailstack.wire.managesieve.commands.setactive import SetActive
from mailstack.wire.managesieve.commands.starttls import Starttls
from mailstack.wire.managesieve.commands.table import Request
from mailstack.wire.managesieve.commands.unauthenticate import Unauthenticate
from mailstack.wire.managesieve.responses import Reply

_R = TypeVar("_R")

_ANY = frozenset(State)
# RFC 5804 §2.1: who has logged in does not do so again; §2.2: nor begin TLS, which STARTTLS is for.
_STRANGER = frozenset({State.NOT_AUTHENTICATED})
_LOGGED_IN = frozenset({State.AUTHENTICATED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    states: frozenset[State]
    run: Callable[[Session, Any], Awaitable[Reply]]


def _row(
    request: type[_R], run: Callable[[Session, _R], Awaitable[Reply]], states: frozenset[State]
) -> tuple[type[Any], Row]:
    return request, Row(states=states, run=run)


TABLE: Mapping[type[Request], Row] = dict(
    (
        _row(Authenticate, authenticate.run, _STRANGER),
        _row(Capability, capability.run, _ANY),
        _row(CheckScript, checkscript.run, _LOGGED_IN),
        _row(DeleteScript, deletescript.run, _LOGGED_IN),
        _row(GetScript, getscript.run, _LOGGED_IN),
        _row(HaveSpace, havespace.run, _LOGGED_IN),
        _row(ListScripts, listscripts.run, _LOGGED_IN),
        _row(Logout, logout.run, _ANY),
        _row(Noop, noop.run, _ANY),
        _row(PutScript, putscript.run, _LOGGED_IN),
        _row(RenameScript, renamescript.run, _LOGGED_IN),
        _row(SetActive, setactive.run, _LOGGED_IN),
        _row(Starttls, starttls.run, _STRANGER),
        _row(Unauthenticate, unauthenticate.run, _LOGGED_IN),
    )
)


def fits(request: Request, state: State) -> bool:
    return state in TABLE[type(request)].states


async def run(session: Session, request: Request) -> Reply:
    """Raises DomainError, sieve.faults.Broken."""
    return await TABLE[type(request)].run(session, request)
