"""What a blob id names: a message, a part of one, or what who asks has uploaded. RFC 8620 §6.

An upload is there in every account that they may look at, for them alone: so it can go where mail is shared.
"""

from collections.abc import AsyncIterator

from mailstack.model.errors import NotFound
from mailstack.model.ids import BlobId
from mailstack.model.objectid import mail_blob_of
from mailstack.servers.jmap.method import Call
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.blobs import Blob, open_blob
from mailstack.services.mailbox.bodies import PIECE_OCTETS

_UPLOADED = "U"


def upload_id(blob_id: BlobId) -> str:
    return f"{_UPLOADED}{blob_id}"


async def open_named(call: Call, mail: AccountMail, object_id: str) -> Blob:
    """Raises NotFound."""
    if object_id.startswith(_UPLOADED):
        return await _uploaded(call, BlobId(object_id.removeprefix(_UPLOADED)))
    named = mail_blob_of(mail.account_id, object_id)
    if named is None:
        raise NotFound("no such blob")
    return await open_blob(mail, named)


async def _uploaded(call: Call, blob_id: BlobId) -> Blob:
    uploads, owner, now = call.service.uploads, call.login.account_id, call.service.clock()
    sizes = await uploads.sizes(owner, [blob_id], now=now)
    if blob_id not in sizes:
        raise NotFound("no such upload")

    async def pieces(start: int, stop: int) -> AsyncIterator[bytes]:
        for at in range(start, stop, PIECE_OCTETS):
            yield await uploads.read_range(owner, blob_id, at, min(at + PIECE_OCTETS, stop), now=now)

    return Blob(size_octets=sizes[blob_id], pieces=pieces)
