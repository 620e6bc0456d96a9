"""Frames to messages and back, by the library `websockets` and without I/O. RFC 6455, RFC 7692.

What the library would answer by itself is left to who has the line, which may be full.
"""

from collections import deque
from dataclasses import dataclass

from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Close, CloseCode, Frame, Opcode
from websockets.protocol import Protocol, Side, State

MOST_REASON_OCTETS = 123
"""RFC 6455 §5.5: with the code, what a control frame may hold."""


@dataclass(frozen=True, slots=True)
class Text:
    """A whole message, in UTF-8."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Ping:
    data: bytes


@dataclass(frozen=True, slots=True)
class Pong:
    data: bytes


@dataclass(frozen=True, slots=True)
class Closed:
    """The client says goodbye. code: NO_STATUS_RCVD where it gave none."""

    code: int


@dataclass(frozen=True, slots=True)
class Broken:
    """The client does what it may not. code: to close with."""

    code: int
    reason: str


Event = Text | Ping | Pong | Closed | Broken


class WebSocketMachine:
    """most_octets: of one message, as it is once inflated. deflating: None where nothing is compressed. After Closed or
    Broken, nothing more comes."""

    def __init__(self, *, most_octets: int, deflating: PerMessageDeflate | None = None) -> None:
        self._deflating = deflating
        self._protocol = Protocol(Side.SERVER, max_size=most_octets)
        self._protocol.extensions = [] if deflating is None else [deflating]
        self._events: deque[Event] = deque()
        self._message = bytearray()
        self._begun_octets = 0
        self._is_failed = False

    @property
    def message_octets(self) -> int:
        """Of a message that has not ended, as far as it has come."""
        return len(self._message) + self._begun_octets

    @property
    def is_deflating(self) -> bool:
        return self._deflating is not None

    def receive(self, data: bytes) -> None:
        if self._protocol.state is not State.OPEN:
            return
        self._begun_octets += len(data)
        self._protocol.receive_data(data)
        for frame in self._protocol.events_received():
            if isinstance(frame, Frame):  # what else there is, belongs to handshakes
                self._meet(frame)
            if self._is_failed:
                break
        self._protocol.data_to_send()
        if self._protocol.state is not State.OPEN:
            self._end()

    def next_event(self) -> Event | None:
        """None: more has to come for one."""
        return self._events.popleft() if self._events else None

    def text(self, message: bytes, *, is_deflated: bool = False) -> bytes:
        """is_deflated: where it is agreed on; for a thread, if the message is large."""
        extensions = [_fresh(self._deflating)] if is_deflated and self._deflating else []
        return Frame(Opcode.TEXT, message).serialize(mask=False, extensions=extensions)

    def _meet(self, frame: Frame) -> None:
        self._begun_octets = 0
        match frame.opcode:
            case Opcode.PING:
                self._events.append(Ping(bytes(frame.data)))
            case Opcode.PONG:
                self._events.append(Pong(bytes(frame.data)))
            case Opcode.BINARY:
                self._fail(CloseCode.UNSUPPORTED_DATA, "text is spoken here")
            case Opcode.TEXT | Opcode.CONT:
                self._message += frame.data
                if frame.fin:
                    self._end_message()

    def _end_message(self) -> None:
        message = bytes(self._message)
        self._message.clear()
        try:
            message.decode()
        except UnicodeDecodeError:
            self._fail(CloseCode.INVALID_DATA, "text that is not UTF-8")
        else:
            self._events.append(Text(message))

    def _fail(self, code: CloseCode, reason: str) -> None:
        """What came behind it in the same octets is not heard."""
        self._is_failed = True
        if self._protocol.state is State.OPEN:
            self._protocol.fail(code, reason)
        self._events.append(Broken(code, reason))

    def _end(self) -> None:
        self._message.clear()
        self._begun_octets = 0
        received, sent = self._protocol.close_rcvd, self._protocol.close_sent
        if self._is_failed:
            return
        if received is not None and self._protocol.parser_exc is None:
            self._events.append(Closed(received.code))
        elif sent is not None:
            self._events.append(Broken(sent.code, sent.reason))


def pong(ping: Ping) -> bytes:
    return _control(Opcode.PONG, ping.data)


def ping() -> bytes:
    return _control(Opcode.PING, b"")


def close(code: int, reason: str = "") -> bytes:
    """NO_STATUS_RCVD is not sent: RFC 6455 §7.4.1."""
    if code == CloseCode.NO_STATUS_RCVD:
        return _control(Opcode.CLOSE, b"")
    text = reason.encode()[:MOST_REASON_OCTETS].decode(errors="ignore")
    return _control(Opcode.CLOSE, Close(code, text).serialize())


def _control(opcode: Opcode, data: bytes) -> bytes:
    return Frame(opcode, data).serialize(mask=False)


def _fresh(agreed: PerMessageDeflate) -> PerMessageDeflate:
    """Messages are compressed one by one, and may be so side by side, in threads; each remembers what is its own."""
    return PerMessageDeflate(
        remote_no_context_takeover=True,
        local_no_context_takeover=True,
        remote_max_window_bits=agreed.remote_max_window_bits,
        local_max_window_bits=agreed.local_max_window_bits,
        compress_settings=agreed.compress_settings,
    )
