"""Blob/copy: from one account to another. RFC 8620 §6.3."""

from typing import Any

from mailstack.model.errors import DomainError, NotFound
from mailstack.net.spool import Spool
from mailstack.servers.jmap.blob_reading import BlobReading
from mailstack.servers.jmap.method import Call, Method, source_of
from mailstack.servers.jmap.set_answer import refusal
from mailstack.servers.jmap.upload import UNKNOWN_TYPE, uploaded
from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.faults import MethodFault, MethodFaultType, SetFault, SetFaultType, invalid_arguments
from mailstack.wire.jmap.session import CORE


async def blob_copy(call: Call, arguments: Arguments) -> dict[str, Any]:
    source = await source_of(call, arguments)
    mail = await call.mail(arguments.id("accountId"))
    ids = arguments.ids("blobIds")
    arguments.finish()
    if source.account_id == mail.account_id:
        raise invalid_arguments("fromAccountId is the account that is copied to")
    if ids is None:
        raise invalid_arguments("blobIds is needed")
    if len(ids) > call.service.limits.objects_in_set:
        raise MethodFault(MethodFaultType.REQUEST_TOO_LARGE)
    reading = BlobReading(call, source)
    copied: dict[str, str] = {}
    faults: dict[str, SetFault] = {}
    for each in dict.fromkeys(map(call.id_of, ids)):
        try:
            copied[each] = await _copied(call, reading, each)
        except NotFound as fault:
            # RFC 8620 §6.3 allows notFound; RFC 8621 §4.6 has a type of its own for it, which programs look for.
            faults[each] = SetFault(type=SetFaultType.BLOB_NOT_FOUND, description=refusal(fault).description)
        except DomainError as fault:
            faults[each] = refusal(fault)
    return {
        "fromAccountId": source.account_id,
        "accountId": mail.account_id,
        "copied": copied or None,
        "notCopied": {key: fault.as_json() for key, fault in faults.items()} or None,
    }


METHOD = Method(name="Blob/copy", capability=CORE, run=blob_copy)


async def _copied(call: Call, reading: BlobReading, object_id: str) -> str:
    """An upload, which lasts as long as a new one. Raises DomainError."""
    blob = await reading.open(object_id)
    with Spool() as spool:
        async for piece in reading.pieces(blob, 0, blob.size_octets):
            spool.write(piece)
        made: str = (await uploaded(call, spool, UNKNOWN_TYPE))["blobId"]
        return made
