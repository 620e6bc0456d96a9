"""Messages as rows: how a digest is spread over tables and packed, and how it comes back.

forms: everything that is kept ready of a message, in one frame that is quick to open; it lies beside the bytes of the
message, and copies share it. What lists show of whole mailboxes is in packs too (packs.py).
"""

import struct
from dataclasses import dataclass
from typing import NamedTuple

from mailstack.model.errors import Damaged
from mailstack.model.ids import BlobId, MessageId, ThreadId
from mailstack.model.instant import Instant
from mailstack.model.message import MessageDigest, NewMessage, StoredMessage
from mailstack.store.sql.blobs import Blob
from mailstack.store.sql.compress import Codec
from mailstack.store.sql.database import Row, Value

MESSAGE_COLUMNS = "message_id, thread_id, size_bytes, received_at, sent_at, blob_key, has_attachment"
STORED_COLUMNS = """m.message_id, m.thread_id, b.blob_id, m.size_bytes, m.received_at, m.sent_at, m.has_attachment,
    b.forms FROM message m JOIN blob b ON /*of b*/ b.blob_key = m.blob_key"""

MAX_FRAME_BYTES = 256 << 20
EMPTY_BASE_SUBJECT = b" "
"""No base subject is a space, and b"" says that it is the subject."""

_FORMS = struct.Struct(">IIIIII")


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedMessage:
    """A message made ready outside the transaction: compressing takes longer than writing."""

    message: NewMessage
    blob: Blob
    forms: bytes


class Forms(NamedTuple):
    """Text is UTF-8. The base subject is b"" where it is the subject; references are parted by spaces."""

    envelope: bytes
    header_block: bytes
    body: bytes
    body_structure: bytes
    parts: bytes
    preview: bytes
    subject: bytes
    base_subject: bytes
    from_: bytes
    to: bytes
    cc: bytes
    header_id: bytes
    references: bytes


def message_row(packed: PackedMessage, *, message_id: int, thread_id: int) -> tuple[Value, ...]:
    """MESSAGE_COLUMNS."""
    digest = packed.message.digest
    return (
        message_id,
        thread_id,
        len(packed.message.raw),
        packed.message.received_at,
        digest.sent_at,
        message_id,
        digest.has_attachment,
    )


def stored_message(row: Row, codec: Codec) -> StoredMessage:
    """row: STORED_COLUMNS. Raises Damaged."""
    message_id, thread_id, blob_id, size_bytes, received_at, sent_at, has_attachment, packed = row
    try:
        forms = unpack_forms(codec.decompress(packed, limit_bytes=MAX_FRAME_BYTES))
        digest = _digest(forms, sent_at=sent_at, has_attachment=bool(has_attachment))
    except (Damaged, ValueError) as fault:
        raise Damaged(f"what is kept of message {message_id} cannot be read: {fault}") from fault
    return StoredMessage(
        message_id=MessageId(message_id),
        thread_id=ThreadId(thread_id),
        blob_id=BlobId(blob_id.hex()),
        size_bytes=size_bytes,
        received_at=Instant(received_at),
        digest=digest,
    )


def pack_forms(digest: MessageDigest, codec: Codec) -> bytes:
    """In one frame: its parts repeat each other's words."""
    base_subject = "" if digest.base_subject == digest.subject else digest.base_subject or EMPTY_BASE_SUBJECT.decode()
    references = " ".join(digest.references)
    words = (digest.subject, base_subject, digest.from_, digest.to, digest.cc, digest.message_id, references)
    octets = (
        digest.envelope.replace(b"\0", b""),  # RFC 9051 §9: a quoted string has no NUL
        digest.header_block,
        digest.body,
        digest.body_structure,
        digest.parts,
        digest.preview.encode("utf-8", "replace"),
    )
    return codec.compress_quick(join_forms(octets, "\0".join(map(_text, words)).encode()))


def join_forms(octets: tuple[bytes, bytes, bytes, bytes, bytes, bytes], words: bytes) -> bytes:
    return b"".join((_FORMS.pack(*map(len, octets)), *octets, words))


def unpack_forms(frame: bytes) -> Forms:
    """Raises ValueError."""
    try:
        envelope, header_block, body, body_structure, parts, preview = _FORMS.unpack_from(frame)
        block_starts = _FORMS.size + envelope
        body_starts = block_starts + header_block
        structure_starts = body_starts + body
        parts_start = structure_starts + body_structure
        preview_starts = parts_start + parts
        words_start = preview_starts + preview
        return Forms(
            frame[_FORMS.size : block_starts],
            frame[block_starts:body_starts],
            frame[body_starts:structure_starts],
            frame[structure_starts:parts_start],
            frame[parts_start:preview_starts],
            frame[preview_starts:words_start],
            *frame[words_start:].split(b"\0"),
        )
    except (struct.error, TypeError) as fault:
        raise ValueError("too short, or of another make") from fault


def base_subject_of(forms: Forms) -> str:
    if forms.base_subject == EMPTY_BASE_SUBJECT:
        return ""
    return (forms.base_subject or forms.subject).decode()


def references_of(forms: Forms) -> tuple[str, ...]:
    return tuple(forms.references.decode().split(" ")) if forms.references else ()


def _digest(forms: Forms, *, sent_at: int | None, has_attachment: bool) -> MessageDigest:
    return MessageDigest(
        envelope=forms.envelope,
        body=forms.body,
        body_structure=forms.body_structure,
        parts=forms.parts,
        header_block=forms.header_block,
        preview=forms.preview.decode(),
        subject=forms.subject.decode(),
        base_subject=base_subject_of(forms),
        from_=forms.from_.decode(),
        to=forms.to.decode(),
        cc=forms.cc.decode(),
        message_id=forms.header_id.decode(),
        references=references_of(forms),
        sent_at=None if sent_at is None else Instant(sent_at),
        has_attachment=has_attachment,
    )


def _text(text: str) -> str:
    """Strangers' header fields may decode to lone surrogates and NULs, which no database keeps as text."""
    if text.isascii() and "\x00" not in text:
        return text
    return text.encode("utf-8", "replace").decode("utf-8").replace("\x00", "\ufffd")
