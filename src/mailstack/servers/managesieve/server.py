"""The driver: one connection from greeting to goodbye. Commands are answered one after the other, in their order.

RFC 5804 §1.2, §1.7, §2.
"""

import asyncio
from collections.abc import Callable
from typing import assert_never

import structlog

from mailstack.model.errors import DomainError
from mailstack.net.admission import Entrance, Place
from mailstack.net.connections import Connections
from mailstack.net.stream import Stream
from mailstack.servers.conversation import Farewell, PeerGone, ShutDown
from mailstack.servers.managesieve import dispatch
from mailstack.servers.managesieve.errors import SERVER_BUG, reply_to, reply_to_broken
from mailstack.servers.managesieve.replies import bye, no, ok
from mailstack.servers.managesieve.service import ManageSieveService
from mailstack.servers.managesieve.session import NAME, ManageSieveConversation, Session, State
from mailstack.servers.reception import HouseRules, Reception, sentence
from mailstack.servers.standing import by_app_password, send_away
from mailstack.sieve.faults import Broken
from mailstack.wire.framing import ProtocolFault
from mailstack.wire.managesieve.commands.table import Request
from mailstack.wire.managesieve.events import Command, Event, Refused, SaslCancelled, SaslResponse
from mailstack.wire.managesieve.limits import BEFORE_LOGIN
from mailstack.wire.managesieve.machine import ManageSieveMachine
from mailstack.wire.managesieve.responses import Code, Reply, Response
from mailstack.wire.managesieve.write import write

log = structlog.get_logger()


class ManageSieveServer:
    """service: asked once for each connection, which keeps what it got to its end."""

    def __init__(self, service: Callable[[], ManageSieveService], connections: Connections, entrance: Entrance) -> None:
        self._service = service
        self._reception = Reception[Event, Response](NAME, connections, entrance, bye=_bye)
        self._sessions: set[Session] = set()

    async def serve(self, stream: Stream) -> None:
        """Returns when the connection is closed; raises nothing but cancellation."""
        service, machine = self._service(), ManageSieveMachine(BEFORE_LOGIN)
        connection = ManageSieveConversation(stream, machine, write, service.limits)

        async def converse(place: Place, login_deadline: asyncio.Timeout) -> None:
            session = Session(service, machine, connection, place, login_deadline)
            self._sessions.add(session)
            try:
                await _until_over(session)
            finally:
                self._sessions.discard(session)

        await self._reception.receive(connection, _house_rules(service), converse)

    async def recheck_logins(self) -> None:
        """For a new generation: who is logged in and may no longer be is sent away."""
        await send_away(self._sessions, service=NAME)

    async def recheck_app_passwords(self) -> None:
        """Once one has ended: who came in by it is sent away."""
        await send_away(by_app_password(self._sessions), service=NAME)


def _house_rules(service: ManageSieveService) -> HouseRules:
    limits = service.limits
    return HouseRules(
        conduct=service.conduct,
        teller=service.teller,
        login_s=limits.login_s,
        connections_per_ip=limits.connections_per_ip,
        strangers=limits.strangers,
    )


def _bye(farewell: Farewell) -> Reply:
    return bye(farewell.text, Code.TRYLATER if farewell.is_for_now else None)


async def _until_over(session: Session) -> None:
    """Raises PeerGone, OSError, ShutDown, ProtocolFault; TimeoutError after so long without a command."""
    limits, connection = session.service.limits, session.connection
    await session.service.sasl.login.look_for_verifiers()
    connection.say(*session.capabilities, ok(f"{session.service.hostname} ready"))
    faults = as_stranger = 0
    while session.state is not State.LOGOUT:
        event = await connection.next_event()
        connection.say(await _answer(session, event))
        faults = faults + 1 if isinstance(event, Refused) else 0
        as_stranger = as_stranger + 1 if session.state is State.NOT_AUTHENTICATED else 0
        if faults > limits.faults:
            _hang_up(session, "Too many faults")
        elif as_stranger >= limits.stranger_commands:
            _hang_up(session, "Too many commands without a login")
        await connection.flush_when_full()


def _hang_up(session: Session, text: str) -> None:
    session.connection.say(bye(text))
    session.finish()


async def _answer(session: Session, event: Event) -> Reply:
    match event:
        case Command():
            return await _run(session, event.request)
        case Refused():
            return no(sentence(event.text), event.code)
        case SaslResponse() | SaslCancelled():
            # Answered where they were awaited: by AUTHENTICATE.
            raise RuntimeError(f"{type(event).__name__} out of place")
        case _:
            assert_never(event)


async def _run(session: Session, request: Request) -> Reply:
    if not dispatch.fits(request, session.state):
        return no(f"Not in this state: {session.state.value}")
    try:
        return await dispatch.run(session, request)
    except Broken as broken:
        return reply_to_broken(broken)
    except DomainError as fault:
        log.info("refused", command=type(request).__name__, error=type(fault).__name__, detail=fault.detail)
        return reply_to(fault)
    except (PeerGone, ShutDown, ProtocolFault, OSError):
        raise
    except Exception:  # a bug in one command ends neither the session nor the server
        log.exception("bug", command=type(request).__name__)
        return SERVER_BUG
