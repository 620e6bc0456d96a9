"""Domain errors as responses: a response code for programs, a general text for people. RFC 5804 §1.3."""

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
from mailstack.servers.managesieve.replies import lines_of, no
from mailstack.sieve.faults import Broken
from mailstack.wire.managesieve.responses import Code, Reply

RESPONSES: Mapping[type[DomainError], tuple[Code | None, str]] = {
    NotFound: (Code.NONEXISTENT, "There is no script of that name"),
    AlreadyExists: (Code.ALREADYEXISTS, "There is a script of that name already"),
    QuotaExceeded: (Code.QUOTA, "All scripts together would be too large; remove some"),
    TooLarge: (Code.QUOTA_MAXSIZE, "The script is too large"),
    TooMany: (Code.QUOTA_MAXSCRIPTS, "There are too many scripts; remove some"),
    Forbidden: (None, "The filter of this account is set by the server's administrators and cannot be changed here"),
    NotOwnAddress: (None, "Not permitted"),
    InUse: (Code.ACTIVE, "The script is active; make another one active first, or none"),
    AuthenticationFailed: (None, "Authentication failed"),
    Conflict: (Code.TRYLATER, "Somebody else was faster, look again"),
    TryAgainLater: (Code.TRYLATER, "Try again later"),
    Unsupported: (None, "Not supported here"),
    UseRefused: (None, "Not supported here"),
    Invalid: (None, "A script is not empty; its name has at most 512 octets and no control characters"),
    LineTooLong: (None, "Not allowed"),
    Damaged: (None, "What was stored cannot be read"),
}

SERVER_BUG = no("Internal error")


def reply_to(fault: DomainError) -> Reply:
    code, text = next(RESPONSES[kind] for kind in type(fault).__mro__ if kind in RESPONSES)
    return no(text, code)


def reply_to_broken(broken: Broken) -> Reply:
    return no(lines_of(broken.faults))
