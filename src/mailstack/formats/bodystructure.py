"""BODY and BODYSTRUCTURE of a message, as IMAP sends them. RFC 9051 §7.5.2, §9; RFC 3501 §7.4.2."""

from functools import lru_cache

from mailstack.formats.envelope import envelope_of, write_envelope
from mailstack.formats.limits import LIMITS, Limits
from mailstack.formats.mediatype import Parameters
from mailstack.formats.mime import CACHED_HEADER_OCTETS, Heading, Part
from mailstack.formats.nstring import nstring, parenthesized, string


def write_bodies(part: Part, *, limits: Limits = LIMITS) -> tuple[bytes, bytes]:
    """BODY and BODYSTRUCTURE, which is the same with all extension data behind it."""
    if part.is_multipart:
        return _multipart(part, limits)
    is_small = part.body_start - part.header_start <= CACHED_HEADER_OCTETS
    basic, extension = (_small_heading if is_small else _heading)(part.heading)
    plain = structure = b"%b %d" % (basic, part.octets)
    if part.is_message:
        # RFC 9051 §9: body-type-msg = media-message SP body-fields SP envelope SP body SP body-fld-lines
        inner = write_bodies(part.children[0], limits=limits)
        envelope = write_envelope(envelope_of(part.children[0].fields, limits=limits))
        plain, structure = (b"%b %b %b %d" % (plain, envelope, body, part.lines) for body in inner)
    elif part.type == b"text":
        plain = structure = b"%b %d" % (plain, part.lines)
    # RFC 9051 §9: body-ext-1part = body-fld-md5 SP body-fld-dsp SP body-fld-lang SP body-fld-loc
    return b"(%b)" % plain, b"(%b %b)" % (structure, extension)


def _multipart(part: Part, limits: Limits) -> tuple[bytes, bytes]:
    children = [write_bodies(child, limits=limits) for child in part.children]
    subtype = string(part.heading.subtype)
    plain = b"(%b %b)" % (b"".join([body for body, _ in children]), subtype)
    # RFC 9051 §9: body-ext-mpart = body-fld-param SP body-fld-dsp SP body-fld-lang SP body-fld-loc
    structures = b"".join([structure for _, structure in children])
    extension = (_parameters(part.heading.parameters), _shared_extension(part.heading))
    return plain, b"(%b %b %b %b)" % (structures, subtype, *extension)


def _heading(heading: Heading) -> tuple[bytes, bytes]:
    """RFC 9051 §9: media-basic SP body-fields without the octets at their end, and body-ext-1part."""
    basic = b"%b %b %b %b %b %b" % (
        string(heading.type),
        string(heading.subtype),
        _parameters(heading.parameters),
        nstring(heading.content_id),
        nstring(heading.description),
        string(heading.encoding),
    )
    return basic, b"%b %b" % (nstring(heading.md5), _shared_extension(heading))


_small_heading = lru_cache(maxsize=1024)(_heading)


def _shared_extension(heading: Heading) -> bytes:
    if heading.disposition is None:
        disposition = b"NIL"
    else:
        disposition = b"(%b %b)" % (string(heading.disposition), _parameters(heading.disposition_parameters))
    if len(heading.language) > 1:
        language = parenthesized(map(string, heading.language))
    else:
        language = nstring(heading.language[0] if heading.language else None)
    return b"%b %b %b" % (disposition, language, nstring(heading.location))


def _parameters(parameters: Parameters) -> bytes:
    """RFC 9051 §9: body-fld-param = "(" string SP string *(SP string SP string) ")" / nil"""
    if not parameters:
        return b"NIL"
    return parenthesized([string(text) for pair in parameters for text in pair])
