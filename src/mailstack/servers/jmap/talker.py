"""What is said on one WebSocket: requests and their responses, side by side, and states as they change. RFC 8887 §4.3.

A request that was begun is carried out, whether or not its client is there to hear of it, as over HTTP.
"""

import asyncio
from collections.abc import Coroutine, Mapping
from contextlib import ExitStack
from typing import Any

import orjson
import structlog
from websockets.frames import CloseCode

from mailstack.model.errors import DomainError
from mailstack.model.principal import Account
from mailstack.ports.accounts import Accounts
from mailstack.servers.conversation import Farewell
from mailstack.servers.http.errors import problem_of
from mailstack.servers.http.problem import SERVER_BUG, Problem, members_of
from mailstack.servers.http.web_socket import WebSocket
from mailstack.servers.jmap.answer import LARGE_OCTETS, MIN_OCTETS
from mailstack.servers.jmap.answering import answer_to, problem_told
from mailstack.servers.jmap.service import JmapService
from mailstack.servers.jmap.session import CAPABILITIES
from mailstack.servers.standing import has_standing
from mailstack.services.states.feed import Listener
from mailstack.wire.jmap.request import RequestProblem
from mailstack.wire.jmap.session import WEB_SOCKET_PATH
from mailstack.wire.jmap.state_change import read_known
from mailstack.wire.jmap.web_socket import (
    PushDisable,
    PushEnable,
    SocketMessage,
    SocketProblem,
    SocketRequest,
    parse_message,
    pushed,
    request_error,
    response,
)

ID_BYTES = 9
METHOD = "WEBSOCKET"
"""In the log, where HTTP has its own."""

log = structlog.get_logger()


class JmapTalker:
    """Works as servers.http.web_socket.Talker."""

    kind = "websocket"

    def __init__(self, service: JmapService, account: Account, *, is_deflating: bool) -> None:
        self.account = account
        self._service = service
        self._is_deflating = is_deflating
        self._socket: WebSocket | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._turn: ExitStack | None = None
        self._listener: Listener | None = None
        self._pushes = 0

    @property
    def accounts(self) -> Accounts:
        return self._service.accounts

    @property
    def is_busy(self) -> bool:
        return bool(self._tasks)

    @property
    def is_full(self) -> bool:
        return len(self._tasks) >= self._service.limits.concurrent_requests

    def begin(self, socket: WebSocket) -> None:
        self._socket = socket

    def see_coming(self, octets: int) -> None:
        """What is large takes a turn before it is there: so many of them, and no more, an account has in memory."""
        if octets > LARGE_OCTETS and self._turn is None and self._socket is not None:
            try:
                self._turn = self._taken_turn()
            except RequestProblem as fault:
                self._socket.close(CloseCode.TRY_AGAIN_LATER, fault.detail)

    def hear(self, message: bytes) -> None:
        turn, self._turn = self._turn, None
        try:
            if len(message) > LARGE_OCTETS:
                self._start(self._meet_large(message, turn or self._taken_turn()), None)
            else:
                self._meet(self._parsed(message), turn)
        except SocketProblem as fault:
            self._start(self._refuse(fault.request_id, problem_told(fault.problem)), fault.request_id)
        except RequestProblem as fault:
            self._start(self._refuse(None, problem_told(fault)), None)

    def ready(self) -> None:
        self.tell()

    def lost(self) -> None:
        self._socket = None
        self._disable()
        if self._turn is not None:
            self._turn.close()
            self._turn = None

    def tell(self) -> None:
        """What is new, unless the client does not read."""
        if self._listener is None or self._socket is None or self._socket.is_paused:
            return
        news = self._listener.take()
        if news:
            self._socket.say(self._socket.framed(pushed(news, self._listener.told()), is_deflated=False))

    def _parsed(self, message: bytes) -> SocketMessage:
        return parse_message(message, self._service.limits, CAPABILITIES)

    async def _meet_large(self, message: bytes, turn: ExitStack) -> None:
        with turn:
            try:
                parsed = await asyncio.to_thread(self._parsed, message)
            except SocketProblem as fault:
                await self._refuse(fault.request_id, problem_told(fault.problem))
            else:
                self._meet(parsed, turn.pop_all())

    def _meet(self, message: SocketMessage, turn: ExitStack | None) -> None:
        match message:
            case SocketRequest():
                self._start(self._respond(message, turn), message.request_id)
                return
            case PushEnable():
                self._pushes += 1
                self._start(self._enable(message, self._pushes), None)
            case PushDisable():
                self._disable()
        if turn is not None:
            turn.close()

    async def _respond(self, asked: SocketRequest, turn: ExitStack | None) -> None:
        try:
            with turn or self._taken_turn():
                # RFC 8887 §4.2: as if each request had to prove anew who asks.
                if not await has_standing(self._service.accounts, self.account):
                    self._send_away()
                    return
                answer = await answer_to(asked.request, self._service, self.account)
                await self._say(response(answer, asked.request_id))
        except RequestProblem as fault:
            await self._refuse(asked.request_id, problem_told(fault))

    async def _enable(self, wanted: PushEnable, number: int) -> None:
        since = self._listener.told() if self._listener is not None else None
        if wanted.push_state:
            since = read_known(wanted.push_state) or {}
        listener = await self._service.feed.listen(self.account.account_id, wanted.types, self.tell, since=since)
        if number != self._pushes or self._socket is None:
            listener.end()  # the client has changed its mind
            return
        if self._listener is not None:
            self._listener.end()
        self._listener = listener
        self.tell()

    def _disable(self) -> None:
        self._pushes += 1
        if self._listener is not None:
            self._listener.end()
            self._listener = None

    def _taken_turn(self) -> ExitStack:
        """Raises RequestProblem."""
        turn = ExitStack()
        limit = self._service.limits.concurrent_requests
        turn.enter_context(self._service.turns.turn(self.account.account_id, limit=limit))
        return turn

    def _start(self, work: Coroutine[Any, Any, None], request_id: str | None) -> None:
        task = asyncio.get_running_loop().create_task(self._careful(work, request_id))
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if self._socket is not None:
            self._socket.go_on()

    async def _careful(self, work: Coroutine[Any, Any, None], request_id: str | None) -> None:
        """What is met as the floor of HTTP meets its own."""
        peer, began_at = self._socket.peer_host if self._socket else "", self._service.clock()
        structlog.contextvars.bind_contextvars(request=self._service.token(ID_BYTES).hex())
        try:
            await work
        except DomainError as fault:
            log.info("refused", error=type(fault).__name__, detail=fault.detail)
            await self._refuse(request_id, problem_of(fault))
        except Exception:  # a bug met in one message ends no others
            log.exception("bug", path=WEB_SOCKET_PATH)
            await self._refuse(request_id, SERVER_BUG)
        ms = self._service.clock() - began_at
        log.info("request", peer=peer, method=METHOD, path=WEB_SOCKET_PATH, ms=ms)

    async def _refuse(self, request_id: str | None, problem: Problem) -> None:
        await self._say(request_error(members_of(problem), request_id))

    async def _say(self, message: Mapping[str, Any]) -> None:
        content = orjson.dumps(message)
        socket = self._socket
        if socket is None:
            return
        is_deflated = self._is_deflating and len(content) >= MIN_OCTETS
        if is_deflated and len(content) > LARGE_OCTETS:
            frame = await asyncio.to_thread(socket.framed, content, is_deflated=True)
        else:
            frame = socket.framed(content, is_deflated=is_deflated)
        socket.say(frame)

    def _send_away(self) -> None:
        if self._socket is not None:
            log.info("sent away", service="http", peer=self._socket.peer_host, account=self.account.login)
            self._socket.end(Farewell("The account has changed"))
