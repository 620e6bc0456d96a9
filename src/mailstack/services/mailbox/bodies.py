"""Octets of one message for FETCH: small ones cut from the whole, large ones left in the store until they are sent.

RFC 9051 §6.4.5 (BODY[…], BINARY[…]), RFC 3516.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from mailstack.formats.part_table import TransferEncoding
from mailstack.model.errors import NotFound
from mailstack.model.ids import MessageId
from mailstack.model.message import Column
from mailstack.model.section import Partial, Section, SectionText
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.section import (
    FIELD_LISTS,
    HeaderSelector,
    decoded_section,
    header_selector,
    partial_range,
    read_section,
    section_encoding,
    section_range,
    select_fields,
    within,
)
from mailstack.services.mailbox.selected import SelectedMailbox

WHOLE_OCTETS = 256 * 1024
"""Messages up to this size are read whole; of larger ones only what is asked for, PIECE_OCTETS at once."""

PIECE_OCTETS = 256 * 1024


_WHOLE_MESSAGE = Section()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """is_decoded: the transfer encoding undone; partial counts in what comes out, RFC 3516 §4.2."""

    section: Section
    partial: Partial | None = None
    is_decoded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Far:
    """Octets [start, stop) of a large message that are read while they are sent. beginning: the first of them."""

    message_id: MessageId
    start: int
    stop: int
    beginning: bytes

    def __len__(self) -> int:
        return self.stop - self.start


Octets = bytes | Far


def kept_selectors(cuts: Sequence[Cut]) -> tuple[HeaderSelector, ...]:
    """How each cut is made from what is kept of the header; empty when one needs the message."""
    selectors: list[HeaderSelector] = []
    for cut in cuts:
        section = cut.section
        if section.part or section.text is not SectionText.HEADER_FIELDS or cut.partial is not None:
            return ()
        select = header_selector(section.fields)
        if select is None:
            return ()
        selectors.append(select)
    return tuple(selectors)


def are_whole(cuts: Sequence[Cut]) -> bool:
    """Whether all are of the message itself, which can be cut without knowing its parts."""
    return all(cut.section == _WHOLE_MESSAGE for cut in cuts)


def needed_columns(cuts: Sequence[Cut]) -> tuple[Column, ...]:
    """What must be known of a message to make these cuts from its octets."""
    if not cuts:
        return ()
    if are_whole(cuts):
        return (Column.MESSAGE_ID, Column.SIZE_BYTES)
    return (Column.MESSAGE_ID, Column.SIZE_BYTES, Column.PARTS)


async def read_cuts(
    selected: SelectedMailbox, message_id: MessageId, size_bytes: int | None, parts: bytes, cuts: Sequence[Cut]
) -> list[Octets | None]:
    """For each cut its octets; None: there is no such part. parts: MessageDigest.parts. size_bytes: None: not known,
    and not needed for cuts of the whole.

    Raises NotFound, Damaged; Unsupported for BINARY of an unknown encoding.
    """
    mail = selected.mail
    if size_bytes is None and all(cut.partial is not None and cut.partial.count <= WHOLE_OCTETS for cut in cuts):
        return [await _piece(mail, message_id, cut.partial) for cut in cuts if cut.partial is not None]
    if size_bytes is None:
        raw = await mail.messages.read_range(mail.account_id, message_id, 0, WHOLE_OCTETS + 1)
        if len(raw) > WHOLE_OCTETS:
            size_bytes = await _size_of(mail, message_id)
            return [await _far(selected, message_id, size_bytes, parts, cut) for cut in cuts]
    elif size_bytes > WHOLE_OCTETS:
        return [await _far(selected, message_id, size_bytes, parts, cut) for cut in cuts]
    else:
        raw = await mail.messages.read(mail.account_id, message_id)
    return [_cut(raw, parts, cut) for cut in cuts]


async def _piece(mail: AccountMail, message_id: MessageId, partial: Partial) -> bytes:
    """Of the whole message; what is past its end is not there."""
    start = partial.offset
    return await mail.messages.read_range(mail.account_id, message_id, start, start + partial.count)


async def _size_of(mail: AccountMail, message_id: MessageId) -> int:
    stored = await mail.messages.stored(mail.account_id, [message_id])
    if not stored:
        raise NotFound("the message is gone")
    return stored[0].size_bytes


async def pieces(mail: AccountMail, far: Far) -> AsyncIterator[bytes]:
    """All octets, in order. Raises NotFound, Damaged."""
    yield far.beginning
    for start in range(far.start + len(far.beginning), far.stop, PIECE_OCTETS):
        stop = min(start + PIECE_OCTETS, far.stop)
        yield await mail.messages.read_range(mail.account_id, far.message_id, start, stop)


def _cut(raw: bytes, parts: bytes, cut: Cut) -> bytes | None:
    if not cut.is_decoded:
        return read_section(raw, parts, cut.section, cut.partial)
    found = section_range(len(raw), parts, cut.section)
    if found is None:
        return None
    encoding = section_encoding(parts, cut.section)
    return within(decoded_section(raw[found[0] : found[1]], encoding), cut.partial)


async def _far(selected: SelectedMailbox, message_id: MessageId, size: int, parts: bytes, cut: Cut) -> Octets | None:
    mail = selected.mail
    if cut.section.text in FIELD_LISTS:
        header = section_range(size, parts, Section(part=cut.section.part, text=SectionText.HEADER))
        if header is None:
            return None
        read = await mail.messages.read_range(mail.account_id, message_id, *header)
        return within(select_fields(read, cut.section), cut.partial)
    if cut.is_decoded and section_encoding(parts, cut.section) is not TransferEncoding.IDENTITY:
        found = section_range(size, parts, cut.section)
        return None if found is None else await _far_decoded(selected, message_id, found, parts, cut)
    found = partial_range(size, parts, cut.section, cut.partial)
    if found is None:
        return None
    start, stop = found
    beginning = await mail.messages.read_range(mail.account_id, message_id, start, min(stop, start + PIECE_OCTETS))
    if len(beginning) == stop - start:
        return beginning
    return Far(message_id=message_id, start=start, stop=stop, beginning=beginning)


async def _far_decoded(
    selected: SelectedMailbox, message_id: MessageId, found: tuple[int, int], parts: bytes, cut: Cut
) -> bytes:
    """found: where the section lies."""
    mail, encoding, partial = selected.mail, section_encoding(parts, cut.section), cut.partial
    if encoding is TransferEncoding.UNKNOWN or partial is None:
        encoded = await mail.messages.read_range(mail.account_id, message_id, *found)
        return await asyncio.to_thread(decoded_section, encoded, encoding)

    async def read(start: int, stop: int) -> bytes:
        return await mail.messages.read_range(mail.account_id, message_id, start, stop)

    stop = partial.offset + partial.count
    return await selected.decodings.read((message_id, *found), encoding, partial.offset, stop, octets=read)
