"""BODY and BODYSTRUCTURE of a message, as IMAP sends them. RFC 9051 §7.5.2, §9; RFC 3501 §7.4.2."""

from mailstack.formats.envelope import envelope_of, write_envelope
from mailstack.formats.limits import LIMITS, Limits
from mailstack.formats.mediatype import Parameters
from mailstack.formats.mime import Part
from mailstack.formats.nstring import nstring, parenthesized, string


def write_body(part: Part, *, limits: Limits = LIMITS) -> bytes:
    """RFC 9051 §9: body without extension data."""
    if part.is_multipart:
        children = b"".join(write_body(child, limits=limits) for child in part.children)
        return b"(%b %b)" % (children, string(part.subtype))
    inner = write_body(part.children[0], limits=limits) if part.is_message else b""
    return parenthesized(_single(part, inner, limits))


def write_body_structure(part: Part, *, limits: Limits = LIMITS) -> bytes:
    """RFC 9051 §9: body with all of its extension data."""
    if part.is_multipart:
        children = b"".join(write_body_structure(child, limits=limits) for child in part.children)
        # RFC 9051 §9: body-ext-mpart = body-fld-param SP body-fld-dsp SP body-fld-lang SP body-fld-loc
        extension = (_parameters(part.parameters), *_shared_extension(part))
        return b"(%b %b %b)" % (children, string(part.subtype), b" ".join(extension))
    inner = write_body_structure(part.children[0], limits=limits) if part.is_message else b""
    # RFC 9051 §9: body-ext-1part = body-fld-md5 SP body-fld-dsp SP body-fld-lang SP body-fld-loc
    return parenthesized((*_single(part, inner, limits), nstring(part.md5), *_shared_extension(part)))


def _single(part: Part, inner: bytes, limits: Limits) -> tuple[bytes, ...]:
    """RFC 9051 §9: body-type-basic, body-type-msg (inner: the embedded message's body) and body-type-text."""
    basic = (
        string(part.type),
        string(part.subtype),
        _parameters(part.parameters),
        nstring(part.content_id),
        nstring(part.description),
        string(part.encoding),
        b"%d" % part.octets,
    )
    if part.is_message:
        envelope = write_envelope(envelope_of(part.children[0].fields, limits=limits))
        return (*basic, envelope, inner, b"%d" % part.lines)
    if part.type == b"text":
        return (*basic, b"%d" % part.lines)
    return basic


def _shared_extension(part: Part) -> tuple[bytes, bytes, bytes]:
    if part.disposition is None:
        disposition = b"NIL"
    else:
        disposition = b"(%b %b)" % (string(part.disposition), _parameters(part.disposition_parameters))
    if len(part.language) > 1:
        language = parenthesized(map(string, part.language))
    else:
        language = nstring(part.language[0] if part.language else None)
    return disposition, language, nstring(part.location)


def _parameters(parameters: Parameters) -> bytes:
    """RFC 9051 §9: body-fld-param = "(" string SP string *(SP string SP string) ")" / nil"""
    if not parameters:
        return b"NIL"
    return parenthesized(string(text) for pair in parameters for text in pair)
