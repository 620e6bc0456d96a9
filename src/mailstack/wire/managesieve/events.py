"""What comes out of the machine, in the order in which the peer said it."""

from dataclasses import dataclass

from mailstack.wire.managesieve.commands.table import Request
from mailstack.wire.managesieve.responses import Code


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    request: Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A command to be answered NO with this text. It may have come where a SASL response was awaited."""

    text: str
    code: Code | None = None


@dataclass(frozen=True, slots=True)
class SaslResponse:
    """text: still base64. Comes after await_sasl()."""

    text: bytes

    def __repr__(self) -> str:
        return "SaslResponse()"


@dataclass(frozen=True, slots=True)
class SaslCancelled:
    """RFC 5804 §2.1: the client sent `*`."""


Event = Command | Refused | SaslResponse | SaslCancelled
