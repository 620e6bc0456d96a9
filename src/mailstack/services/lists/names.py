"""The addresses that a list has besides its own: for its owners, for bounces, for leaving it. RFC 2142 §6, RFC 2369 §3.

None of them is declared; one that is declared belongs to whoever declared it.
"""

import hashlib
import re
from dataclasses import dataclass
from enum import Enum

from mailstack.model.address import MAX_LOCAL_PART_OCTETS, Address
from mailstack.model.principal import MailingList


class Purpose(Enum):
    """What mail to an address of a list is for; value: what follows the list's name."""

    POST = ""
    OWNER = "-owner"
    REQUEST = "-request"  # RFC 2142 §6: to whoever looks after the list
    BOUNCES = "-bounces"
    UNSUBSCRIBE = "-unsubscribe"


OF_OWNERS = (Purpose.OWNER, Purpose.REQUEST, Purpose.BOUNCES)
DIGITS = 7
"""Of what stands behind `-bounces+` where no address does: as many as fit any list."""

# The first of these words counts: a list's own name may have a plus, and a member's may have words like these.
_FURTHER = re.compile(r"(.+?)(-owner|-request|-bounces|-unsubscribe)(?:\+(.*))?", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class AtList:
    """One address of a list. detail: what follows a + in it."""

    mailing_list: MailingList
    purpose: Purpose
    detail: str = ""


def purpose_of(address: Address) -> tuple[str, Purpose, str] | None:
    """The list's address key, if it is one of a list's further addresses, and what a `+` leads in."""
    found = _FURTHER.fullmatch(address.key.rpartition("@")[0])
    if found is None:
        return None
    name, word, detail = found.groups()
    return f"{name}@{address.domain}", Purpose(word), detail or ""


def address_for(mailing_list: MailingList, purpose: Purpose) -> str:
    name, _, domain = mailing_list.address.rpartition("@")
    return f"{name}{purpose.value}@{domain}"


def bounce_path(mailing_list: MailingList, member: str) -> str:
    """The reverse path of a member's copy, so that what comes back says whose it was, however it is written.

    `bob=x.example` for bob@x.example; where that is no local part, digits of its SHA-256.
    """
    name, _, domain = address_for(mailing_list, Purpose.BOUNCES).rpartition("@")
    local_part = f"{name}+{member.replace('@', '=')}"
    # RFC 5321 §4.5.3.1.1. A path that is not ASCII would ask SMTPUTF8 of the way back.
    if len(local_part) > MAX_LOCAL_PART_OCTETS or not local_part.isascii():
        local_part = f"{name}+{hashlib.sha256(member.encode()).hexdigest()[:DIGITS]}"
    return f"{local_part}@{domain}"


def owners_of(mailing_list: MailingList) -> tuple[str, ...]:
    """The domain's postmaster stands for those that nobody named."""
    return mailing_list.owners or (f"postmaster@{mailing_list.address.rpartition('@')[2]}",)
