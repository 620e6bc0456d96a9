"""The server's half of a ManageSieve conversation as a machine: bytes in, events out. RFC 5804 §1.2, §4.

It knows where commands begin and end and what they ask for, not which of them are allowed when: that is the session's.
Between two events the session may change how the rest is read (await_sasl, use_limits, drop_input), so events are made
only as they are asked for.
"""

import re
from collections.abc import Iterator
from enum import Enum

from mailstack.wire.framing import Framer, ProtocolFault
from mailstack.wire.managesieve.commands.table import PARSERS, Request
from mailstack.wire.managesieve.events import Command, Event, Refused, SaslCancelled, SaslResponse
from mailstack.wire.managesieve.faults import SyntaxProblem
from mailstack.wire.managesieve.limits import Limits
from mailstack.wire.managesieve.literals import announced_octets
from mailstack.wire.managesieve.responses import Code
from mailstack.wire.managesieve.tokens import Cursor
from mailstack.wire.sasl.encoding import CANCEL

_PUTSCRIPT = re.compile(rb"PUTSCRIPT (\".*\" )?", re.IGNORECASE)


class _Mode(Enum):
    LINE = "line"
    LITERAL = "literal"
    DISCARD = "discard"  # octets of a literal that was refused


class ManageSieveMachine:
    """After ProtocolFault the machine is of no more use."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._framer = Framer(limits.line_octets)
        self._mode = _Mode.LINE
        self._is_sasl = False
        self._parts: list[bytes] = []
        self._literal = bytearray()
        self._octets = 0
        self._left = 0
        self._refusal: Refused | None = None

    @property
    def is_amid_command(self) -> bool:
        """A literal was announced, and the command goes on after it."""
        return bool(self._parts)

    def feed(self, data: bytes) -> Iterator[Event]:
        """Events as they are asked for; the end of the iteration means that more input is needed.

        Raises ProtocolFault from the iterator.
        """
        self._framer.feed(data)
        return self.events()

    def events(self) -> Iterator[Event]:
        """What is left of the input so far."""
        while (event := self._next()) is not None:
            yield event

    def use_limits(self, limits: Limits) -> None:
        """After login. Takes hold from the next line on."""
        self._limits = limits
        self._framer.line_octets = limits.line_octets

    def await_sasl(self) -> None:
        """A SASL response comes next. RFC 5804 §2.1."""
        self._is_sasl = True

    def drop_input(self) -> None:
        """At STARTTLS: what was sent in the clear after it is nobody's command (CVE-2011-0411, RFC 5804 §2.2)."""
        self._framer.drop()

    def _next(self) -> Event | None:
        while True:
            if self._mode is not _Mode.LINE:
                if not self._take_octets():
                    return None
                continue
            line = self._framer.line()
            if line is None:
                return None
            if (event := self._take_line(line)) is not None:
                return event

    def _take_line(self, line: bytes) -> Event | None:
        """None: the command goes on after a literal."""
        announced = announced_octets(line)
        self._octets += len(line)
        if announced is None:
            self._parts.append(line)
            return self._finished()
        at, size_octets = announced
        if self._refusal is None:
            self._parts.append(line[:at])
            self._refusal = self._refusal_of(size_octets)
        self._begin_octets(size_octets)
        return None

    def _begin_octets(self, size_octets: int) -> None:
        self._octets += size_octets
        self._left = size_octets
        self._mode = _Mode.LITERAL
        if self._refusal is not None:
            # The client does not wait to be asked for the octets: they are read past, or the connection ends.
            if self._octets > self._limits.discard_octets:
                raise ProtocolFault(self._refusal.text)
            self._mode = _Mode.DISCARD

    def _refusal_of(self, size_octets: int) -> Refused | None:
        if (len(self._parts) + 1) // 2 > self._limits.literals:
            return Refused(text="too many literals")
        if size_octets > self._limits.literal_octets:
            if code := self._size_code():
                return Refused(text=f"script too large (at most {self._limits.literal_octets} octets)", code=code)
            return Refused(text="literal too long")
        if self._octets + size_octets > self._limits.command_octets:
            return Refused(text="command too long")
        return None

    def _size_code(self) -> Code | None:
        """RFC 5804 §1.3: QUOTA/MAXSIZE is said of a script that is to be kept: the second string of PUTSCRIPT."""
        found = _PUTSCRIPT.match(self._parts[0])
        return Code.QUOTA_MAXSIZE if found and (found.group(1) or len(self._parts) > 1) else None

    def _take_octets(self) -> bool:
        data = self._framer.octets(self._left)
        if self._left and not data:
            return False
        self._left -= len(data)
        if self._mode is _Mode.LITERAL:
            self._literal += data
        if not self._left:
            self._end_octets()
        return True

    def _end_octets(self) -> None:
        if self._mode is _Mode.LITERAL:
            self._parts.append(bytes(self._literal))
            self._literal.clear()
        self._mode = _Mode.LINE

    def _finished(self) -> Event:
        parts, refusal, is_sasl = self._parts, self._refusal, self._is_sasl
        if refusal is None and self._octets > self._limits.command_octets:
            refusal = Refused(text="command too long")
        self._parts = []
        self._octets = 0
        self._refusal = None
        self._is_sasl = False
        if refusal is not None:
            return refusal
        try:
            return _sasl_response(Cursor(parts)) if is_sasl else Command(request=_request(Cursor(parts)))
        except SyntaxProblem as problem:
            return Refused(text=problem.text)


def _request(cursor: Cursor) -> Request:
    parser = PARSERS.get(cursor.word())
    if parser is None:
        raise SyntaxProblem("unknown command")
    return parser(cursor)


def _sasl_response(cursor: Cursor) -> SaslResponse | SaslCancelled:
    text = cursor.string()
    cursor.end()
    return SaslCancelled() if text == CANCEL else SaslResponse(text)
