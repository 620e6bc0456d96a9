"""What is worth knowing about a message, computed once when it arrives. Never raises, whatever the bytes.

RFC 9051 §7.5.2 (ENVELOPE, BODYSTRUCTURE), RFC 8970 §3 (preview), RFC 5256 §2.1-§2.2 (base subject, sent date),
RFC 5322 §3.6.4 (Message-ID, References).
"""

import re
from collections.abc import Sequence
from itertools import islice

from mailstack.formats.body_parts import part_leaves
from mailstack.formats.bodystructure import write_bodies
from mailstack.formats.content import leaves, read_text
from mailstack.formats.dates import parse_date
from mailstack.formats.envelope import Envelope, envelope_of, write_envelope
from mailstack.formats.headers import Field, header_end
from mailstack.formats.limits import LIMITS, Limits
from mailstack.formats.mime import Part, scan
from mailstack.formats.part_table import pack
from mailstack.formats.subject import base_subject
from mailstack.formats.words import decode_words
from mailstack.model.message import MessageDigest, RawMessage

OFTEN_ASKED = frozenset(
    {
        b"bcc",
        b"cc",
        b"content-type",
        b"date",
        b"disposition-notification-to",
        b"from",
        b"in-reply-to",
        b"importance",
        b"list-id",
        b"list-post",
        b"list-unsubscribe",
        b"message-id",
        b"newsgroups",
        b"priority",
        b"references",
        b"reply-to",
        b"sender",
        b"subject",
        b"to",
        b"x-priority",
    }
)
"""The fields of MessageDigest.header_block, lower-case: what mail programs ask for when they list a mailbox."""

# RFC 5322 §3.6.4: msg-id = "<" id-left "@" id-right ">"; anything without spaces is taken for one.
_MESSAGE_ID = re.compile(rb"<([^<>\x00-\x20\x7f]++)>")
_MESSAGE_ID_FIELD = re.compile(rb"^message-id[ \t]*+:([^\n]*+(?:\n[ \t][^\n]*+)*+)", re.IGNORECASE | re.MULTILINE)
# Parts that sign or describe others are nothing that a person attached.
_MACHINE_SUBTYPES = frozenset(
    {b"pgp-signature", b"pkcs7-signature", b"x-pkcs7-signature", b"pgp-encrypted", b"delivery-status", b"ms-tnef"}
)

_UNENCODED = frozenset({b"7bit", b"8bit", b"binary"})


def message_id_of(raw: RawMessage) -> str:
    """Of a header that is not looked at otherwise, in a fraction of the time that a digest takes for it."""
    found = _MESSAGE_ID_FIELD.search(raw[: min(header_end(raw), LIMITS.header)])
    return next(iter(message_ids_in(found[1], LIMITS)), "") if found else ""


def digest_message(raw: RawMessage, *, limits: Limits = LIMITS) -> MessageDigest:
    root = scan(raw, limits=limits)
    parts = list(leaves(root))
    envelope = envelope_of(root.fields, limits=limits)
    subject = _printable(decode_words(envelope.values.get(b"subject", b"")[: limits.subject]))
    body, body_structure = write_bodies(root, limits=limits)
    message_ids = message_ids_in(envelope.values.get(b"message-id", b""), limits)
    return MessageDigest(
        envelope=write_envelope(envelope),
        body=body,
        body_structure=body_structure,
        parts=pack(root),
        header_block=header_block(raw, root.fields),
        preview=_preview(raw, parts, limits),
        subject=subject,
        base_subject=base_subject(subject),
        from_=_addresses(envelope, b"from"),
        to=_addresses(envelope, b"to"),
        cc=_addresses(envelope, b"cc"),
        message_id=message_ids[0] if message_ids else "",
        references=_references(envelope, limits),
        sent_at=parse_date(envelope.values.get(b"date", b"")),
        has_attachment=any(map(_is_attachment, parts)) or _has_message(root),
    )


def header_block(raw: RawMessage, fields: Sequence[Field]) -> bytes:
    """The fields of OFTEN_ASKED as they stand in the message, each closed by a line break."""
    block = b"".join([raw[field.start : field.end] for field in fields if field.name in OFTEN_ASKED])
    return block if not block or block.endswith(b"\n") else block + b"\r\n"


def message_ids_in(value: bytes, limits: Limits = LIMITS) -> tuple[str, ...]:
    """The first ones and, past the limit, none: the roots of a thread count most. Without brackets."""
    if not value:
        return ()
    found = [match[1].decode("utf-8", "replace") for match in islice(_MESSAGE_ID.finditer(value), limits.references)]
    return tuple([_printable(one).replace(" ", "") for one in found])


def _addresses(envelope: Envelope, name: bytes) -> str:
    return _printable(envelope.shown(name))


def _references(envelope: Envelope, limits: Limits) -> tuple[str, ...]:
    """RFC 5256 §3: where there are no References, the first id of In-Reply-To counts: others may be addresses."""
    ids = message_ids_in(envelope.values.get(b"references", b""), limits)
    return ids or message_ids_in(envelope.values.get(b"in-reply-to", b""), limits)[:1]


def _preview(raw: RawMessage, parts: Sequence[Part], limits: Limits) -> str:
    """RFC 8970 §3.1: the beginning of the message's text; plain text is preferred, being what its author wrote."""
    texts = [part for part in parts[:20] if part.type == b"text" and part.disposition != b"attachment"]
    chosen = next((part for part in texts if part.subtype == b"plain" and part.octets > 2), None)
    if chosen is None:
        chosen = next((part for part in texts if part.subtype == b"html"), None)
    if chosen is None:
        return ""
    # HTML begins with its style sheets; quoted-printable takes nine octets for one of most of the world's letters.
    if chosen.subtype == b"html":
        source = limits.preview_source
    else:
        source = limits.preview_characters * (4 if chosen.encoding in _UNENCODED else 12)
    text = read_text(raw, chosen, source_limit=source)
    words = _words(text[: 2 * limits.preview_characters])
    if len(words) < limits.preview_characters:
        words = _words(text)
    return _printable(words[: limits.preview_characters]).rstrip()


def _words(text: str) -> str:
    """With a space between each two."""
    return " ".join(text.split())


def _is_attachment(part: Part) -> bool:
    if part.disposition == b"attachment":
        return part.subtype not in _MACHINE_SUBTYPES
    if part.type == b"text" or part.subtype in _MACHINE_SUBTYPES:
        return False
    # A picture with a Content-ID stands inside the text.
    return part.disposition != b"inline" and part.heading.content_id is None


def _has_message(root: Part) -> bool:
    """RFC 8621 §4.1.4: hasAttachment is for whatever is attached, a message too."""
    return any(part.children and _is_attachment(part) for part in part_leaves(root))


def _printable(text: str) -> str:
    """Without control characters and lone surrogates, which no database column and no JSON may hold."""
    if text.isprintable():
        return text
    return "".join(" " if ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0 or 0xD800 <= ord(c) < 0xE000 else c for c in text)
