"""Whom an account may send as: one identity for each of its addresses, as the server's configuration has them.

RFC 8621 §6. Nothing of them is kept for a client to change.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson

from mailstack.model.principal import Ability, Account
from mailstack.servers.jmap.method import Call
from mailstack.wire.jmap.faults import MethodFault, MethodFaultType

PROPERTIES = ("id", "name", "email", "replyTo", "bcc", "textSignature", "htmlSignature", "mayDelete")
_DIGITS = 24


async def require_own(call: Call, account_id: str) -> Account:
    """Raises MethodFault: nobody sends in the name of who shares mailboxes with them."""
    mail = await call.mail(account_id)
    if not mail.is_own:
        raise MethodFault(MethodFaultType.ACCOUNT_NOT_SUPPORTED_BY_METHOD)
    return mail.account


def identities(account: Account) -> Mapping[str, dict[str, Any]]:
    """By id; none for who may not submit."""
    if Ability.SUBMIT not in account.abilities:
        return {}
    return {_id_of(address): _identity(account, address) for address in dict.fromkeys(account.address_keys)}


def identity_state(account: Account) -> str:
    return hashlib.sha256(orjson.dumps([*identities(account).values()])).hexdigest()[:_DIGITS]


def _identity(account: Account, address: str) -> dict[str, Any]:
    return {
        "id": _id_of(address),
        "name": account.name,
        "email": address,
        "replyTo": None,
        "bcc": None,
        "textSignature": "",
        "htmlSignature": "",
        # An address goes with the configuration that names it.
        "mayDelete": False,
    }


def _id_of(address: str) -> str:
    # RFC 8620 §1.2: no id can hold an address as it is, and the longest is shorter than some of them are.
    return f"I{hashlib.sha256(address.encode()).hexdigest()[:_DIGITS]}"
