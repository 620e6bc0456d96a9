"""SieveScripts as JSON: their ids, their contents' blobs, and faults of them. RFC 9661 §2."""

from collections.abc import Mapping, Sequence
from typing import Any

from mailstack.model.errors import Invalid
from mailstack.model.ids import BlobId
from mailstack.model.log_events import plain
from mailstack.model.principal import Account
from mailstack.model.script import ScriptEntry
from mailstack.servers.jmap.blob_named import SCRIPT_PREFIX
from mailstack.servers.jmap.method import Call
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.sieve.faults import Broken
from mailstack.wire.jmap.faults import SetFault, SetFaultType

PROPERTIES = ("id", "name", "blobId", "isActive")
_FAULT_CHARACTERS = 400
_MOST_FAULTS = 20


def script_object_id(script_id: str) -> str:
    # RFC 8620 §1.2: it begins with a letter.
    return f"{SCRIPT_PREFIX}{script_id}"


def script_blob_id(content_hash: BlobId) -> str:
    return f"{SCRIPT_PREFIX}{content_hash}"


def script_object(entry: ScriptEntry) -> dict[str, Any]:
    """With all PROPERTIES."""
    return {
        "id": script_object_id(entry.script_id),
        "name": entry.name,
        "blobId": script_blob_id(entry.content_hash),
        "isActive": entry.is_active,
    }


async def scripts_by_id(call: Call, account: Account) -> Mapping[str, ScriptEntry]:
    """In the order of their names."""
    entries = await call.service.scripts.all(account.account_id)
    return {script_object_id(each.script_id): each for each in entries}


async def scripts_by_blob(call: Call, mail: AccountMail) -> Mapping[str, Sequence[str]]:
    """Object ids by blob ids; none of another's."""
    found: dict[str, list[str]] = {}
    for key, entry in (await scripts_by_id(call, mail.account)).items() if mail.is_own else ():
        found.setdefault(script_blob_id(entry.content_hash), []).append(key)
    return found


def invalid_sieve(fault: Broken | Invalid) -> SetFault:
    """RFC 9661 §2.4: at least the line of the first."""
    said = [fault.detail] if isinstance(fault, Invalid) else [str(each) for each in fault.faults[:_MOST_FAULTS]]
    description = "\n".join(plain(each, _FAULT_CHARACTERS) for each in said)
    return SetFault(type=SetFaultType.INVALID_SIEVE, description=description)
