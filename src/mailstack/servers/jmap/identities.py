"""Identities as JSON, and whose they are. RFC 8621 §6."""

from collections.abc import Sequence
from typing import Any

from mailstack.model.header_value import EmailAddress
from mailstack.model.object_journal import JournalPoint
from mailstack.model.principal import Account
from mailstack.model.sending_identity import SendingIdentity
from mailstack.servers.jmap.header_values import address_object
from mailstack.servers.jmap.method import Call
from mailstack.wire.jmap.faults import MethodFault, MethodFaultType
from mailstack.wire.jmap.states import write_object_state

PROPERTIES = ("id", "name", "email", "replyTo", "bcc", "textSignature", "htmlSignature", "mayDelete")


async def require_own(call: Call, account_id: str) -> Account:
    """Raises MethodFault: nobody sends in the name of who shares mailboxes with them."""
    mail = await call.mail(account_id)
    if not mail.is_own:
        raise MethodFault(MethodFaultType.ACCOUNT_NOT_SUPPORTED_BY_METHOD)
    return mail.account


def identity_object(identity: SendingIdentity) -> dict[str, Any]:
    """With all PROPERTIES. identity: named."""
    return {
        "id": identity.identity_id,
        "name": identity.name or "",
        "email": identity.email,
        "replyTo": _addresses(identity.reply_to),
        "bcc": _addresses(identity.bcc),
        "textSignature": identity.text_signature,
        "htmlSignature": identity.html_signature,
        # An address goes with the configuration that names it.
        "mayDelete": not identity.is_given,
    }


def identity_state(number: int) -> str:
    return write_object_state(JournalPoint(number))


def _addresses(addresses: Sequence[EmailAddress] | None) -> list[dict[str, Any]] | None:
    return None if addresses is None else [*map(address_object, addresses)]
