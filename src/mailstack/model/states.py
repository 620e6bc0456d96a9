"""States of an account's data, by type, as clients are told of them. RFC 8620 §7.1."""

from collections.abc import Mapping
from enum import StrEnum

from mailstack.model.ids import AccountId


class StateType(StrEnum):
    """In JMAP's words; in this order where they stand by place alone."""

    MAILBOX = "Mailbox"
    EMAIL = "Email"
    THREAD = "Thread"
    # RFC 8621 §1.5: another one whenever an email came in, and only then.
    EMAIL_DELIVERY = "EmailDelivery"
    QUOTA = "Quota"
    IDENTITY = "Identity"
    EMAIL_SUBMISSION = "EmailSubmission"
    VACATION_RESPONSE = "VacationResponse"
    SIEVE_SCRIPT = "SieveScript"


ALL_TYPES = frozenset(StateType)
MAIL_TYPES = frozenset((StateType.MAILBOX, StateType.EMAIL, StateType.THREAD, StateType.EMAIL_DELIVERY))

States = Mapping[StateType, str]
AccountStates = Mapping[AccountId, States]
