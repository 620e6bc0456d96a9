"""What a mechanism answers to each response of the client. RFC 4422 §3.

A protocol server carries these over its own lines (IMAP's `+ …`, SMTP's 334); base64 is in wire.sasl.encoding.
"""

from dataclasses import dataclass
from typing import Protocol

from mailstack.model.delivery import Credentials


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """data: not yet base64; b"" is an empty challenge."""

    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """The exchange broke a rule of the mechanism and is over. reason: for the log, holds nothing the client sent."""

    reason: str


Step = Challenge | Credentials | Broken
"""Credentials: the exchange is complete, and somebody else decides whether they are right."""


class Mechanism(Protocol):
    """One exchange. Not used again after Credentials or Broken."""

    def begin(self, initial: bytes | None) -> Step:
        """initial: the decoded initial response; None when the client sent none (RFC 4422 §3.3)."""
        ...

    def respond(self, response: bytes) -> Step:
        """response: decoded, the answer to the last challenge."""
        ...
