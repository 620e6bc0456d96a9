"""Blobs that are to be made of texts, octets and ranges of other blobs. RFC 9404 §4.1."""

import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mailstack.wire.jmap.arguments import MAX_INT, is_id_or_reference
from mailstack.wire.jmap.faults import NotSet, invalid_property

MAX_SOURCES = 100
MAX_TYPE_OCTETS = 255
TEXT, BASE64, BLOB = "data:asText", "data:asBase64", "blobId"
_KINDS = (TEXT, BASE64, BLOB)


@dataclass(frozen=True, slots=True)
class BlobRange:
    """blob_id: may be a reference. length: None for all that is left."""

    blob_id: str
    offset: int
    length: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobGiven:
    """sources: one behind the other."""

    sources: Sequence[bytes | BlobRange]
    type: str | None


def given_blob(given: Mapping[str, Any]) -> BlobGiven:
    """Raises NotSet."""
    for name in given:
        if name not in ("data", "type"):
            raise invalid_property(name, "is no property that a blob can be made with")
    sources = given.get("data")
    if not isinstance(sources, list):
        raise invalid_property("data", "an array of sources")
    if len(sources) > MAX_SOURCES:
        raise invalid_property("data", f"maxDataSources is {MAX_SOURCES}")
    type_ = given.get("type")
    if type_ is not None and not (isinstance(type_, str) and type_.isprintable() and 0 < len(type_) <= MAX_TYPE_OCTETS):
        raise invalid_property("type", "a media type, or null")
    return BlobGiven(sources=[_source(each) for each in sources], type=type_)


def _source(given: object) -> bytes | BlobRange:
    if not isinstance(given, Mapping) or not given.keys() <= {*_KINDS, "offset", "length"}:
        raise _invalid("a source is an object of what it is made of")
    found = {name: value for name, value in given.items() if value is not None}
    kinds = [kind for kind in _KINDS if kind in found]
    if len(kinds) != 1:
        raise _invalid(f"a source is one of {', '.join(_KINDS)}")
    value = found[kinds[0]]
    if not isinstance(value, str):
        raise _invalid(f"{kinds[0]} is a String")
    if kinds[0] == BLOB:
        return _range(value, found)
    if "offset" in found or "length" in found:
        raise _invalid("ranges are of blobs")
    return value.encode() if kinds[0] == TEXT else _octets(value)


def _octets(text: str) -> bytes:
    # RFC 9404 §4.1: what is invalid is never guessed at.
    try:
        return binascii.a2b_base64(text.encode("ascii"), strict_mode=True)
    except (UnicodeEncodeError, binascii.Error):
        raise _invalid("data:asBase64 is not base64") from None


def _range(blob_id: str, found: Mapping[str, Any]) -> BlobRange:
    if not is_id_or_reference(blob_id):
        raise _invalid("blobId is not an Id")
    for name in ("offset", "length"):
        value = found.get(name, 0)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_INT:
            raise _invalid(f"{name} is not an UnsignedInt")
    return BlobRange(blob_id, found.get("offset", 0), found.get("length"))


def _invalid(description: str) -> NotSet:
    return invalid_property("data", description)
