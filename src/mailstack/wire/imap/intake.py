"""The text of APPEND and REPLACE, read piece by piece: what stands before, between and after the octets of messages.

append = "APPEND" SP mailbox 1*append-message; append-message = [SP flag-list] [SP date-time] SP append-data
append-data = literal / literal8 / "UTF8" SP "(" literal8 ")" / "CATENATE" SP "(" cat-part *(SP cat-part) ")"
RFC 4466 §3, RFC 3502 §6.3.11, RFC 3516 §4.4, RFC 4469 §5, RFC 6855 §4, RFC 8508 §4.
"""

from dataclasses import dataclass, replace
from enum import Enum

from mailstack.model.numset import STAR, NumSet
from mailstack.wire.imap.commands.append import Append, Upload
from mailstack.wire.imap.commands.numbered import Numbered
from mailstack.wire.imap.commands.replace import Replace
from mailstack.wire.imap.dates import date_time
from mailstack.wire.imap.faults import RefusedProblem, SyntaxProblem
from mailstack.wire.imap.flags import flag_list
from mailstack.wire.imap.limits import Limits
from mailstack.wire.imap.tokens import Cursor


class Awaited(Enum):
    """What a piece of text leads up to."""

    ARGUMENT = "argument"  # a literal that is part of the text: the mailbox, a URL
    OCTETS = "octets"  # of a message
    LITERAL8 = "literal8"  # of a message, and nothing but a literal8
    NOTHING = "nothing"  # the command is whole


class Place(Enum):
    HEAD = "head"
    PART_ENDED = "part ended"  # of CATENATE
    UTF8_ENDED = "utf8 ended"
    UTF8_PART_ENDED = "utf8 part ended"
    MESSAGE_ENDED = "message ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """place: where the next piece of text begins. request: None before the mailbox is known. parts: of all messages."""

    place: Place = Place.HEAD
    request: Append | Replace | None = None
    parts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """said: in order: an Upload begins a message, a text is a URL of it."""

    awaited: Awaited
    intake: Intake
    said: tuple[Upload | str, ...]


def read_piece(intake: Intake, cursor: Cursor, limits: Limits) -> Piece:
    """cursor: at the command word, or where the octets before ended. Raises SyntaxProblem."""
    reader = _Reader(intake, cursor, limits)
    awaited = reader.read()
    reached = Intake(place=reader.place, request=reader.request, parts=reader.parts)
    return Piece(awaited=awaited, intake=reached, said=tuple(reader.said))


class _Reader:
    def __init__(self, intake: Intake, cursor: Cursor, limits: Limits) -> None:
        self._cursor = cursor
        self._limits = limits
        self.place = intake.place
        self.request = intake.request
        self.parts = intake.parts
        self.said: list[Upload | str] = []

    def read(self) -> Awaited:
        match self.place:
            case Place.HEAD:
                return self._message() if self._head() else Awaited.ARGUMENT
            case Place.MESSAGE_ENDED:
                return self._after_message()
            case Place.UTF8_ENDED:
                self._cursor.require(b")")
                return self._after_message()
            case Place.PART_ENDED:
                return self._after_part()
            case Place.UTF8_PART_ENDED:
                self._cursor.require(b")")
                return self._after_part()

    def _head(self) -> bool:
        """False: the mailbox is a literal that is yet to come."""
        cursor = self._cursor
        is_uid = cursor.skip_word(b"UID")
        if is_uid:
            cursor.space()
        word = cursor.word()
        cursor.space()
        message = None
        if word == "REPLACE":
            message = Numbered(numbers=_seq_number(cursor), is_uid=is_uid)
            cursor.space()
        if cursor.is_at_end():
            return False
        mailbox = cursor.mailbox()
        if message is None:
            self.request = Append(mailbox=mailbox, uploads=())
        else:
            self.request = Replace(message=message, mailbox=mailbox, uploads=())
        return True

    def _message(self) -> Awaited:
        cursor = self._cursor
        cursor.space()
        upload = Upload()
        if cursor.is_next(b"("):
            upload = replace(upload, flags=flag_list(cursor))
            cursor.space()
        if cursor.is_next(b'"'):
            upload = replace(upload, received_at=date_time(cursor))
            cursor.space()
        if cursor.is_at_end():
            self._begin(upload)
            self.place = Place.MESSAGE_ENDED
            return Awaited.OCTETS
        if cursor.skip_word(b"CATENATE"):
            self._begin(upload)
            cursor.space()
            cursor.require(b"(")
            return self._part()
        self._begin(replace(upload, is_utf8=True))
        return self._utf8(Place.UTF8_ENDED)

    def _begin(self, upload: Upload) -> None:
        if self.request is None:
            raise SyntaxProblem("expected a mailbox")
        uploads = (*self.request.uploads, upload)
        if len(uploads) > self._limits.messages:
            raise RefusedProblem("LIMIT", "too many messages")  # RFC 5530 §3
        self.request = replace(self.request, uploads=uploads)
        self.said.append(upload)

    def _after_message(self) -> Awaited:
        self.place = Place.MESSAGE_ENDED
        if self._cursor.is_at_end():
            return Awaited.NOTHING
        if isinstance(self.request, Replace):
            raise SyntaxProblem("unexpected text after the message")  # RFC 8508 §3: one for one
        return self._message()

    def _part(self) -> Awaited:
        """cat-part = "URL" SP astring / "TEXT" SP literal"""
        cursor = self._cursor
        self.parts += 1
        if self.parts > self._limits.parts:
            raise RefusedProblem("LIMIT", "too many parts")
        if cursor.skip_word(b"URL"):
            cursor.space()
            if cursor.is_at_end():
                return Awaited.ARGUMENT
            self.said.append(cursor.text(cursor.astring()))
            return self._after_part()
        if cursor.skip_word(b"TEXT"):
            cursor.space()
            self.place = Place.PART_ENDED
            return self._octets(Awaited.OCTETS)
        return self._utf8(Place.UTF8_PART_ENDED)

    def _after_part(self) -> Awaited:
        if self._cursor.skip(b")"):
            return self._after_message()
        self._cursor.space()
        return self._part()

    def _utf8(self, ended: Place) -> Awaited:
        """ "UTF8" SP "(" literal8 ")" """
        if not self._cursor.skip_word(b"UTF8"):
            raise SyntaxProblem("expected a message")
        self._cursor.space()
        self._cursor.require(b"(")
        self.place = ended
        return self._octets(Awaited.LITERAL8)

    def _octets(self, awaited: Awaited) -> Awaited:
        if not self._cursor.is_at_end():
            raise SyntaxProblem("expected a literal")
        return awaited


def _seq_number(cursor: Cursor) -> NumSet:
    """seq-number = nz-number / "*" """
    number = STAR
    if not cursor.skip(b"*"):
        number = cursor.number()
        if not number:
            raise SyntaxProblem("a message number is at least 1")
    return NumSet(((number, number),))
