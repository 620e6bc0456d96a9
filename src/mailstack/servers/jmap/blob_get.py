"""Blob/get: what blobs hold, whole or a range, as text or in base64, and digests of it. RFC 9404 §4.2."""

import asyncio
import binascii
import hashlib
from collections.abc import Callable
from typing import Any, TypeVar

from mailstack.model.errors import NotFound, TooLarge
from mailstack.servers.jmap.blob_reading import BlobReading
from mailstack.servers.jmap.getting import read_ids
from mailstack.servers.jmap.method import Call, Method
from mailstack.services.mailbox.blobs import Blob
from mailstack.services.mailbox.bodies import WHOLE_OCTETS
from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.blob_given import BASE64, TEXT
from mailstack.wire.jmap.blob_wanted import DATA, DIGESTS, SIZE, BlobWanted, blob_wanted
from mailstack.wire.jmap.faults import MethodFault, MethodFaultType
from mailstack.wire.jmap.session import BLOB

_Result = TypeVar("_Result")


async def blob_get(call: Call, arguments: Arguments) -> dict[str, Any]:
    mail = await call.mail(arguments.id("accountId"))
    ids = read_ids(call, arguments)
    wanted = blob_wanted(arguments)
    arguments.finish()
    if ids is None:
        # RFC 8620 §5.1: all are answered where that is supported, and here there may be any number.
        raise MethodFault(MethodFaultType.REQUEST_TOO_LARGE, "blobs are asked for by their ids")
    reading = BlobReading(call, mail)
    listed: list[dict[str, Any]] = []
    missing: list[str] = []
    for each in ids:
        try:
            listed.append({"id": each, **await _facts(call, reading, await reading.open(each), wanted)})
        except NotFound:
            missing.append(each)
        except TooLarge as fault:
            raise MethodFault(MethodFaultType.REQUEST_TOO_LARGE, fault.detail) from None
    # RFC 9404 §4.1: blobs have no state.
    return {"accountId": mail.account_id, "list": listed, "notFound": missing}


METHOD = Method(name="Blob/get", capability=BLOB, run=blob_get)


async def _facts(call: Call, reading: BlobReading, blob: Blob, wanted: BlobWanted) -> dict[str, Any]:
    """Raises NotFound, TooLarge, Damaged."""
    octets = wanted.octets_of(blob.size_octets)
    found: dict[str, Any] = {"isTruncated": True} if octets.is_truncated else {}
    hashes = {name: hashlib.new(DIGESTS[name], usedforsecurity=False) for name in wanted.digests}
    content = bytearray()
    if wanted.has_content:
        call.held.take(octets.stop - octets.start)
    if wanted.has_content or hashes:
        async for piece in reading.pieces(blob, octets.start, octets.stop):
            for one in hashes.values():
                await _in_thread_if_large(piece, one.update)
            if wanted.has_content:
                content += piece
    if wanted.has_content:
        found |= await _in_thread_if_large(content, lambda held: _content(held, wanted))
    found |= {name: _base64(one.digest()) for name, one in hashes.items()}
    if SIZE in wanted.names:
        # RFC 9404 §4.2: of the whole, whatever the range.
        found["size"] = blob.size_octets
    return found


def _content(octets: bytearray, wanted: BlobWanted) -> dict[str, Any]:
    found: dict[str, Any] = {}
    is_text_wanted = not wanted.names.isdisjoint((DATA, TEXT))
    text = _text(octets) if is_text_wanted else None
    if is_text_wanted:
        # RFC 9404 §4.2, §5: null, and told so, for octets that are not UTF-8.
        found[TEXT] = text
    if is_text_wanted and text is None:
        found["isEncodingProblem"] = True
    if BASE64 in wanted.names or (DATA in wanted.names and text is None):
        found[BASE64] = _base64(octets)
    return found


def _text(octets: bytearray) -> str | None:
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return None


def _base64(octets: bytes | bytearray) -> str:
    return binascii.b2a_base64(octets, newline=False).decode("ascii")


async def _in_thread_if_large(octets: bytes | bytearray, work: Callable[[Any], _Result]) -> _Result:
    return work(octets) if len(octets) <= WHOLE_OCTETS else await asyncio.to_thread(work, octets)
