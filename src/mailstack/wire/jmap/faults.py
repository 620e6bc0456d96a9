"""What a method call, or one object of a set, is answered with where it cannot be done. RFC 8620 §3.6.2, §5."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class MethodFaultType(StrEnum):
    # RFC 8620 §3.6.2
    SERVER_UNAVAILABLE = "serverUnavailable"
    SERVER_FAIL = "serverFail"
    SERVER_PARTIAL_FAIL = "serverPartialFail"
    UNKNOWN_METHOD = "unknownMethod"
    INVALID_ARGUMENTS = "invalidArguments"
    INVALID_RESULT_REFERENCE = "invalidResultReference"
    FORBIDDEN = "forbidden"
    ACCOUNT_NOT_FOUND = "accountNotFound"
    ACCOUNT_NOT_SUPPORTED_BY_METHOD = "accountNotSupportedByMethod"
    ACCOUNT_READ_ONLY = "accountReadOnly"
    # §5.1 to §5.6
    REQUEST_TOO_LARGE = "requestTooLarge"
    CANNOT_CALCULATE_CHANGES = "cannotCalculateChanges"
    STATE_MISMATCH = "stateMismatch"
    FROM_ACCOUNT_NOT_FOUND = "fromAccountNotFound"
    FROM_ACCOUNT_NOT_SUPPORTED_BY_METHOD = "fromAccountNotSupportedByMethod"
    ANCHOR_NOT_FOUND = "anchorNotFound"
    UNSUPPORTED_SORT = "unsupportedSort"
    UNSUPPORTED_FILTER = "unsupportedFilter"
    TOO_MANY_CHANGES = "tooManyChanges"
    # RFC 9404 §4.3
    UNKNOWN_DATA_TYPE = "unknownDataType"


class SetFaultType(StrEnum):
    # RFC 8620 §5.3, §5.4
    FORBIDDEN = "forbidden"
    OVER_QUOTA = "overQuota"
    TOO_LARGE = "tooLarge"
    RATE_LIMIT = "rateLimit"
    NOT_FOUND = "notFound"
    INVALID_PATCH = "invalidPatch"
    WILL_DESTROY = "willDestroy"
    INVALID_PROPERTIES = "invalidProperties"
    SINGLETON = "singleton"
    ALREADY_EXISTS = "alreadyExists"
    # RFC 8620 §3.6.2: of a method; what keeps one object from being set, and not the others, is the same.
    SERVER_UNAVAILABLE = "serverUnavailable"
    SERVER_FAIL = "serverFail"
    # RFC 8621 §2.5, §4.6, §4.8, §7.5
    MAILBOX_HAS_CHILD = "mailboxHasChild"
    MAILBOX_HAS_EMAIL = "mailboxHasEmail"
    BLOB_NOT_FOUND = "blobNotFound"
    TOO_MANY_KEYWORDS = "tooManyKeywords"
    TOO_MANY_MAILBOXES = "tooManyMailboxes"
    INVALID_EMAIL = "invalidEmail"
    TOO_MANY_RECIPIENTS = "tooManyRecipients"
    NO_RECIPIENTS = "noRecipients"
    INVALID_RECIPIENTS = "invalidRecipients"
    FORBIDDEN_MAIL_FROM = "forbiddenMailFrom"
    FORBIDDEN_FROM = "forbiddenFrom"
    FORBIDDEN_TO_SEND = "forbiddenToSend"
    CANNOT_UNSEND = "cannotUnsend"
    # RFC 9661 §2.4
    INVALID_SIEVE = "invalidSieve"
    SIEVE_IS_ACTIVE = "sieveIsActive"


class MethodFault(Exception):
    """Ends one method call. description: for whoever writes the client. more: further members of the error object."""

    def __init__(self, type_: MethodFaultType, description: str = "", *, more: Mapping[str, Any] | None = None) -> None:
        super().__init__(description or type_.value)
        self.type = type_
        self.description = description
        self.more = dict(more or {})

    def as_json(self) -> dict[str, Any]:
        described = {"description": self.description} if self.description else {}
        return {"type": self.type.value, **described, **self.more}


@dataclass(frozen=True, slots=True, kw_only=True)
class SetFault:
    """Why one object of a /set was not created, updated or destroyed. properties: whose values are at fault."""

    type: SetFaultType
    description: str = ""
    properties: Sequence[str] = ()
    more: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        found: dict[str, Any] = {"type": self.type.value}
        if self.description:
            found["description"] = self.description
        # RFC 8620 §5.3: invalidProperties should say which.
        if self.properties:
            found["properties"] = [*self.properties]
        return {**found, **self.more}


class NotSet(Exception):
    """Ends what is done for one object of a /set."""

    def __init__(self, fault: SetFault) -> None:
        super().__init__(fault.description or fault.type.value)
        self.fault = fault


def invalid_arguments(description: str) -> MethodFault:
    return MethodFault(MethodFaultType.INVALID_ARGUMENTS, description)


def invalid_property(name: str, description: str) -> NotSet:
    return NotSet(SetFault(type=SetFaultType.INVALID_PROPERTIES, description=description, properties=(name,)))
