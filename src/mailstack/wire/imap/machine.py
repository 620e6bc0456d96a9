"""The server's half of an IMAP conversation as a machine: bytes in, events out. RFC 9051 §2.2.

It knows where commands begin and end and what they ask for, not which of them are allowed when: that is the session's.
Between two events the session may change how the rest is read (await_sasl, await_done, refuse_message, use_limits,
drop_input), so events are made only as they are asked for.
"""

import re
from collections.abc import Iterator
from enum import Enum

from mailstack.wire.imap.commands.append import Append, parse_head
from mailstack.wire.imap.commands.table import PARSERS, UID_PARSERS, Request
from mailstack.wire.imap.events import (
    Command,
    Event,
    IdleEnds,
    MessageBegins,
    MessageOctets,
    NeedContinuation,
    Refused,
    SaslCancelled,
    SaslResponse,
    SyntaxFault,
)
from mailstack.wire.imap.faults import ProtocolFault, RefusedProblem, SyntaxProblem
from mailstack.wire.imap.framing import Announced, Framer, announced_literal
from mailstack.wire.imap.limits import Limits
from mailstack.wire.imap.tokens import Cursor
from mailstack.wire.sasl.encoding import CANCEL

# RFC 9051 §9: tag = 1*<any ASTRING-CHAR except "+">
_TAG = re.compile(rb"([^\x00-\x20\x7f-\xff(){%*\"\\+]+) ")
_APPEND = re.compile(rb"[^ ]+ APPEND (?P<rest>.*)", re.IGNORECASE | re.DOTALL)


class _Mode(Enum):
    LINE = "line"  # the next line of a command
    LITERAL = "literal"  # octets that belong to a command
    MESSAGE = "message"  # octets of APPEND's message
    DISCARD = "discard"  # octets of a literal that was refused
    SASL = "sasl"
    IDLE = "idle"


class ImapMachine:
    """After ProtocolFault the machine is of no more use."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._framer = Framer(limits.line_octets)
        self._mode = _Mode.LINE
        self._parts: list[bytes] = []
        self._literal = bytearray()
        self._octets = 0
        self._left = 0
        self._append: Append | None = None
        self._announced: Announced | None = None
        self._fault: SyntaxFault | Refused | None = None
        self._ready: list[Event] = []

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
        """The next line is a SASL response. RFC 9051 §6.2.2."""
        self._mode = _Mode.SASL

    def await_done(self) -> None:
        """The next line ends IDLE. RFC 2177 §3."""
        self._mode = _Mode.IDLE

    def refuse_message(self, code: str, text: str) -> None:
        """Right after MessageBegins: the message is not wanted, and a client that waits for `+` need not send it."""
        tag = self._tag_or_none()
        if self._announced is None or tag is None:
            raise RuntimeError("no message has begun")
        self._append = None
        self._refuse(Refused(tag=tag, code=code, text=text), self._announced)

    def drop_input(self) -> None:
        """At STARTTLS: what was sent in the clear after it is nobody's command (CVE-2011-0411, RFC 9051 §6.2.1)."""
        self._framer.drop()

    def _next(self) -> Event | None:
        while not self._ready:
            if not self._advance():
                return None
        return self._ready.pop(0)

    def _advance(self) -> bool:
        """One step; False when it needs more input."""
        match self._mode:
            case _Mode.LITERAL | _Mode.MESSAGE | _Mode.DISCARD:
                return self._take_octets()
            case _Mode.LINE | _Mode.SASL | _Mode.IDLE:
                line = self._framer.line()
                if line is None:
                    return False
                self._take_line(line)
                return True

    def _take_line(self, line: bytes) -> None:
        if self._mode is _Mode.SASL:
            self._mode = _Mode.LINE
            self._ready.append(SaslCancelled() if line == CANCEL else SaslResponse(line))
        elif self._mode is _Mode.IDLE:
            self._mode = _Mode.LINE
            self._ready.append(IdleEnds(is_done=line.upper() == b"DONE"))
        else:
            self._command_line(line)

    def _command_line(self, line: bytes) -> None:
        self._octets += len(line)
        announced = announced_literal(line)
        if self._fault is not None:
            self._after_discard(announced)
        elif self._append is not None:
            self._end_append(line, announced)
        elif announced is None:
            self._parts.append(line)
            self._finish(self._parsed())
        else:
            self._begin_literal(line, announced)

    def _begin_literal(self, line: bytes, announced: Announced) -> None:
        text = line[: announced.at]
        is_message = self._is_message_next(text)
        self._parts.append(text)
        problem = self._message_problem(announced) if is_message else self._literal_problem(announced)
        if problem is not None:
            self._refuse(problem, announced)
            return
        self._left = announced.size_octets
        if is_message:
            self._begin_message(announced)
            return
        self._mode = _Mode.LITERAL
        self._octets += announced.size_octets
        if announced.is_synchronizing:
            self._ready.append(NeedContinuation())

    def _begin_message(self, announced: Announced) -> None:
        if self._append is not None:
            self._mode = _Mode.MESSAGE
            self._announced = announced
            self._ready.append(MessageBegins(request=self._append, is_synchronizing=announced.is_synchronizing))

    def _is_message_next(self, text: bytes) -> bool:
        """APPEND's literal is its message, unless it stands where the mailbox does."""
        found = _APPEND.match(self._parts[0] if self._parts else text)
        return found is not None and (bool(self._parts) or bool(found.group("rest")))

    def _message_problem(self, announced: Announced) -> SyntaxFault | Refused | None:
        try:
            tag, cursor = self._opened()
        except SyntaxProblem as problem:
            return SyntaxFault(tag=None, text=problem.text)
        try:
            cursor.skip_word(b"APPEND")
            append = parse_head(cursor, announced.size_octets)
        except SyntaxProblem as problem:
            return SyntaxFault(tag=tag, text=problem.text)
        if announced.is_binary:
            return SyntaxFault(tag=tag, text="literal8 is not for this server")  # RFC 3516 is not offered
        if announced.size_octets > self._limits.message_octets:
            return Refused(tag=tag, code="TOOBIG", text="message too large")  # RFC 7889, RFC 9051 §7.1
        self._append = append
        return None

    def _literal_problem(self, announced: Announced) -> SyntaxFault | None:
        text = self._literal_excess(announced)
        return SyntaxFault(tag=self._tag_or_none(), text=text) if text else None

    def _literal_excess(self, announced: Announced) -> str:
        if announced.is_binary:
            return "literal8 is not for this server"
        if announced.size_octets > self._limits.literal_octets:
            return "literal too long"
        if len(self._parts) // 2 >= self._limits.literals:
            return "too many literals"
        if self._octets + announced.size_octets > self._limits.command_octets:
            return "command too long"
        return ""

    def _refuse(self, fault: SyntaxFault | Refused, announced: Announced) -> None:
        if announced.is_synchronizing:
            # RFC 9051 §4.3: without a continuation request the literal is never sent
            self._finish(fault)
            return
        self._fault = fault
        self._discard(announced.size_octets)

    def _discard(self, size_octets: int) -> None:
        # RFC 7888 §4: what comes unasked is read past, or the connection ends.
        self._octets += size_octets
        if self._octets > self._limits.discard_octets:
            raise ProtocolFault("literal too long")
        self._left = size_octets
        self._mode = _Mode.DISCARD

    def _after_discard(self, announced: Announced | None) -> None:
        """The line after a refused literal: the command may announce more of them."""
        if announced is not None and not announced.is_synchronizing:
            self._discard(announced.size_octets)
        elif self._fault is not None:
            self._finish(self._fault)

    def _take_octets(self) -> bool:
        data = self._framer.octets(self._left)
        if self._left and not data:
            return False
        self._left -= len(data)
        if self._mode is _Mode.MESSAGE and data:
            self._ready.append(MessageOctets(data))
        elif self._mode is _Mode.LITERAL:
            self._literal += data
        if not self._left:
            self._end_octets()
        return True

    def _end_octets(self) -> None:
        if self._mode is _Mode.LITERAL:
            self._parts.append(bytes(self._literal))
            self._literal.clear()
        self._mode = _Mode.LINE

    def _end_append(self, line: bytes, announced: Announced | None) -> None:
        tag = self._tag_or_none()
        if not line and tag is not None and self._append is not None:
            self._finish(Command(tag=tag, request=self._append))
            return
        # RFC 3502 (MULTIAPPEND) is not offered: nothing follows the message.
        fault = SyntaxFault(tag=tag, text="unexpected text after the message")
        if announced is None:
            self._finish(fault)
        else:
            self._append = None
            self._refuse(fault, announced)

    def _parsed(self) -> Event:
        tag: str | None = None
        try:
            if self._octets > self._limits.command_octets:
                raise SyntaxProblem("command too long")
            tag, cursor = self._opened()
            return Command(tag=tag, request=_request(cursor))
        except RefusedProblem as problem:
            return Refused(tag=tag or "*", code=problem.code, text=problem.text)
        except SyntaxProblem as problem:
            return SyntaxFault(tag=tag, text=problem.text)

    def _opened(self) -> tuple[str, Cursor]:
        """The tag, and a cursor behind it."""
        cursor = Cursor(self._parts, nesting=self._limits.nesting, items=self._limits.items)
        found = cursor.match(_TAG)
        if found is None:
            raise SyntaxProblem("expected a tag")
        return found.group(1).decode("ascii"), cursor

    def _tag_or_none(self) -> str | None:
        found = _TAG.match(self._parts[0])
        return found.group(1).decode("ascii") if found else None

    def _finish(self, event: Event) -> None:
        self._ready.append(event)
        self._parts = []
        self._octets = 0
        self._append = None
        self._announced = None
        self._fault = None
        self._mode = _Mode.LINE


def _request(cursor: Cursor) -> Request:
    word = cursor.word()
    if word == "UID":
        cursor.space()
        parser = UID_PARSERS.get(cursor.word())
    else:
        parser = PARSERS.get(word)
    if parser is None:
        raise SyntaxProblem("unknown command")
    return parser(cursor)
