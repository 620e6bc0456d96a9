"""What a blob id names: a message, a part of one, a Sieve script, or what who asks has uploaded. RFC 8620 §6.

An upload is there in every account that they may look at, for them alone: so it can go where mail is shared.
"""

import re
from collections.abc import AsyncIterator
from hashlib import sha256

from mailstack.model.errors import NotFound
from mailstack.model.ids import BlobId
from mailstack.model.objectid import MAX_INNER, blob_object_id, mail_blob_of
from mailstack.servers.jmap.method import Call
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.blobs import Blob, held, open_blob, open_inner
from mailstack.services.mailbox.bodies import PIECE_OCTETS

_UPLOADED = "U"
SCRIPT_PREFIX = "S"
# With the numbers of parts, where the upload is a message.
_UPLOAD = re.compile(rf"U([0-9a-f]{{64}})((?:-[1-9][0-9]{{0,3}}){{0,{MAX_INNER}}})")


def upload_id(blob_id: BlobId) -> str:
    return f"{_UPLOADED}{blob_id}"


async def open_named(call: Call, mail: AccountMail, object_id: str) -> Blob:
    """Raises NotFound."""
    if object_id.startswith(_UPLOADED):
        found = _UPLOAD.fullmatch(object_id)
        if found is None:
            raise NotFound("no such upload")
        blob = await _uploaded(call, BlobId(found[1]))
        return await open_inner(blob, [int(number) for number in found[2].split("-")[1:]]) if found[2] else blob
    if object_id.startswith(SCRIPT_PREFIX):
        return await _script(call, mail, object_id.removeprefix(SCRIPT_PREFIX))
    named = mail_blob_of(mail.account_id, object_id)
    if named is None:
        raise NotFound("no such blob")
    return await open_blob(mail, named)


def part_id(mail: AccountMail, object_id: str, number: int) -> str:
    """Of a part of what object_id names, by the part's number (formats.body_parts)."""
    named = mail_blob_of(mail.account_id, object_id)
    return f"{object_id}-{number}" if named is None else blob_object_id(mail.account_id, named.part(number))


async def _script(call: Call, mail: AccountMail, content_hash: str) -> Blob:
    """RFC 9661 §2.2: as long as a script holds it; nobody shares scripts. Raises NotFound."""
    if not mail.is_own:
        raise NotFound("no such blob")
    entries = await call.service.scripts.all(mail.account_id)
    entry = next((each for each in entries if each.content_hash == content_hash), None)
    content = b"" if entry is None else await call.service.scripts.read(mail.account_id, entry.name)
    if sha256(content).hexdigest() != content_hash or not content:
        raise NotFound("no script holds this any more")
    return held(content)


async def _uploaded(call: Call, blob_id: BlobId) -> Blob:
    uploads, owner, now = call.service.uploads, call.login.account_id, call.service.clock()
    sizes = await uploads.sizes(owner, [blob_id], now=now)
    if blob_id not in sizes:
        raise NotFound("no such upload")

    async def pieces(start: int, stop: int) -> AsyncIterator[bytes]:
        for at in range(start, stop, PIECE_OCTETS):
            yield await uploads.read_range(owner, blob_id, at, min(at + PIECE_OCTETS, stop), now=now)

    return Blob(size_octets=sizes[blob_id], pieces=pieces)
