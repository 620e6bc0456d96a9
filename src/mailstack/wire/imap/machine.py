"""The server's half of an IMAP conversation as a machine: bytes in, events out. RFC 9051 §2.2.

It knows where commands begin and end and what they ask for, not which of them are allowed when: that is the session's.
Between two events the session may change how the rest is read (await_sasl, await_done, refuse_message, use_limits,
drop_input), so events are made only as they are asked for.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from enum import Enum

from mailstack.wire.framing import Framer, ProtocolFault
from mailstack.wire.imap.commands.append import Upload
from mailstack.wire.imap.commands.table import PARSERS, UID_PARSERS, Request
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
from mailstack.wire.imap.framing import Announced, announced_literal
from mailstack.wire.imap.intake import Awaited, Intake, Piece, read_piece
from mailstack.wire.imap.limits import Limits
from mailstack.wire.imap.tokens import Cursor
from mailstack.wire.sasl.encoding import CANCEL

# RFC 9051 §9: tag = 1*<any ASTRING-CHAR except "+">
_TAG = re.compile(rb"([^\x00-\x20\x7f-\xff(){%*\"\\+]+) ")
# RFC 5464 §5: the one command besides those that bring messages whose grammar has literal8.
_TAKES_BINARY = re.compile(rb"[^ ]+ SETMETADATA ", re.IGNORECASE)
_BRINGS_MESSAGES = re.compile(rb"[^ ]+ (?:APPEND|(?:UID )?REPLACE)(?![^ ])", re.IGNORECASE)


class _Mode(Enum):
    LINE = "line"  # the next line of a command
    LITERAL = "literal"  # octets that belong to a command
    MESSAGE = "message"  # octets of a message of APPEND or REPLACE
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
        self._is_utf8 = False
        self._tag: str | None = None
        self._intake: Intake | None = None
        self._message_octets = 0
        self._upload_octets = 0
        self._announced: Announced | None = None
        self._fault: SyntaxFault | Refused | None = None
        self._ready: list[Event] = []

    @property
    def is_amid_command(self) -> bool:
        """A literal was announced, and the command goes on after it."""
        return bool(self._parts) or self._intake is not None

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

    def use_utf8(self, *, is_on: bool) -> None:
        """After ENABLE: mailbox names are UTF-8. RFC 6855 §3, RFC 9051 §5.1."""
        self._is_utf8 = is_on

    def await_sasl(self) -> None:
        """The next line is a SASL response. RFC 9051 §6.2.2."""
        self._mode = _Mode.SASL

    def await_done(self) -> None:
        """The next line ends IDLE. RFC 2177 §3."""
        self._mode = _Mode.IDLE

    def refuse_message(self, code: str, text: str) -> None:
        """Right after TextBegins or MessageUrl: the command fails. A client that waits for `+` need not send more."""
        if self._tag is None:
            raise RuntimeError("no message has begun")
        self._ready.clear()
        self._refuse(Refused(tag=self._tag, code=code, text=text), self._announced)

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
            return
        self._parts.append(line if announced is None else line[: announced.at])
        if self._intake is None and len(self._parts) == 1 and _BRINGS_MESSAGES.match(line):
            self._intake = Intake()
        if self._intake is not None:
            self._take_piece(self._intake, announced)
        elif announced is None:
            self._finish(self._parsed())
        else:
            self._begin_literal(announced)

    def _begin_literal(self, announced: Announced) -> None:
        problem = self._literal_problem(announced)
        if problem is not None:
            self._refuse(problem, announced)
            return
        self._left = announced.size_octets
        self._mode = _Mode.LITERAL
        self._octets += announced.size_octets
        if announced.is_synchronizing:
            self._ready.append(NeedContinuation())

    def _take_piece(self, intake: Intake, announced: Announced | None) -> None:
        """A line of APPEND or REPLACE."""
        try:
            piece = read_piece(intake, self._piece_cursor(intake), self._limits)
            _check_end(piece.awaited, announced)
            if self._octets > self._limits.command_octets:
                raise SyntaxProblem("command too long")
        except RefusedProblem as problem:
            self._refuse(Refused(tag=self._tag or "*", code=problem.code, text=problem.text), announced)
        except SyntaxProblem as problem:
            self._refuse(SyntaxFault(tag=self._tag, text=problem.text), announced)
        else:
            self._took_piece(intake, piece, announced)

    def _piece_cursor(self, intake: Intake) -> Cursor:
        if intake.request is not None:
            return self._cursor()
        self._tag = None
        self._tag, cursor = self._opened()
        return cursor

    def _took_piece(self, intake: Intake, piece: Piece, announced: Announced | None) -> None:
        if announced is not None and piece.awaited is Awaited.ARGUMENT:
            self._begin_literal(announced)
            return
        self._say(intake, piece)
        self._intake = piece.intake
        self._parts = []
        if announced is not None:
            self._begin_octets(announced)
        elif piece.intake.request is not None and self._tag is not None:
            self._finish(Command(tag=self._tag, request=piece.intake.request))

    def _say(self, intake: Intake, piece: Piece) -> None:
        request = piece.intake.request
        uploads = () if intake.request is None else intake.request.uploads
        for said in piece.said:
            if isinstance(said, Upload) and request is not None:
                uploads = (*uploads, said)
                self._message_octets = 0
                self._ready.append(MessageBegins(request=replace(request, uploads=uploads)))
            elif isinstance(said, str):
                self._ready.append(MessageUrl(said))

    def _begin_octets(self, announced: Announced) -> None:
        size_octets = announced.size_octets
        self._message_octets += size_octets
        self._upload_octets += size_octets
        is_over = self._upload_octets > self._limits.upload_octets
        if self._message_octets > self._limits.message_octets or is_over:
            # RFC 7889 §4, RFC 4469 §4.2, RFC 9051 §7.1
            self._refuse(Refused(tag=self._tag or "*", code="TOOBIG", text="message too large"), announced)
            return
        self._mode = _Mode.MESSAGE
        self._left = size_octets
        self._announced = announced
        self._ready.append(
            TextBegins(
                size_octets=size_octets,
                is_synchronizing=announced.is_synchronizing,
                is_binary=announced.is_binary,
            )
        )

    def _literal_problem(self, announced: Announced) -> SyntaxFault | None:
        text = self._literal_excess(announced)
        return SyntaxFault(tag=self._tag_or_none(), text=text) if text else None

    def _literal_excess(self, announced: Announced) -> str:
        if announced.is_binary and not _TAKES_BINARY.match(self._parts[0]):
            return "literal8 is not for this server"
        if announced.size_octets > self._limits.literal_octets:
            return "literal too long"
        if len(self._parts) // 2 >= self._limits.literals:
            return "too many literals"
        if self._octets + announced.size_octets > self._limits.command_octets:
            return "command too long"
        return ""

    def _refuse(self, fault: SyntaxFault | Refused, announced: Announced | None) -> None:
        self._ready.clear()
        if announced is None or announced.is_synchronizing:
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
        cursor = self._cursor()
        found = cursor.match(_TAG)
        if found is None:
            raise SyntaxProblem("expected a tag")
        return found.group(1).decode("ascii"), cursor

    def _cursor(self) -> Cursor:
        limits = self._limits
        return Cursor(self._parts, nesting=limits.nesting, items=limits.items, is_utf8=self._is_utf8)

    def _tag_or_none(self) -> str | None:
        """For a literal that is an argument."""
        if self._intake is not None:
            return self._tag
        found = _TAG.match(self._parts[0])
        return found.group(1).decode("ascii") if found else None

    def _finish(self, event: Event) -> None:
        self._ready.append(event)
        self._parts = []
        self._octets = 0
        self._intake = None
        self._message_octets = 0
        self._upload_octets = 0
        self._announced = None
        self._fault = None
        self._mode = _Mode.LINE


def _check_end(awaited: Awaited, announced: Announced | None) -> None:
    """Whether the text leads up to what stands at its end. Raises SyntaxProblem."""
    if awaited is Awaited.NOTHING:
        if announced is not None:
            raise SyntaxProblem("unexpected literal after the message")
    elif announced is None:
        raise SyntaxProblem("expected a literal")
    elif awaited is Awaited.LITERAL8 and not announced.is_binary:
        raise SyntaxProblem("expected a literal8")  # RFC 6855 §4


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
