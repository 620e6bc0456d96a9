"""What comes out of the machine, in the order in which the peer said it."""

from dataclasses import dataclass

from mailstack.wire.imap.commands.append import Append
from mailstack.wire.imap.commands.replace import Replace
from mailstack.wire.imap.commands.table import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    tag: str
    request: Request


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntaxFault:
    """A command to be answered BAD; tag: None when not even that could be read."""

    tag: str | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A command to be answered NO with this response code."""

    tag: str
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class NeedContinuation:
    """The peer waits for `+` before it sends a literal that is no message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageBegins:
    """A message of APPEND or REPLACE: the last of request.uploads, which are those so far. It comes as TextBegins with
    MessageOctets, and MessageUrl, in any number; then the next message, or the Command, or in its place a SyntaxFault
    or Refused.
    """

    request: Append | Replace


@dataclass(frozen=True, slots=True, kw_only=True)
class TextBegins:
    """size_octets follow as MessageOctets, unless they are turned down right now by ImapMachine.refuse_message.

    is_synchronizing: the peer waits for `+` first. is_binary: RFC 3516 §4.4: a literal8, which may hold NUL.
    """

    size_octets: int
    is_synchronizing: bool
    is_binary: bool


@dataclass(frozen=True, slots=True)
class MessageOctets:
    data: bytes


@dataclass(frozen=True, slots=True)
class MessageUrl:
    """RFC 4469 §3: what this URL names is the next part of the message. May be turned down as TextBegins."""

    url: str


@dataclass(frozen=True, slots=True)
class SaslResponse:
    """line: still base64. Comes after await_sasl()."""

    line: bytes

    def __repr__(self) -> str:
        return "SaslResponse()"


@dataclass(frozen=True, slots=True)
class SaslCancelled:
    """RFC 9051 §6.2.2: the client sent `*`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdleEnds:
    """Comes after await_done(). is_done: RFC 2177 §3: the client said DONE, and nothing else."""

    is_done: bool


Event = (
    Command
    | SyntaxFault
    | Refused
    | NeedContinuation
    | MessageBegins
    | TextBegins
    | MessageOctets
    | MessageUrl
    | SaslResponse
    | SaslCancelled
    | IdleEnds
)
