"""The body of a message as JSON: its parts as a tree and in lists, and their texts. RFC 8621 §4.1.4."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from mailstack.formats.body_parts import BodyLists, body_lists, content_id, content_octets, file_name, part_leaves
from mailstack.formats.body_value import body_value
from mailstack.formats.charsets import guess
from mailstack.formats.comments import without_comments
from mailstack.formats.headers import first
from mailstack.formats.mime import Part, scan
from mailstack.formats.words import parameter
from mailstack.model.message import RawMessage
from mailstack.servers.jmap.header_values import header_list, header_values
from mailstack.wire.jmap.mail.email_wanted import EmailWanted


class BodyObject:
    """Of one message. part_blob_id: by the number of a leaf."""

    def __init__(self, raw: RawMessage, wanted: EmailWanted, part_blob_id: Callable[[int], str]) -> None:
        self.raw = raw
        self.root = scan(raw)
        self._wanted = wanted
        self._part_blob_id = part_blob_id
        self._leaves = list(part_leaves(self.root))
        self._numbers = {id(leaf): at for at, leaf in enumerate(self._leaves, 1)}
        self._lists: BodyLists | None = None
        # By number: a part may stand in several lists, and its size takes decoding.
        self._written: dict[int, dict[str, Any]] = {}

    def properties(self) -> dict[str, Any]:
        names = self._wanted.names
        found: dict[str, Any] = {}
        if "bodyStructure" in names:
            found["bodyStructure"] = self._tree(self.root)
        if "bodyValues" in names:
            found["bodyValues"] = self._values()
        for name in names & _LISTS.keys():
            found[name] = [self._leaf(part) for part in _LISTS[name](self._sorted())]
        return found

    def _sorted(self) -> BodyLists:
        if self._lists is None:
            self._lists = body_lists(self.root)
        return self._lists

    def _values(self) -> dict[str, Any]:
        """RFC 8621 §4.2: of the lists that the client names, all that is text."""
        values: dict[str, Any] = {}
        for part in self._valued():
            number = str(self._number(part))
            if part.type == b"text" and number not in values:
                value = body_value(self.raw, part, max_octets=self._wanted.max_body_value_octets)
                values[number] = {
                    "value": value.text,
                    "isEncodingProblem": value.is_encoding_problem,
                    "isTruncated": value.is_truncated,
                }
        return values

    def _valued(self) -> Iterable[Part]:
        if self._wanted.all_values:
            return self._leaves
        text: Sequence[Part] = self._sorted().text if self._wanted.text_values else ()
        html: Sequence[Part] = self._sorted().html if self._wanted.html_values else ()
        return (*text, *html)

    def _tree(self, part: Part) -> dict[str, Any]:
        if not part.is_multipart:
            return self._leaf(part)
        # RFC 8621 §4.1.4: partId and blobId are null for a multipart, and for nothing else.
        found = self._part(part, {"partId": None, "blobId": None, "size": 0})
        return {**found, "subParts": [self._tree(child) for child in part.children]}

    def _leaf(self, part: Part) -> dict[str, Any]:
        number = self._number(part)
        if number not in self._written:
            own: dict[str, Any] = {"partId": str(number), "blobId": self._part_blob_id(number), "subParts": None}
            if "size" in self._wanted.part_names:
                own["size"] = content_octets(self.raw, part)
            self._written[number] = self._part(part, own)
        return self._written[number]

    def _part(self, part: Part, own: Mapping[str, Any]) -> dict[str, Any]:
        """own: what the header does not say."""
        names = self._wanted.part_names
        found = {name: value for name, value in own.items() if name in names}
        for name in names & _FACTS.keys():
            found[name] = _FACTS[name](part)
        if "headers" in names:
            found["headers"] = header_list(self.raw, part.fields)
        return found | header_values(part.fields, self._wanted.part_headers)

    def _number(self, leaf: Part) -> int:
        return self._numbers[id(leaf)]


def _type(part: Part) -> str:
    return f"{guess(part.type)}/{guess(part.subtype)}"


def _charset(part: Part) -> str | None:
    """RFC 8621 §4.1.4: what is text and names none is US-ASCII."""
    return parameter(part.parameters, b"charset") or ("us-ascii" if part.type == b"text" else None)


def _disposition(part: Part) -> str | None:
    return None if part.disposition is None else guess(part.disposition)


def _language(part: Part) -> list[str] | None:
    value = first(part.fields, b"content-language")
    return None if value is None else guess(without_comments(value)).replace(",", " ").split() or None


def _location(part: Part) -> str | None:
    location = part.heading.location
    # RFC 2557 §4.4.1: a long URI may be folded; the white space is none of it.
    return None if location is None else "".join(guess(location).split())


_FACTS: Mapping[str, Callable[[Part], Any]] = {
    "name": file_name,
    "type": _type,
    "charset": _charset,
    "disposition": _disposition,
    "cid": content_id,
    "language": _language,
    "location": _location,
}
_LISTS: Mapping[str, Callable[[BodyLists], Sequence[Part]]] = {
    "textBody": lambda lists: lists.text,
    "htmlBody": lambda lists: lists.html,
    "attachments": lambda lists: lists.attachments,
}
