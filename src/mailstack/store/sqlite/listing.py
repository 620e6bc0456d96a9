"""Messages as rows: how a digest is spread over columns and packed, and how it comes back."""

import struct
from dataclasses import dataclass

from mailstack.model.errors import Damaged
from mailstack.model.ids import BlobId, MessageId, ThreadId
from mailstack.model.instant import Instant
from mailstack.model.message import MessageDigest, NewMessage, StoredMessage
from mailstack.store.sqlite.blobs import Blob
from mailstack.store.sqlite.compress import Codec
from mailstack.store.sqlite.connection import Row, Value

COLUMNS = """message_id, thread_id, size_bytes, received_at, sent_at, blob_key, has_attachment, subject, base_subject,
    from_addresses, to_addresses, cc_addresses, header_id, header_references, blob_id, envelope, forms"""

MAX_FORMS_BYTES = 256 << 20

_FORMS = struct.Struct(">IIII")


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedMessage:
    """A message made ready outside the transaction: compressing takes longer than writing."""

    message: NewMessage
    blob: Blob
    forms: bytes


def message_row(packed: PackedMessage, *, message_id: int, thread_id: int) -> tuple[Value, ...]:
    digest = packed.message.digest
    return (
        message_id,
        thread_id,
        len(packed.message.raw),
        packed.message.received_at,
        digest.sent_at,
        message_id,
        digest.has_attachment,
        _text(digest.subject),
        None if digest.base_subject == digest.subject else _text(digest.base_subject),
        _text(digest.from_),
        _text(digest.to),
        _text(digest.cc),
        _text(digest.message_id),
        _text(" ".join(digest.references)),
        bytes.fromhex(packed.blob.blob_id),
        digest.envelope,
        packed.forms,
    )


def stored_message(row: Row, codec: Codec) -> StoredMessage:
    """row: COLUMNS. Raises Damaged."""
    (message_id, thread_id, size_bytes, received_at, sent_at, _blob_key, has_attachment, subject, base_subject,
     from_, to, cc, header_id, references, blob_id, envelope, forms) = row  # fmt: skip
    try:
        body, body_structure, parts, header_block, preview = unpack_forms(
            codec.decompress(forms, limit_bytes=MAX_FORMS_BYTES)
        )
    except (Damaged, struct.error, UnicodeDecodeError) as fault:
        raise Damaged(f"what is kept of message {message_id} cannot be read: {fault}") from fault
    digest = MessageDigest(
        envelope=envelope,
        body=body,
        body_structure=body_structure,
        parts=parts,
        header_block=header_block,
        preview=preview,
        subject=subject,
        base_subject=subject if base_subject is None else base_subject,
        from_=from_,
        to=to,
        cc=cc,
        message_id=header_id,
        references=tuple(references.split(" ")) if references else (),
        sent_at=None if sent_at is None else Instant(sent_at),
        has_attachment=bool(has_attachment),
    )
    return StoredMessage(
        message_id=MessageId(message_id),
        thread_id=ThreadId(thread_id),
        blob_id=BlobId(blob_id.hex()),
        size_bytes=size_bytes,
        received_at=Instant(received_at),
        digest=digest,
    )


def pack_forms(digest: MessageDigest, codec: Codec) -> bytes:
    """What is sent as it is and never searched, in one frame: its parts repeat each other's words."""
    head = _FORMS.pack(len(digest.body), len(digest.body_structure), len(digest.parts), len(digest.header_block))
    preview = digest.preview.encode("utf-8", "replace")
    forms = (head, digest.body, digest.body_structure, digest.parts, digest.header_block, preview)
    return codec.compress(b"".join(forms))


def unpack_forms(packed: bytes) -> tuple[bytes, bytes, bytes, bytes, str]:
    body, body_structure, parts, header_block = _FORMS.unpack_from(packed)
    body_ends = _FORMS.size + body
    structure_ends = body_ends + body_structure
    parts_end = structure_ends + parts
    header_ends = parts_end + header_block
    return (
        packed[_FORMS.size : body_ends],
        packed[body_ends:structure_ends],
        packed[structure_ends:parts_end],
        packed[parts_end:header_ends],
        packed[header_ends:].decode("utf-8"),
    )


def _text(text: str) -> str:
    """Strangers' header fields may decode to lone surrogates and NULs, which no database keeps as text."""
    if text.isascii() and "\x00" not in text:
        return text
    return text.encode("utf-8", "replace").decode("utf-8").replace("\x00", "\ufffd")
