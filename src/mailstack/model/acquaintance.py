"""Whom the accounts of this server know, and what they have sent."""

from dataclasses import dataclass
from enum import StrEnum

from mailstack.model.ids import AccountId


class Tie(StrEnum):
    """WRITTEN: the account has written to this address. HEARD: it has had mail from it that was no junk. SENT: the
    account has sent the message of this id."""

    WRITTEN = "written"
    HEARD = "heard"
    SENT = "sent"


@dataclass(frozen=True, slots=True, order=True)
class Acquaintance:
    """key: of an address or a message id, 64 bits with sign."""

    account_id: AccountId
    tie: Tie
    key: int
