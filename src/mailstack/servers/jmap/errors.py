"""Domain errors as faults of a method call, and of one object of a /set. Texts are generic: details are the log's.

RFC 8620 §3.6.2, §5.3.
"""

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
from mailstack.wire.jmap.faults import MethodFault, MethodFaultType, SetFault, SetFaultType

FAULTS: Mapping[type[DomainError], tuple[MethodFaultType, SetFaultType, str]] = {
    NotFound: (MethodFaultType.INVALID_ARGUMENTS, SetFaultType.NOT_FOUND, "There is no such thing"),
    AlreadyExists: (MethodFaultType.INVALID_ARGUMENTS, SetFaultType.ALREADY_EXISTS, "It is there already"),
    QuotaExceeded: (MethodFaultType.FORBIDDEN, SetFaultType.OVER_QUOTA, "The account is full"),
    TooLarge: (MethodFaultType.REQUEST_TOO_LARGE, SetFaultType.TOO_LARGE, "Too large"),
    # RFC 8620 §5.3: overQuota is also for the number of objects.
    TooMany: (MethodFaultType.REQUEST_TOO_LARGE, SetFaultType.OVER_QUOTA, "Too many"),
    Forbidden: (MethodFaultType.FORBIDDEN, SetFaultType.FORBIDDEN, "Not permitted"),
    NotOwnAddress: (MethodFaultType.FORBIDDEN, SetFaultType.FORBIDDEN, "Not permitted"),
    InUse: (MethodFaultType.FORBIDDEN, SetFaultType.FORBIDDEN, "In use"),
    AuthenticationFailed: (MethodFaultType.FORBIDDEN, SetFaultType.FORBIDDEN, "Who you are was not proved"),
    Conflict: (
        MethodFaultType.SERVER_UNAVAILABLE,
        SetFaultType.SERVER_UNAVAILABLE,
        "Somebody else was faster, try again",
    ),
    TryAgainLater: (MethodFaultType.SERVER_UNAVAILABLE, SetFaultType.SERVER_UNAVAILABLE, "Try again later"),
    Unsupported: (MethodFaultType.INVALID_ARGUMENTS, SetFaultType.INVALID_PROPERTIES, "Not supported here"),
    UseRefused: (MethodFaultType.INVALID_ARGUMENTS, SetFaultType.INVALID_PROPERTIES, "Not for this use"),
    Invalid: (MethodFaultType.INVALID_ARGUMENTS, SetFaultType.INVALID_PROPERTIES, "Not allowed"),
    LineTooLong: (MethodFaultType.INVALID_ARGUMENTS, SetFaultType.INVALID_PROPERTIES, "Not allowed"),
    Damaged: (MethodFaultType.SERVER_FAIL, SetFaultType.SERVER_FAIL, "What was stored cannot be read"),
}


def method_fault(error: DomainError) -> MethodFault:
    type_, _, text = _row(error)
    return MethodFault(type_, text)


def set_fault(error: DomainError) -> SetFault:
    _, type_, text = _row(error)
    return SetFault(type=type_, description=text)


def _row(error: DomainError) -> tuple[MethodFaultType, SetFaultType, str]:
    return next(FAULTS[kind] for kind in type(error).__mro__ if kind in FAULTS)
