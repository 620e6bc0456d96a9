"""Domain errors as responses. RFC 5530, RFC 9051 §7.1: a response code for programs, a general text for people."""

from collections.abc import Mapping

from mailstack.model.errors import (
    AlreadyExists,
    AuthenticationFailed,
    Conflict,
    Damaged,
    DomainError,
    Forbidden,
    InUse,
    Invalid,
    LineTooLong,
    NotFound,
    NotOwnAddress,
    QuotaExceeded,
    TooLarge,
    TooMany,
    TryAgainLater,
    Unsupported,
    UseRefused,
)
from mailstack.servers.imap.session import Completed, no

RESPONSES: Mapping[type[DomainError], tuple[str, str]] = {
    NotFound: ("NONEXISTENT", "No such mailbox"),
    AlreadyExists: ("ALREADYEXISTS", "The name is taken"),
    QuotaExceeded: ("OVERQUOTA", "The account is full"),
    TooLarge: ("LIMIT", "Too large"),
    TooMany: ("LIMIT", "Too many"),
    Forbidden: ("NOPERM", "Not permitted"),
    NotOwnAddress: ("NOPERM", "Not permitted"),
    InUse: ("INUSE", "In use"),
    AuthenticationFailed: ("AUTHENTICATIONFAILED", "Authentication failed"),
    Conflict: ("INUSE", "Somebody else was faster, look again"),
    TryAgainLater: ("UNAVAILABLE", "Try again later"),
    Unsupported: ("CANNOT", "Not supported here"),
    UseRefused: ("USEATTR", "Not for this use"),
    Invalid: ("CANNOT", "Not allowed"),
    LineTooLong: ("CANNOT", "Not allowed"),
    Damaged: ("CORRUPTION", "What was stored cannot be read"),
}

SERVER_BUG = no("Internal error", "SERVERBUG")
"""RFC 5530 §3."""


def completed_with(fault: DomainError) -> Completed:
    code, text = next(RESPONSES[kind] for kind in type(fault).__mro__ if kind in RESPONSES)
    return no(text, code)
