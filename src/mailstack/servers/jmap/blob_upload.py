"""Blob/upload: blobs of texts, octets and ranges of others. RFC 9404 §4.1."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

from mailstack.model.errors import DomainError, NotFound
from mailstack.net.spool import Spool
from mailstack.servers.jmap.blob_reading import BlobReading, bound_of_call
from mailstack.servers.jmap.bound import Bound
from mailstack.servers.jmap.method import Call, Method
from mailstack.servers.jmap.set_answer import SetAnswer, refusal
from mailstack.servers.jmap.upload import UNKNOWN_TYPE, uploaded
from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.blob_given import BlobRange, given_blob
from mailstack.wire.jmap.faults import (
    MethodFault,
    MethodFaultType,
    NotSet,
    SetFault,
    SetFaultType,
    invalid_arguments,
    invalid_property,
)
from mailstack.wire.jmap.session import BLOB


async def blob_upload(call: Call, arguments: Arguments) -> dict[str, Any]:
    mail = await call.mail(arguments.id("accountId"))
    wanted = arguments.objects("create")
    arguments.finish()
    if wanted is None:
        raise invalid_arguments("create is needed")
    if len(wanted) > call.service.limits.objects_in_set:
        raise MethodFault(MethodFaultType.REQUEST_TOO_LARGE)
    reading, making, answer = BlobReading(call, mail), bound_of_call(), SetAnswer()
    for key, given in wanted.items():
        try:
            made = await _made(call, reading, making, given)
        except (NotSet, DomainError) as fault:
            answer.not_created[key] = refusal(fault)
        else:
            call.created[key] = made["blobId"]
            # RFC 9404 §4.1: the id, and what the upload endpoint would say.
            answer.created[key] = {"id": made["blobId"], "accountId": mail.account_id, **made}
    whole = answer.as_json()
    # RFC 9404 §4.1: blobs have no state, and are neither updated nor destroyed.
    return {"accountId": mail.account_id, "created": whole["created"], "notCreated": whole["notCreated"]}


METHOD = Method(name="Blob/upload", capability=BLOB, run=blob_upload)


async def _made(call: Call, reading: BlobReading, making: Bound, given: Mapping[str, Any]) -> dict[str, Any]:
    """Raises NotSet, DomainError."""
    wanted, limit = given_blob(given), call.service.limits.upload_octets
    with Spool() as spool:
        for source in wanted.sources:
            async for piece in _pieces(call, reading, source):
                if spool.size_octets + len(piece) > limit:
                    raise NotSet(SetFault(type=SetFaultType.TOO_LARGE, description=f"maxSizeBlobSet is {limit}"))
                spool.write(piece)
        making.take(spool.size_octets)
        return await uploaded(call, spool, wanted.type or UNKNOWN_TYPE)


async def _pieces(call: Call, reading: BlobReading, source: bytes | BlobRange) -> AsyncIterator[bytes]:
    """Raises NotSet, DomainError."""
    if isinstance(source, bytes):
        yield source
        return
    try:
        blob = await reading.open(call.id_of(source.blob_id))
    except NotFound:
        raise NotSet(SetFault(type=SetFaultType.BLOB_NOT_FOUND, more={"notFound": [source.blob_id]})) from None
    stop = blob.size_octets if source.length is None else source.offset + source.length
    # RFC 9404 §4.1: a range that cannot be satisfied makes the source invalid.
    if not source.offset <= stop <= blob.size_octets:
        raise invalid_property("data", f"the blob has {blob.size_octets} octets")
    async for piece in reading.pieces(blob, source.offset, stop):
        yield piece
