"""Domain outcomes that end a use case early. They know no protocol: each server has one table from these to replies.

DomainError
├── NotFound          the thing named does not exist, or the caller may not know that it does
├── AlreadyExists     the name is taken
├── QuotaExceeded     the account is full
├── TooLarge          one thing is over its limit
│   └── TooMany            one more than there may be
├── Forbidden         the caller may not
│   ├── NotOwnAddress      in somebody else's name
│   └── InUse              as long as it is in use
├── AuthenticationFailed   who the caller says they are was not proved
├── Conflict          somebody else was faster; look again
├── TryAgainLater     a passing fault: DNS, disk, lock
├── Unsupported       understood, and not done here
│   └── UseRefused         a special use that the mailbox cannot have
├── Invalid           the input breaks a rule
│   └── LineTooLong        in a line that must stay as it is
└── Damaged           what was stored can no longer be read
"""


class DomainError(Exception):
    """detail: one sentence for the log and the operator; strangers are shown a generic text instead."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail)
        self.detail = detail


class NotFound(DomainError): ...


class AlreadyExists(DomainError): ...


class QuotaExceeded(DomainError): ...


class TooLarge(DomainError): ...


class TooMany(TooLarge): ...


class Forbidden(DomainError): ...


class NotOwnAddress(Forbidden): ...


class InUse(Forbidden): ...


class AuthenticationFailed(DomainError): ...


class Conflict(DomainError): ...


class TryAgainLater(DomainError): ...


class Unsupported(DomainError): ...


class UseRefused(Unsupported): ...


class Invalid(DomainError): ...


class LineTooLong(Invalid): ...


class Damaged(DomainError): ...
