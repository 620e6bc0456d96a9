"""The parts of an email that is to be made, as a client gives them. RFC 8621 §4.1.4, §4.6. All raise NotSet."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mailstack.model.errors import Invalid
from mailstack.model.header_value import HeaderValue, RawValue, TextValue
from mailstack.wire.jmap.arguments import is_id
from mailstack.wire.jmap.faults import invalid_property
from mailstack.wire.jmap.mail.header_given import header_values
from mailstack.wire.jmap.mail.header_property import HeaderProperty, header_property, is_header_property


@dataclass(frozen=True, slots=True)
class GivenField:
    """given: the property by which it came. name: as the client spells it."""

    given: str
    name: str
    value: HeaderValue


@dataclass(frozen=True, slots=True)
class GivenBlob:
    blob_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenPart:
    """path: where it stands in the email. type: lower-case, without parameters; "" where nothing says it.
    content_type: the whole value, where it is given as a header field, and then no other property says anything of it.
    content: a text, a blob, or the parts of a multipart.
    """

    path: str
    type: str
    content_type: str | None
    charset: str | None
    name: str | None
    disposition: str | None
    cid: str | None
    language: Sequence[str]
    location: str | None
    fields: Sequence[GivenField]
    content: "str | GivenBlob | Sequence[GivenPart]"


MAX_PARTS = 1_000
MAX_DEPTH = 60

# RFC 2045 §5.1: token
_TOKEN = re.compile(r"[!#-'*+\-.0-9A-Z^-~]{1,127}")
_TYPE = re.compile(r"\s*([!#-'*+\-.0-9A-Z^-~]{1,127}/[!#-'*+\-.0-9A-Z^-~]{1,127})\s*(?:;.*)?", re.DOTALL)
_NO_CID = re.compile(r"[\x00-\x20\x7f<>()]")
_NO_LOCATION = re.compile(r"[\x00-\x20\x7f]")
_LANGUAGE = re.compile(r"[A-Za-z0-9*-]{1,64}")
_KNOWN = frozenset(
    {
        *("partId", "blobId", "size", "name", "type", "charset", "disposition", "cid", "language", "location"),
        "subParts",
    }
)
# Two properties that represent one field, RFC 8621 §4.6.
_STAND_FOR = {
    "type": "content-type",
    "charset": "content-type",
    "disposition": "content-disposition",
    "name": "content-disposition",
    "cid": "content-id",
    "language": "content-language",
    "location": "content-location",
}


class PartReader:
    """values: bodyValues, by part id."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self._left = MAX_PARTS

    def part(self, given: object, path: str, depth: int = 0) -> GivenPart:
        self._left -= 1
        if self._left < 0 or depth > MAX_DEPTH:
            raise invalid_property(path, f"more than {MAX_PARTS} parts, or more than {MAX_DEPTH} within one another")
        if not isinstance(given, Mapping):
            raise invalid_property(path, "not an EmailBodyPart")
        members = _Members(given, path)
        fields = part_fields(given, path)
        content_type = _content_type(fields, path)
        type_ = _type_of(members, content_type)
        return GivenPart(
            path=path,
            type=type_,
            content_type=content_type,
            charset=members.token("charset"),
            name=members.text("name"),
            disposition=members.token("disposition"),
            cid=members.matching("cid", _NO_CID),
            language=members.languages(),
            location=members.matching("location", _NO_LOCATION),
            fields=[field for field in fields if field.name.lower() != "content-type"],
            content=self._content(members, type_, depth),
        )

    def _content(self, members: "_Members", type_: str, depth: int) -> "str | GivenBlob | Sequence[GivenPart]":
        sub_parts = members.value("subParts")
        part_id, blob_id = members.text("partId"), members.text("blobId")
        if sub_parts is not None or type_.startswith("multipart/"):
            if type_ and not type_.startswith("multipart/"):
                raise members.fault("subParts", "only a multipart has parts")
            if part_id is not None or blob_id is not None:
                raise members.fault("partId" if blob_id is None else "blobId", "a multipart has nothing but its parts")
            if not isinstance(sub_parts, list) or not sub_parts:
                raise members.fault("subParts", "a multipart needs an array of parts")
            return [self.part(each, f"{members.path}/subParts/{at}", depth + 1) for at, each in enumerate(sub_parts)]
        if (part_id is None) == (blob_id is None):
            raise members.fault("partId", "a part has either a partId or a blobId")
        if blob_id is not None:
            return GivenBlob(blob_id)
        return self._text(members, part_id or "")

    def _text(self, members: "_Members", part_id: str) -> str:
        if part_id not in self._values:
            raise members.fault("partId", "is not in bodyValues")
        for name in ("charset", "size"):
            if members.value(name) is not None:
                raise members.fault(name, "is not given where the text is in bodyValues")
        return self._values[part_id]


def part_fields(given: Mapping[str, object], path: str) -> Sequence[GivenField]:
    """The properties of a part that are header fields, none of them twice."""
    taken = {field for name, field in _STAND_FOR.items() if given.get(name) is not None}
    found: list[GivenField] = []
    for name, value in given.items():
        inside = f"{path}/{name}"
        if not is_header_property(name):
            if name not in _KNOWN:
                raise invalid_property(inside, "is no property that a part can be made with")
            continue
        header = header_property(name)
        if header is None:
            raise invalid_property(inside, "is no header field, or not in this form")
        if header.field == b"content-transfer-encoding":
            raise invalid_property(inside, "is the server's to choose")
        found += fields_given(header, value, inside, taken)
    return found


def fields_given(header: HeaderProperty, value: object, inside: str, taken: set[str]) -> Sequence[GivenField]:
    """taken: names of fields, lower-case, that other properties represent; the field's is added. inside: the path of
    the property."""
    try:
        values = header_values(header, value)
    except Invalid as fault:
        raise invalid_property(inside, str(fault)) from None
    if not values:
        return []
    # RFC 8621 §4.6: there must not be two properties that represent the same header field.
    if header.name.lower() in taken:
        raise invalid_property(inside, f"{header.name} is given twice")
    taken.add(header.name.lower())
    return [GivenField(inside, header.name, each) for each in values]


def _content_type(fields: Sequence[GivenField], path: str) -> str | None:
    found = [field for field in fields if field.name.lower() == "content-type"]
    if not found:
        return None
    value = found[0].value
    if len(found) > 1 or not isinstance(value, RawValue | TextValue) or not _TYPE.fullmatch(value.text):
        raise invalid_property(f"{path}/type", "is no media type")
    return value.text


def _type_of(members: "_Members", content_type: str | None) -> str:
    given = content_type if content_type is not None else members.text("type")
    if given is None:
        return "multipart/mixed" if members.value("subParts") is not None else ""
    found = _TYPE.fullmatch(given)
    if found is None or (content_type is None and found[1] != given):
        raise members.fault("type", "is no media type")
    return found[1].lower()


class _Members:
    """The properties of one part, by name and type."""

    def __init__(self, given: Mapping[str, object], path: str) -> None:
        self._given = given
        self.path = path

    def value(self, name: str) -> object:
        return self._given.get(name)

    def text(self, name: str) -> str | None:
        value = self._given.get(name)
        if value is not None and not isinstance(value, str):
            raise self.fault(name, "is not a String")
        if name == "blobId" and value is not None and not is_id(value.removeprefix("#")):
            raise self.fault(name, "is not an Id")
        return value

    def token(self, name: str) -> str | None:
        value = self.text(name)
        if value is not None and not _TOKEN.fullmatch(value):
            raise self.fault(name, "is no token")
        return value

    def matching(self, name: str, wrong: re.Pattern[str]) -> str | None:
        value = self.text(name)
        if value is not None and (not value or wrong.search(value)):
            raise self.fault(name, "holds what must not stand there")
        return value

    def languages(self) -> Sequence[str]:
        value = self._given.get("language")
        if value is None:
            return ()
        if not isinstance(value, list) or not all(
            isinstance(each, str) and _LANGUAGE.fullmatch(each) for each in value
        ):
            raise self.fault("language", "is no array of language tags")
        return value

    def fault(self, name: str, description: str) -> Exception:
        return invalid_property(f"{self.path}/{name}", description)
