"""The text of a message as searching sees it: encoded words, transfer encodings and charsets undone, case folded.

RFC 9051 §6.4.4: substrings are compared after decoding, without regard to case; RFC 5051 names the folding, which
NFKC and full case folding come close to.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence

from mailstack.formats.content import read_text
from mailstack.formats.headers import Field, scan_fields, unfold
from mailstack.formats.limits import LIMITS, Limits
from mailstack.formats.mime import Part, scan
from mailstack.formats.words import decode_words, parameter
from mailstack.model.message import RawMessage

Needle = str | re.Pattern[str]
"""What is looked for in a folded text: itself folded, or what `phrase` makes of it."""


def folded(text: str) -> str:
    """What two texts that differ in case or composition only have in common."""
    return text.lower() if text.isascii() else unicodedata.normalize("NFKC", text).casefold()


def phrase(needle: str) -> re.Pattern[str]:
    """Its words in this order, parted by any white space. needle: folded."""
    return re.compile(r"\s+".join(map(re.escape, needle.split())))


def has(text: str, needle: Needle) -> bool:
    return needle in text if isinstance(needle, str) else needle.search(text) is not None


def field_text(field: Field) -> str:
    return decode_words(unfold(field.value))


def header_text(fields: Sequence[Field]) -> str:
    """One line a field, folded."""
    return folded("\n".join(f"{field.name.decode('ascii')}: {field_text(field)}" for field in fields))


def mime_texts(root: Part) -> Iterator[str]:
    """Of each part the header, a line a field, and the name of its file as people see it (RFC 2231); folded.

    Not the header of the message itself, nor those of embedded messages, which are text of the body.
    """
    yield _file_name(root)
    ahead = [root]
    while ahead:
        part = ahead.pop()
        ahead.extend(part.children)
        if not part.is_message:
            for child in part.children:
                yield header_text(child.fields)
                yield _file_name(child)


def _file_name(part: Part) -> str:
    names = parameter(part.disposition_parameters, b"filename"), parameter(part.parameters, b"name")
    return folded("\n".join(filter(None, names)))


def field_texts(header: bytes, name: bytes) -> list[str]:
    """The folded values of all fields of that name (lower-case) in a header section."""
    return [folded(field_text(field)) for field in scan_fields(header, 0, len(header)) if field.name == name]


class SearchedText:
    """The parts of one message, decoded when they are first asked for."""

    def __init__(self, raw: RawMessage, *, limits: Limits = LIMITS) -> None:
        self._raw = raw
        self._limits = limits
        self._root = scan(raw, limits=limits)
        self._texts: list[str] = []
        self._ahead = [self._root]

    def field_values(self, name: bytes) -> list[str]:
        """Of the message's own header; name: lower-case."""
        return [folded(field_text(field)) for field in self._root.fields if field.name == name]

    def header_has(self, needle: Needle) -> bool:
        return has(header_text(self._root.fields), needle)

    def body_has(self, needle: Needle) -> bool:
        """In the texts of all parts and the headers of embedded messages."""
        if any(has(text, needle) for text in self._texts):
            return True
        while self._ahead:
            text = self._next_text()
            if text:
                self._texts.append(text)
                if has(text, needle):
                    return True
        return not needle

    def mime_has(self, needle: Needle) -> bool:
        """RFC 9051 §6.4.4: TEXT looks into MIME header fields too."""
        return any(has(text, needle) for text in mime_texts(self._root))

    def _next_text(self) -> str:
        part = self._ahead.pop()
        self._ahead.extend(reversed(part.children))
        if part.is_message:
            return header_text(part.children[0].fields)
        return folded(self._read(part)) if part.type == b"text" else ""

    def _read(self, part: Part) -> str:
        return read_text(self._raw, part, source_limit=self._limits.searched_part)
