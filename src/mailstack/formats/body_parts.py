"""The parts of a message as JMAP numbers and lists them. RFC 8621 §4.1.4.

Leaves are numbered from 1 in the order of the message; an embedded message is one of them, and not entered.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from mailstack.formats.charsets import guess
from mailstack.formats.comments import without_comments
from mailstack.formats.content import decode_transfer
from mailstack.formats.mime import Part
from mailstack.formats.part_table import PartKind, PartRange, TransferEncoding, encoding_of
from mailstack.formats.words import parameter
from mailstack.model.message import RawMessage

_SHOWN_MEDIA = frozenset({b"image", b"audio", b"video"})
_SHOWN_TEXT = frozenset({b"plain", b"html"})


@dataclass(frozen=True, slots=True)
class BodyLists:
    """What is shown one after the other where plain text is preferred, where HTML is; and what is attached.
    The same part may stand in several."""

    text: Sequence[Part]
    html: Sequence[Part]
    attachments: Sequence[Part]


def part_leaves(part: Part) -> Iterator[Part]:
    if not part.is_multipart:
        yield part
        return
    for child in part.children:
        yield from part_leaves(child)


def leaf_range(root: PartRange, number: int) -> PartRange | None:
    """Of a stored part table, the leaf of that number."""
    return next((leaf for at, leaf in enumerate(_ranges(root), 1) if at == number), None)


def _ranges(part: PartRange) -> Iterator[PartRange]:
    if part.kind is not PartKind.MULTIPART:
        yield part
        return
    for child in part.children:
        yield from _ranges(child)


def content_of(raw: RawMessage, part: Part) -> bytes:
    """The octets of the body, its transfer encoding undone where that is known."""
    return decode_transfer(raw[part.body_start : part.body_end], encoding_of(part.encoding))


def content_octets(raw: RawMessage, part: Part) -> int:
    """How many content_of has."""
    is_encoded = encoding_of(part.encoding) in (TransferEncoding.BASE64, TransferEncoding.QUOTED_PRINTABLE)
    return len(content_of(raw, part)) if is_encoded else part.octets


def file_name(part: Part) -> str | None:
    """RFC 8621 §4.1.4: the filename of the disposition, else the name of the type."""
    named = parameter(part.disposition_parameters, b"filename")
    return parameter(part.parameters, b"name") if named is None else named


def content_id(part: Part) -> str | None:
    """Without its brackets. RFC 2392 §2: what `cid:` names."""
    value = part.heading.content_id
    if value is None:
        return None
    return guess(without_comments(value).strip().removeprefix(b"<").removesuffix(b">").strip()) or None


def body_lists(root: Part) -> BodyLists:
    """RFC 8621 §4.1.4: as its suggested algorithm has it."""
    sorting = _Sorting()
    sorting.sort((root,), subtype=b"mixed", text=sorting.text, html=sorting.html, is_alternative=False)
    return BodyLists(sorting.text, sorting.html, sorting.attachments)


_List = list[Part]


@dataclass(slots=True)
class _Sorting:
    text: _List = field(default_factory=list)
    html: _List = field(default_factory=list)
    attachments: _List = field(default_factory=list)

    def sort(
        self, parts: Sequence[Part], *, subtype: bytes, text: _List | None, html: _List | None, is_alternative: bool
    ) -> None:
        """text, html: where the parts go; None where another alternative is shown instead.
        is_alternative: they are inside a multipart/alternative, at any depth."""
        text_before, html_before = len(text or ()), len(html or ())
        for at, part in enumerate(parts):
            if part.is_multipart:
                self.sort(
                    part.children,
                    subtype=part.subtype,
                    text=text,
                    html=html,
                    is_alternative=is_alternative or part.subtype == b"alternative",
                )
            elif not _is_shown(part, at, subtype):
                self.attachments.append(part)
            elif subtype == b"alternative":
                self._alternative(part, text, html)
            else:
                if is_alternative and part.type == b"text":
                    # What stands beside plain text within an alternative belongs to that one.
                    text, html = (text, None) if part.subtype == b"plain" else (None, html)
                self._shown(part, text, html)
        if subtype == b"alternative" and text is not None and html is not None:
            _complete(text, text_before, html, html_before)

    def _alternative(self, part: Part, text: _List | None, html: _List | None) -> None:
        chosen = None
        if part.type == b"text":
            chosen = text if part.subtype == b"plain" else html
        (self.attachments if chosen is None else chosen).append(part)

    def _shown(self, part: Part, text: _List | None, html: _List | None) -> None:
        if text is not None:
            text.append(part)
        if html is not None:
            html.append(part)
        is_nowhere = text is None and html is None
        if is_nowhere or ((text is None or html is None) and part.type in _SHOWN_MEDIA):
            self.attachments.append(part)


def _is_shown(part: Part, at: int, subtype: bytes) -> bool:
    is_media = part.type in _SHOWN_MEDIA
    if part.disposition == b"attachment" or not (is_media or (part.type == b"text" and part.subtype in _SHOWN_TEXT)):
        return False
    # Behind the first part of a multipart/related are pictures in it; a text with a name of its own is a file.
    return at == 0 or (subtype != b"related" and (is_media or file_name(part) is None))


def _complete(text: _List, text_before: int, html: _List, html_before: int) -> None:
    """Where the alternatives have one of the two only, it serves for both."""
    new_text, new_html = text[text_before:], html[html_before:]
    if not new_text:
        text += new_html
    elif not new_html:
        html += new_text
