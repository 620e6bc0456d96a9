"""An email that is to be made, as a client gives it; every way to say one thing twice is refused. RFC 8621 §4.6."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from mailstack.model.flags import NO_KEYWORDS, Keywords
from mailstack.model.instant import Instant
from mailstack.wire.jmap.arguments import is_id
from mailstack.wire.jmap.dates import read_utc_date
from mailstack.wire.jmap.faults import NotSet, SetFault, SetFaultType, invalid_property
from mailstack.wire.jmap.mail.header_property import CONVENIENT, header_property, is_header_property
from mailstack.wire.jmap.mail.keywords import read_keywords
from mailstack.wire.jmap.mail.part_given import GivenBlob, GivenField, GivenPart, PartReader, fields_given


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenEmail:
    """mailbox_ids: at least one; as they are given, `#` and a creation id among them. received_at: None: now."""

    mailbox_ids: Sequence[str]
    keywords: Keywords
    received_at: Instant | None
    fields: Sequence[GivenField]
    body: GivenPart


_BODY = frozenset({"bodyStructure", "bodyValues", "textBody", "htmlBody", "attachments"})
_KNOWN = frozenset({"mailboxIds", "keywords", "receivedAt", *_BODY})
MAX_PROPERTIES = 1_000
_LISTS = ("textBody", "htmlBody", "attachments")


def given_email(given: Mapping[str, object]) -> GivenEmail:
    """Raises NotSet."""
    if len(given) > MAX_PROPERTIES:
        raise NotSet(SetFault(type=SetFaultType.TOO_LARGE, description=f"more than {MAX_PROPERTIES} properties"))
    fields = _fields(given)
    body = _body(given)
    taken = {field.name.lower() for field in fields}
    twice = next((field for field in body.fields if field.name.lower() in taken), None)
    if twice is not None:
        # RFC 8621 §4.6: the root part has its fields beside those of the email.
        raise invalid_property(twice.given, f"{twice.name} is given on the email already")
    return GivenEmail(
        mailbox_ids=given_mailbox_ids(given.get("mailboxIds")),
        keywords=NO_KEYWORDS if given.get("keywords") is None else read_keywords(given["keywords"]),
        received_at=given_received_at(given.get("receivedAt")),
        fields=fields,
        body=body,
    )


def given_mailbox_ids(value: object) -> Sequence[str]:
    """Raises NotSet: RFC 8621 §4.1.1: at least one, each true."""
    if not isinstance(value, Mapping) or not value or not all(each is True for each in value.values()):
        raise invalid_property("mailboxIds", "needs at least one mailbox, and each to be true")
    if not all(is_id(each.removeprefix("#")) for each in value):
        raise invalid_property("mailboxIds", "is not an object of Ids")
    return list(value)


def given_received_at(value: object) -> Instant | None:
    """Raises NotSet."""
    found = None if value is None else read_utc_date(value)
    if value is not None and found is None:
        raise invalid_property("receivedAt", "is not a UTCDate")
    return found


def blobs_of(part: GivenPart) -> Iterator[str]:
    if isinstance(part.content, GivenBlob):
        yield part.content.blob_id
    elif not isinstance(part.content, str):
        for each in part.content:
            yield from blobs_of(each)


def _fields(given: Mapping[str, object]) -> Sequence[GivenField]:
    found: list[GivenField] = []
    taken: set[str] = set()
    for name, value in given.items():
        if name in _KNOWN:
            continue
        header = CONVENIENT.get(name) or header_property(name)
        if header is None:
            described = "is no header field, or not in this form" if is_header_property(name) else "cannot be given"
            raise invalid_property(name, described)
        if header.name.lower().startswith("content-"):
            raise invalid_property(name, "fields of Content- are given on the parts")
        found += fields_given(header, value, name, taken)
    return found


def _body(given: Mapping[str, object]) -> GivenPart:
    reader = PartReader(_values(given.get("bodyValues")))
    structure = given.get("bodyStructure")
    lists = {name: given[name] for name in _LISTS if given.get(name) is not None}
    if structure is not None:
        if lists:
            raise invalid_property(next(iter(lists)), "is not given beside bodyStructure")
        return reader.part(structure, "bodyStructure")
    text = _only(reader, lists.get("textBody"), "textBody", "text/plain")
    html = _only(reader, lists.get("htmlBody"), "htmlBody", "text/html")
    attachments = _attachments(reader, lists.get("attachments"))
    return _arranged(text, html, attachments)


def _values(value: object) -> Mapping[str, str]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise invalid_property("bodyValues", "is not an object")
    return {part_id: _value(each, f"bodyValues/{part_id}") for part_id, each in value.items()}


def _value(value: object, path: str) -> str:
    if not isinstance(value, Mapping) or not value.keys() <= {"value", "isEncodingProblem", "isTruncated"}:
        raise invalid_property(path, "is not an EmailBodyValue")
    text = value.get("value")
    if not isinstance(text, str):
        raise invalid_property(f"{path}/value", "is not a String")
    for name in ("isEncodingProblem", "isTruncated"):
        if value.get(name, False) is not False:
            raise invalid_property(f"{path}/{name}", "is false or not given")
    return text


def _only(reader: PartReader, given: object, name: str, type_: str) -> GivenPart | None:
    """RFC 8621 §4.6: exactly one part, of that type."""
    if given is None:
        return None
    if not isinstance(given, list) or len(given) != 1:
        raise invalid_property(name, "has exactly one part")
    part = reader.part(given[0], f"{name}/0")
    if part.type not in ("", type_):
        raise invalid_property(f"{name}/0/type", f"is {type_}")
    return replace(part, type=type_)


def _attachments(reader: PartReader, given: object) -> Sequence[GivenPart]:
    if given is None:
        return ()
    if not isinstance(given, list):
        raise invalid_property("attachments", "is not an array")
    parts = [reader.part(each, f"attachments/{at}") for at, each in enumerate(given)]
    return [part if _says_how(part) else replace(part, disposition=_how(part)) for part in parts]


def _says_how(part: GivenPart) -> bool:
    return part.disposition is not None or any(field.name.lower() == "content-disposition" for field in part.fields)


def _how(part: GivenPart) -> str:
    """Else a text or a picture would be shown as part of the body."""
    return "inline" if part.cid else "attachment"


def _arranged(text: GivenPart | None, html: GivenPart | None, attachments: Sequence[GivenPart]) -> GivenPart:
    """Pictures of the HTML beside it, the other attachments behind the text."""
    pictures = [part for part in attachments if part.cid and part.disposition == "inline"] if html else []
    shown = html if html is None or not pictures else _multipart("related", (html, *pictures))
    if text is not None and shown is not None:
        shown = _multipart("alternative", (text, shown))
    shown = shown or text
    attached = [part for part in attachments if part not in pictures]
    if not attached:
        return shown or _part("text/plain", "")
    return _multipart("mixed", (shown, *attached) if shown is not None else attached)


def _multipart(subtype: str, parts: Sequence[GivenPart]) -> GivenPart:
    return _part(f"multipart/{subtype}", tuple(parts))


def _part(type_: str, content: str | Sequence[GivenPart]) -> GivenPart:
    return GivenPart(
        path="",
        type=type_,
        content_type=None,
        charset=None,
        name=None,
        disposition=None,
        cid=None,
        language=(),
        location=None,
        fields=(),
        content=content,
    )
