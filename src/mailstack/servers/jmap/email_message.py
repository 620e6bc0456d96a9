"""The message of an email that a client gave as properties. RFC 8621 §4.6, RFC 5322 §3.6."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from mailstack.formats.compose import write_date, write_field, write_message_id
from mailstack.formats.entity import Entity, write_entity
from mailstack.formats.header_writing import write_parameter, write_value
from mailstack.formats.mediatype import parse_media_type
from mailstack.formats.words import parameter
from mailstack.model.errors import Invalid
from mailstack.model.instant import Instant
from mailstack.wire.jmap.faults import NotSet, SetFault, SetFaultType, invalid_property
from mailstack.wire.jmap.mail.email_given import GivenEmail, blobs_of
from mailstack.wire.jmap.mail.part_given import GivenBlob, GivenField, GivenPart


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """token: random letters and digits, 96 bits or more, at most 40. domain: for the Message-ID."""

    now: Instant
    token: str
    domain: str


def check_blobs(email: GivenEmail, found: Collection[str]) -> None:
    """Raises NotSet: RFC 8621 §4.6: blobNotFound, with each that is not there."""
    missing = sorted({blob_id for blob_id in blobs_of(email.body) if blob_id not in found})
    if missing:
        raise NotSet(SetFault(type=SetFaultType.BLOB_NOT_FOUND, more={"notFound": missing}))


def message_of(email: GivenEmail, blobs: Mapping[str, bytes], making: Making) -> bytes:
    """blobs: all that blobs_of names. Raises NotSet for values that no message can hold."""
    given = {field.name.lower() for field in (*email.fields, *email.body.fields)}
    fields = b"".join((*_own_fields(given, making), *map(_field, email.fields)))
    root = _entity(email.body, blobs)
    try:
        return write_entity(
            Entity(
                media_type=root.media_type,
                parameters=root.parameters,
                fields=fields + root.fields,
                content=root.content,
            ),
            token=making.token,
        )
    except Invalid as fault:
        raise invalid_property("bodyStructure", str(fault)) from None


def _own_fields(given: Collection[str], making: Making) -> Iterator[bytes]:
    """RFC 8621 §4.6: what a message needs and the client did not give."""
    if "message-id" not in given:
        yield write_message_id(making.token, making.domain)
    if "date" not in given:
        yield write_date(making.now)
    if "mime-version" not in given:
        yield write_field("MIME-Version", "1.0")


def _field(field: GivenField) -> bytes:
    try:
        return write_value(field.name, field.value)
    except Invalid as fault:
        raise invalid_property(field.given, str(fault)) from None


def _entity(part: GivenPart, blobs: Mapping[str, bytes]) -> Entity:
    content = _content(part, blobs)
    media_type, parameters = _media_type(part, is_text=isinstance(content, str))
    try:
        own = b"".join(_part_fields(part))
    except Invalid as fault:
        raise invalid_property(part.path, str(fault)) from None
    return Entity(
        media_type=media_type,
        parameters=parameters,
        fields=own + b"".join(map(_field, part.fields)),
        content=content,
    )


def _content(part: GivenPart, blobs: Mapping[str, bytes]) -> str | bytes | Sequence[Entity]:
    if isinstance(part.content, str):
        return part.content
    if isinstance(part.content, GivenBlob):
        return blobs[part.content.blob_id]
    return [_entity(each, blobs) for each in part.content]


def _media_type(part: GivenPart, *, is_text: bool) -> tuple[str, Sequence[tuple[str, str]]]:
    media_type = part.type or ("text/plain" if is_text else "application/octet-stream")
    parameters: list[tuple[str, str]] = []
    found = parse_media_type(part.content_type.strip().encode()) if part.content_type is not None else None
    if found is not None:
        # What is written anew is the server's to say.
        ours = {b"boundary"} | ({b"charset"} if is_text else set())
        names = dict.fromkeys(name.partition(b"*")[0] for name, _ in found[2])
        parameters += [
            (name.decode("ascii", "replace"), parameter(found[2], name) or "") for name in names if name not in ours
        ]
    if part.charset is not None:
        parameters.append(("charset", part.charset))
    if part.name is not None and part.disposition is None:
        parameters.append(("name", part.name))
    return media_type, parameters


def _part_fields(part: GivenPart) -> Iterator[bytes]:
    """Raises Invalid."""
    if part.disposition is not None:
        name = "" if part.name is None else write_parameter("filename", part.name)
        yield write_field("Content-Disposition", f"{part.disposition}{name}")
    if part.cid is not None:
        yield write_field("Content-ID", f"<{part.cid}>")
    if part.language:
        yield write_field("Content-Language", ", ".join(part.language))
    if part.location is not None:
        yield write_field("Content-Location", part.location)
