"""The driver: one connection from greeting to goodbye. Commands are answered one after the other, in their order.

RFC 9051 §2.2, §5.5, §7.1.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import assert_never

import structlog

from mailstack.model.errors import DomainError
from mailstack.model.instant import SECOND_MS
from mailstack.model.mailbox_filter import Reach
from mailstack.model.metrics import IMAP_SECONDS
from mailstack.net.admission import Entrance, Place
from mailstack.net.connections import Connections
from mailstack.net.stream import Stream
from mailstack.servers.conversation import Farewell, PeerGone, ShutDown
from mailstack.servers.imap import dispatch, receiving
from mailstack.servers.imap.errors import SERVER_BUG, completed_with
from mailstack.servers.imap.message_limit import with_limit
from mailstack.servers.imap.progress import Progress
from mailstack.servers.imap.service import ImapService
from mailstack.servers.imap.session import Completed, ImapConversation, Session, State, bad, no
from mailstack.servers.imap.updates import check_selected, tell_updates
from mailstack.servers.imap.waiting import wait
from mailstack.servers.reception import HouseRules, Reception, sentence
from mailstack.servers.standing import by_app_password, send_away
from mailstack.wire.framing import ProtocolFault
from mailstack.wire.imap.commands.expunge import Expunge
from mailstack.wire.imap.commands.idle import Idle
from mailstack.wire.imap.commands.move import Move
from mailstack.wire.imap.commands.table import Request
from mailstack.wire.imap.events import (
    Command,
    Event,
    IdleEnds,
    MessageBegins,
    MessageOctets,
    MessageUrl,
    NeedContinuation,
    Refused,
    SaslCancelled,
    SaslResponse,
    SyntaxFault,
    TextBegins,
)
from mailstack.wire.imap.faults import RefusedProblem, SyntaxProblem
from mailstack.wire.imap.limits import BEFORE_LOGIN
from mailstack.wire.imap.machine import ImapMachine
from mailstack.wire.imap.responses import Condition, Response, Tagged, Untagged
from mailstack.wire.imap.write import write

log = structlog.get_logger()

NAME = "imap"
LIMIT = "LIMIT"  # RFC 5530 §3


class ImapServer:
    """service: asked once for each connection, which keeps what it got to its end."""

    def __init__(self, service: Callable[[], ImapService], connections: Connections, entrance: Entrance) -> None:
        self._service = service
        self._reception = Reception[Event, Response](NAME, connections, entrance, bye=_bye)
        self._sessions: set[Session] = set()

    async def serve(self, stream: Stream) -> None:
        """Returns when the connection is closed; raises nothing but cancellation."""
        service, machine = self._service(), ImapMachine(BEFORE_LOGIN)
        connection = ImapConversation(stream, machine, partial(write, is_utf8=False), service.limits)

        async def converse(place: Place, login_deadline: asyncio.Timeout) -> None:
            session = Session(service, machine, connection, place, login_deadline)
            self._sessions.add(session)
            try:
                await _until_over(session)
            finally:
                session.drop_receipt()
                self._sessions.discard(session)

        await self._reception.receive(connection, _house_rules(service), converse)

    async def recheck_logins(self) -> None:
        """For a new generation: who is logged in and may no longer be is sent away."""
        await send_away(self._sessions, service=NAME)

    async def recheck_app_passwords(self) -> None:
        """Once one has ended: who came in by it is sent away."""
        await send_away(by_app_password(self._sessions), service=NAME)


def _house_rules(service: ImapService) -> HouseRules:
    limits = service.limits
    return HouseRules(
        conduct=service.conduct,
        teller=service.teller,
        login_s=limits.login_s,
        connections_per_ip=limits.connections_per_ip,
        strangers=limits.strangers,
    )


def _bye(farewell: Farewell) -> Untagged:
    # RFC 9051 §7.1.5: BYE for a greeting: the server is not willing to take the connection.
    return Untagged(condition=Condition.BYE, code=LIMIT if farewell.is_for_now else "", text=farewell.text)


async def _until_over(session: Session) -> None:
    """Raises PeerGone, OSError, ShutDown, ProtocolFault; TimeoutError: RFC 9051 §5.4: autologout."""
    faults = 0
    await session.service.sasl.login.look_for_verifiers()
    _greet(session)
    while session.state is not State.LOGOUT:
        event = await _next_event(session)
        if event is None:
            continue
        await _handle(session, event)
        faults = _faults_in_a_row(faults, event)
        if faults > session.service.limits.faults:
            session.hang_up("Too many faults")
        await session.connection.flush_when_full()


async def _next_event(session: Session) -> Event | None:
    """None: the session is over."""
    if session.watch is None:
        return await session.connection.next_event()
    group = session.watch.of_selected
    # RFC 5465 §6.1.2: SELECTED-DELAYED: the numbers stand still while no command is under way.
    is_delayed = group is not None and group.mailboxes.reach is Reach.SELECTED_DELAYED
    return await wait(session, with_expunges=not is_delayed)


def _faults_in_a_row(faults: int, event: Event) -> int:
    """A client may try for days what is not known here, as long as it also does something else."""
    if isinstance(event, SyntaxFault):
        return faults + 1
    return 0 if isinstance(event, Command) else faults


def _greet(session: Session) -> None:
    names = " ".join(session.capabilities)
    text = f"{session.service.hostname} ready"
    session.connection.say(Untagged(condition=Condition.OK, code=f"CAPABILITY {names}", text=text))


async def _handle(session: Session, event: Event) -> None:
    connection = session.connection
    match event:
        case Command():
            await _answer(session, event.tag, event.request)
            session.drop_receipt()
        case SyntaxFault():
            session.drop_receipt()
            connection.say(_fault(event))
        case Refused():
            session.drop_receipt()
            connection.say(Tagged(tag=event.tag, condition=Condition.NO, code=event.code, text=sentence(event.text)))
        case NeedContinuation():
            connection.say(receiving.GO_ON)
        case MessageBegins():
            receiving.begin_message(session, event)
        case TextBegins():
            await receiving.begin_text(session, event)
        case MessageOctets():
            receiving.keep(session, event.data)
        case MessageUrl():
            await receiving.take_url(session, event)
        case SaslResponse() | SaslCancelled() | IdleEnds():
            # Answered where they were awaited: by AUTHENTICATE and IDLE.
            raise RuntimeError(f"{type(event).__name__} out of place")
        case _:
            assert_never(event)


def _fault(event: SyntaxFault) -> Tagged | Untagged:
    text = sentence(event.text)
    if event.tag is None:
        return Untagged(condition=Condition.BAD, text=text)  # RFC 9051 §7.1.3
    return Tagged(tag=event.tag, condition=Condition.BAD, text=text)


async def _answer(session: Session, tag: str, request: Request) -> None:
    session.tag, session.lowest_processed = tag, None
    began_at = session.service.clock()
    completed = with_limit(session, await _run(session, request))
    if not isinstance(request, Idle):
        took_s = (session.service.clock() - began_at) / SECOND_MS
        session.service.metrics.observe(IMAP_SECONDS, took_s, type(request).__name__.lower(), completed.condition)
    session.connection.say(Tagged(tag=tag, condition=completed.condition, code=completed.code, text=completed.text))
    if completed.starts_tls and session.service.tls is not None:
        await session.connection.start_tls(session.service.tls)
    if completed.starts_deflate:
        await session.connection.start_deflate()


async def _run(session: Session, request: Request) -> Completed:
    if not dispatch.fits(request, session.state):
        return bad(f"Not in this state: {session.state.value}")
    if session.is_uid_only and dispatch.uses_numbers(request):
        return bad("Message numbers are switched off", "UIDREQUIRED")  # RFC 9586 §3.5
    try:
        if session.selected is not None:
            session.selected.begin_command()
        if dispatch.needs_mailbox(request):
            await check_selected(session)
        completed = await _dispatched(session, request)
        await _tell_updates(session, request)
        return completed
    except RefusedProblem as problem:
        return no(sentence(problem.text), problem.code)
    except SyntaxProblem as problem:
        return bad(sentence(problem.text))
    except DomainError as fault:
        log.info("refused", command=type(request).__name__, error=type(fault).__name__, detail=fault.detail)
        return completed_with(fault)
    except (PeerGone, ShutDown, ProtocolFault, OSError):
        raise
    except Exception:
        log.exception("bug", command=type(request).__name__)
        return SERVER_BUG


async def _dispatched(session: Session, request: Request) -> Completed:
    if not dispatch.is_slow(request):
        return await dispatch.run(session, request)
    progress = Progress(session)
    try:
        return await dispatch.run(session, request)
    finally:
        await progress.end()


async def _tell_updates(session: Session, request: Request) -> None:
    """The command is done: that its news cannot be read now does not undo it. They are told after the next one."""
    if session.state is State.LOGOUT:
        return
    try:
        is_asked = isinstance(request, Expunge | Move)
        await tell_updates(
            session,
            with_expunges=dispatch.may_tell_expunges(request),
            is_asked=is_asked,
            may_lag=dispatch.only_looks(request),
        )
    except DomainError as fault:
        log.warning("updates", error=type(fault).__name__, detail=fault.detail)
