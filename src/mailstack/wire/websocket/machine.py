"""Frames to messages and back. RFC 6455 §5, §7.

Octets are unmasked, and inflated, as they come; no more is kept than one message may be long.
"""

from dataclasses import dataclass
from enum import IntEnum

from mailstack.wire.websocket.deflate import Deflating, Inflater, NotDeflated, TooLong

MOST_REASON_OCTETS = 123
"""RFC 6455 §5.5: with the code, what a control frame may hold."""
_CONTROL_OCTETS = 125
_LENGTH_16, _LENGTH_64 = 126, 127
_MASK_OCTETS = 4


class CloseCode(IntEnum):
    # RFC 6455 §7.4.1
    NORMAL = 1000
    GOING_AWAY = 1001
    PROTOCOL_ERROR = 1002
    UNSUPPORTED_DATA = 1003
    NO_STATUS = 1005
    INVALID_DATA = 1007
    POLICY_VIOLATION = 1008
    MESSAGE_TOO_BIG = 1009
    INTERNAL_ERROR = 1011
    TRY_AGAIN_LATER = 1013


class _Opcode(IntEnum):
    CONTINUATION = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


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
    """The client says goodbye. code: NO_STATUS where it gave none."""

    code: int


@dataclass(frozen=True, slots=True)
class Broken:
    """The client does what it may not. code: to close with."""

    code: CloseCode
    reason: str


Event = Text | Ping | Pong | Closed | Broken


class _Fault(Exception):
    def __init__(self, code: CloseCode, reason: str) -> None:
        super().__init__(reason)
        self.broken = Broken(code, reason)


@dataclass(slots=True)
class _Frame:
    """left: octets of the payload that have not come yet. masked: the mask, turned to the next of them."""

    opcode: _Opcode
    is_final: bool
    left: int
    mask: bytes


class WebSocketMachine:
    """most_octets: of one message, as it is once inflated. After Closed or Broken, nothing more comes."""

    def __init__(self, *, most_octets: int, deflating: Deflating | None = None) -> None:
        self._most_octets = most_octets
        self._deflating = deflating
        self._waiting = bytearray()
        self._frame: _Frame | None = None
        self._control = bytearray()
        self._message: bytearray | None = None
        self._inflater: Inflater | None = None
        self._is_over = False

    @property
    def message_octets(self) -> int:
        """Of a message that has not ended."""
        return len(self._message or b"")

    def receive(self, data: bytes) -> None:
        if not self._is_over:
            self._waiting += data

    def next_event(self) -> Event | None:
        """None: more has to come for one."""
        try:
            event = None if self._is_over else self._next_event()
        except _Fault as fault:
            event = fault.broken
        if isinstance(event, Closed | Broken):
            self._is_over = True
            self._waiting.clear()
            self._message = self._inflater = None
        return event

    @property
    def is_deflating(self) -> bool:
        return self._deflating is not None

    def text(self, message: bytes, *, is_deflated: bool = False) -> bytes:
        """is_deflated: where it is agreed on; for a thread, if the message is large."""
        if is_deflated and self._deflating is not None:
            return _frame(0xC0 | _Opcode.TEXT, self._deflating.deflate(message))
        return _frame(0x80 | _Opcode.TEXT, message)

    def _next_event(self) -> Event | None:
        while True:
            frame = self._frame
            if frame is None:
                frame = self._frame = self._begun_frame()
                if frame is None:
                    return None
            self._take(frame)
            if frame.left:
                return None
            self._frame = None
            event = self._ended(frame)
            if event is not None:
                return event

    def _begun_frame(self) -> _Frame | None:
        """Its head is taken from what waits; None: it is not there as a whole."""
        waiting = self._waiting
        if len(waiting) < 2:
            return None
        first, second = waiting[0], waiting[1]
        opcode, length = self._opcode(first), second & 0x7F
        if not second & 0x80:
            raise _Fault(CloseCode.PROTOCOL_ERROR, "a frame without a mask")  # RFC 6455 §5.1
        if opcode >= _Opcode.CLOSE and (length > _CONTROL_OCTETS or not first & 0x80):
            raise _Fault(CloseCode.PROTOCOL_ERROR, "a control frame that is too long, or a fragment")  # §5.5
        octets = {_LENGTH_16: 2, _LENGTH_64: 8}.get(length, 0)
        head = 2 + octets + _MASK_OCTETS
        if len(waiting) < head:
            return None
        if octets:
            length = int.from_bytes(waiting[2 : 2 + octets])
            if length < _LENGTH_16 or (octets == 8 and not 1 << 16 <= length < 1 << 63):
                raise _Fault(CloseCode.PROTOCOL_ERROR, "a length that is not written as it has to be")  # §5.2
        frame = _Frame(opcode, is_final=bool(first & 0x80), left=length, mask=bytes(waiting[2 + octets : head]))
        del waiting[:head]
        if opcode < _Opcode.CLOSE:
            self._begin_data(frame, is_deflated=bool(first & 0x40))
        return frame

    def _opcode(self, first: int) -> _Opcode:
        try:
            opcode = _Opcode(first & 0x0F)
        except ValueError:
            raise _Fault(CloseCode.PROTOCOL_ERROR, "an opcode that is not known") from None
        # RFC 7692 §6: RSV1 stands in the first frame of a message.
        may_be_deflated = self._deflating is not None and opcode in (_Opcode.TEXT, _Opcode.BINARY)
        if first & (0x30 if may_be_deflated else 0x70):
            raise _Fault(CloseCode.PROTOCOL_ERROR, "a reserved bit that is set")
        return opcode

    def _begin_data(self, frame: _Frame, *, is_deflated: bool) -> None:
        if (frame.opcode is _Opcode.CONTINUATION) is (self._message is None):
            raise _Fault(CloseCode.PROTOCOL_ERROR, "a fragment out of its turn")  # RFC 6455 §5.4
        if frame.opcode is _Opcode.BINARY:
            raise _Fault(CloseCode.UNSUPPORTED_DATA, "text is spoken here")
        if self._message is None:
            self._message = bytearray()
            self._inflater = Inflater() if is_deflated else None
        if self.message_octets + (0 if self._inflater else frame.left) > self._most_octets:
            raise _Fault(CloseCode.MESSAGE_TOO_BIG, f"a message is {self._most_octets} octets at most")

    def _take(self, frame: _Frame) -> None:
        data = bytes(self._waiting[: frame.left])
        if not data:
            return
        del self._waiting[: len(data)]
        frame.left -= len(data)
        unmasked = _masked(data, frame.mask)
        turn = len(data) % _MASK_OCTETS
        frame.mask = frame.mask[turn:] + frame.mask[:turn]
        if frame.opcode >= _Opcode.CLOSE or self._message is None:
            self._control += unmasked
        elif self._inflater is None:
            self._message += unmasked
        else:
            self._message += self._inflated(self._inflater, unmasked)

    def _inflated(self, inflater: Inflater, data: bytes | None) -> bytes:
        """data: None at the end of the message."""
        left = self._most_octets - self.message_octets
        try:
            return inflater.end(most=left) if data is None else inflater.inflate(data, most=left)
        except NotDeflated:
            raise _Fault(CloseCode.INVALID_DATA, "what is no compressed message") from None
        except TooLong:
            raise _Fault(CloseCode.MESSAGE_TOO_BIG, f"a message is {self._most_octets} octets at most") from None

    def _ended(self, frame: _Frame) -> Event | None:
        """None: the message goes on."""
        if frame.opcode >= _Opcode.CLOSE or self._message is None:
            data = bytes(self._control)
            self._control.clear()
            if frame.opcode is _Opcode.CLOSE:
                return _closed(data)
            return Ping(data) if frame.opcode is _Opcode.PING else Pong(data)
        if not frame.is_final:
            return None
        if self._inflater is not None:
            self._message += self._inflated(self._inflater, None)
        message = bytes(self._message)
        self._message = self._inflater = None
        _check_utf8(message)
        return Text(message)


def pong(ping: Ping) -> bytes:
    return _frame(0x80 | _Opcode.PONG, ping.data)


def ping() -> bytes:
    return _frame(0x80 | _Opcode.PING, b"")


def close(code: int, reason: str = "") -> bytes:
    """NO_STATUS is not sent: RFC 6455 §7.4.1."""
    if code == CloseCode.NO_STATUS:
        return _frame(0x80 | _Opcode.CLOSE, b"")
    text = reason.encode()[:MOST_REASON_OCTETS].decode(errors="ignore").encode()
    return _frame(0x80 | _Opcode.CLOSE, code.to_bytes(2) + text)


def _frame(first: int, payload: bytes) -> bytes:
    length = len(payload)
    if length <= _CONTROL_OCTETS:
        head = bytes((first, length))
    elif length < 1 << 16:
        head = bytes((first, _LENGTH_16)) + length.to_bytes(2)
    else:
        head = bytes((first, _LENGTH_64)) + length.to_bytes(8)
    return head + payload


def _masked(data: bytes, mask: bytes) -> bytes:
    """RFC 6455 §5.3, on one long number: octet by octet would take hundreds of times as long."""
    repeated = mask * (len(data) // _MASK_OCTETS + 1)
    number = int.from_bytes(data) ^ int.from_bytes(repeated[: len(data)])
    return number.to_bytes(len(data))


def _closed(data: bytes) -> Event:
    if not data:
        return Closed(CloseCode.NO_STATUS)
    code = int.from_bytes(data[:2])
    # RFC 6455 §7.4: those that may be sent; §5.5.1: two octets, then text.
    if len(data) == 1 or not (code in _SENT or 3000 <= code <= 4999):
        raise _Fault(CloseCode.PROTOCOL_ERROR, "a goodbye with a code that there is not")
    _check_utf8(data[2:])
    return Closed(code)


def _check_utf8(data: bytes) -> None:
    try:
        data.decode()
    except UnicodeDecodeError:
        raise _Fault(CloseCode.INVALID_DATA, "text that is not UTF-8") from None


_SENT = frozenset((*range(1000, 1004), *range(1007, 1015)))
