"""Whole messages, and the contents of their parts, by their ids. RFC 8620 §6, RFC 8621 §4.1.4.

Whole ones are read piece by piece while they are sent; a part is decoded first, for nobody else knows how long it is.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace

from mailstack.formats.body_parts import content_of, leaf_range, part_leaves
from mailstack.formats.content import decode_transfer
from mailstack.formats.mime import scan
from mailstack.formats.part_table import TransferEncoding, unpack
from mailstack.model.errors import NotFound
from mailstack.model.ids import MessageId
from mailstack.model.objectid import MailBlob
from mailstack.services.mailbox import emails
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.bodies import PIECE_OCTETS, WHOLE_OCTETS


@dataclass(frozen=True, slots=True, kw_only=True)
class Blob:
    """pieces: octets [start, stop) of it, which are there; raises NotFound, Damaged. is_held: in memory already.
    found_in_octets: of what was decoded to find it."""

    size_octets: int
    is_held: bool = False
    found_in_octets: int = 0
    pieces: Callable[[int, int], AsyncIterator[bytes]]


async def open_blob(mail: AccountMail, named: MailBlob) -> Blob:
    """Raises NotFound: also for a message that lies in no mailbox that may be read."""
    if named.message_id not in await emails.placed(mail, [named.message_id]):
        raise NotFound("no such message")
    stored = await mail.messages.stored(mail.account_id, [named.message_id])
    if not stored:
        raise NotFound("no such message")
    if named.leaf is None:
        return _whole(mail, named.message_id, stored[0].size_bytes)
    leaf = leaf_range(unpack(stored[0].digest.parts), named.leaf)
    if leaf is None:
        raise NotFound("no such part")
    octets = await mail.messages.read_range(mail.account_id, named.message_id, leaf.body_start, leaf.body_end)
    if len(octets) > WHOLE_OCTETS:
        return held(await asyncio.to_thread(_content, octets, leaf.encoding, named.inner))
    return held(_content(octets, leaf.encoding, named.inner))


async def read_whole(blob: Blob) -> bytes:
    """Raises NotFound, Damaged."""
    return b"".join([piece async for piece in blob.pieces(0, blob.size_octets)])


async def open_inner(blob: Blob, inner: Sequence[int]) -> Blob:
    """Of a message: the part of that number, where it is a message the part of the next number in that, and so on.
    Raises NotFound."""
    content = await read_whole(blob)
    if len(content) > WHOLE_OCTETS:
        found = await asyncio.to_thread(_inner, content, inner)
    else:
        found = _inner(content, inner)
    return replace(held(found), found_in_octets=len(content))


def _content(octets: bytes, encoding: TransferEncoding, inner: Sequence[int]) -> bytes:
    """Raises NotFound."""
    return _inner(decode_transfer(octets, encoding), inner)


def _inner(content: bytes, numbers: Sequence[int]) -> bytes:
    """Raises NotFound."""
    for number in numbers:
        leaf = next((leaf for at, leaf in enumerate(part_leaves(scan(content)), 1) if at == number), None)
        if leaf is None:
            raise NotFound("no such part")
        content = content_of(content, leaf)
    return content


def _whole(mail: AccountMail, message_id: MessageId, size_octets: int) -> Blob:
    async def pieces(start: int, stop: int) -> AsyncIterator[bytes]:
        for at in range(start, stop, PIECE_OCTETS):
            yield await mail.messages.read_range(mail.account_id, message_id, at, min(at + PIECE_OCTETS, stop))

    return Blob(size_octets=size_octets, pieces=pieces)


def held(content: bytes) -> Blob:
    async def pieces(start: int, stop: int) -> AsyncIterator[bytes]:
        yield content[start:stop]

    return Blob(size_octets=len(content), is_held=True, pieces=pieces)
