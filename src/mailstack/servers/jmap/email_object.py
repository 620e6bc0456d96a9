"""An Email as JSON: from what was stored at delivery where that suffices, else from the message. RFC 8621 §4.1."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mailstack.formats.digest import OFTEN_ASKED
from mailstack.formats.headers import scan_fields
from mailstack.model.message import MessageDigest, RawMessage
from mailstack.servers.jmap.body_object import BodyObject
from mailstack.servers.jmap.header_values import header_list, header_values
from mailstack.wire.jmap.mail.email_wanted import EmailWanted

_OF_BODY = frozenset({"bodyStructure", "textBody", "htmlBody", "attachments"})


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailSource:
    """stored: the properties that the message itself does not say, and no others than are to be there. raw: None where
    needs_message says that it is not needed. part_blob_id: by the number of a leaf, from 1 (formats.body_parts)."""

    stored: Mapping[str, Any]
    digest: MessageDigest
    raw: RawMessage | None
    part_blob_id: Callable[[int], str]


def needs_message(wanted: EmailWanted) -> bool:
    """Whether the answer takes more than the stored digest."""
    if not wanted.names.isdisjoint(_OF_BODY) or "headers" in wanted.names or _has_values(wanted):
        return True
    return any(header.field not in OFTEN_ASKED for header in wanted.headers)


def email_object(wanted: EmailWanted, source: EmailSource) -> dict[str, Any]:
    names = wanted.names
    found = dict(source.stored)
    if "preview" in names:
        found["preview"] = source.digest.preview
    if "hasAttachment" in names:
        found["hasAttachment"] = source.digest.has_attachment
    if source.raw is None:
        if "bodyValues" in names:
            found["bodyValues"] = {}
        fields = scan_fields(source.digest.header_block, 0, len(source.digest.header_block))
    else:
        fields = scan_fields(source.raw)
        if "headers" in names:
            found["headers"] = header_list(source.raw, fields)
        if "bodyValues" in names or not names.isdisjoint(_OF_BODY):
            found |= BodyObject(source.raw, wanted, source.part_blob_id).properties()
    return found | header_values(fields, wanted.headers)


def _has_values(wanted: EmailWanted) -> bool:
    return "bodyValues" in wanted.names and (wanted.text_values or wanted.html_values or wanted.all_values)
