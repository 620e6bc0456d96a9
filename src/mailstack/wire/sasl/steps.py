"""What a mechanism answers to each response of the client. RFC 4422 §3.

A protocol server carries these over its own lines (IMAP's `+ …`, SMTP's 334); base64 is in wire.sasl.encoding.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from mailstack.model.delivery import Credentials
from mailstack.model.scram import ScramVerifier


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """data: not yet base64; b"" is an empty challenge."""

    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedsVerifier:
    """The client said who it is. answer: takes what is kept of that name's password; whoever has none is answered for
    with a made-up one, so that the exchange does not tell."""

    username: str
    answer: "Callable[[ScramVerifier], Step]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proved:
    """The client knows the password behind the verifier. final: to be sent as one more challenge where it may come in,
    and to be answered with nothing: it proves the server to the client."""

    username: str
    final: Challenge


@dataclass(frozen=True, slots=True, kw_only=True)
class Disproved:
    """The client does not know the password behind the verifier."""

    username: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """The exchange broke a rule of the mechanism and is over. reason: for the log, holds nothing the client sent."""

    reason: str


Step = Challenge | NeedsVerifier | Credentials | Proved | Disproved | Broken
"""Credentials: the exchange is complete, and somebody else decides whether they are right."""


class Mechanism(Protocol):
    """One exchange. Not used again after Credentials, Proved, Disproved or Broken."""

    def begin(self, initial: bytes | None) -> Step:
        """initial: the decoded initial response; None when the client sent none (RFC 4422 §3.3)."""
        ...

    def respond(self, response: bytes) -> Step:
        """response: decoded, the answer to the last challenge."""
        ...
