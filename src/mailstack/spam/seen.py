"""What of a message is looked at, out of its parts: texts as they are read, links, attachments, and what is odd.

No parser of its own: formats does that. Bounded by spam.limits, whatever the message is. Never raises.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from mailstack.formats.charsets import knows
from mailstack.formats.content import decode_part
from mailstack.formats.html_shown import shown_of
from mailstack.formats.mime import Part, scan
from mailstack.formats.words import parameter
from mailstack.model.message import RawMessage
from mailstack.spam.limits import LIMITS, Limits

_MARKUP = frozenset({b"html", b"xhtml+xml"})
# Enough to see that something is no base64, which has no spaces inside of lines.
_BEGINNING_OCTETS = 256
_MAY_BE_BASE64 = re.compile(rb"[A-Za-z0-9+/=\s]*+\Z")
_SPACED = re.compile(rb"[A-Za-z0-9+/=] [A-Za-z0-9+/=]")
# What stands before it is looked at last: so the search is for a fixed string, which is quick.
_ADDRESS = re.compile(r"://(?<=(http|ttps)://)[^\s<>\"']++", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """media_type: type/subtype. name: "" without one."""

    media_type: str
    name: str


@dataclass(slots=True, kw_only=True)
class Seen:
    """notes: what is odd, and how much there is of things, each a few words for people to read. named_links: of those
    whose text may be an address, the text and the link."""

    root: Part
    texts: list[str] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    named_links: list[tuple[str, str]] = field(default_factory=list)
    images: list[str] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    image_count: int = 0


def look_at(raw: RawMessage, *, limits: Limits = LIMITS) -> Seen:
    seen = Seen(root=scan(raw))
    room = limits.text_octets
    for number, part in enumerate(_leaves(seen.root)):
        if number >= limits.parts:
            seen.notes.append("very many parts")
            break
        if part.type == b"text" and part.disposition != b"attachment":
            size = min(part.octets, limits.part_octets, room)
            room -= size
            if size:
                _read(raw, part, seen, size, limits)
        elif len(seen.attachments) < limits.attachments:
            seen.attachments.append(_attachment(part))
    return seen


def _leaves(root: Part) -> Iterator[Part]:
    ahead = [root]
    while ahead:
        part = ahead.pop()
        ahead.extend(reversed(part.children))
        if not part.children:
            yield part


def _read(raw: RawMessage, part: Part, seen: Seen, size: int, limits: Limits) -> None:
    _check(raw, part, seen)
    text = decode_part(raw, part, source_limit=size)
    if part.subtype in _MARKUP:
        _read_markup(text, seen, limits)
    else:
        seen.texts.append(text)
        seen.links.extend(_links_in(text, limits.links))


def _links_in(text: str, most: int) -> Iterator[str]:
    for found in islice(_ADDRESS.finditer(text), most):
        yield ("http" if found[1].lower() == "http" else "https") + found[0]


def _read_markup(markup: str, seen: Seen, limits: Limits) -> None:
    shown = shown_of(markup)
    seen.texts.append(shown.text)
    if shown.hidden and not shown.hidden.isspace():
        seen.hidden.append(shown.hidden)
    seen.links.extend(shown.links[: limits.links])
    seen.named_links.extend(shown.named_links[: limits.links])
    seen.images.extend(shown.images[: limits.links])
    seen.image_count += shown.image_count
    if shown.is_cut:
        seen.notes.append("very many tags")
    if shown.has_form:
        seen.notes.append("asks for input in a form")


def _check(raw: RawMessage, part: Part, seen: Seen) -> None:
    """Labels that lie."""
    charset = parameter(part.parameters, b"charset") or ""
    if charset and not knows(charset):
        seen.notes.append("unknown charset")
    if part.encoding == b"base64":
        beginning = raw[part.body_start : min(part.body_end, part.body_start + _BEGINNING_OCTETS)]
        if _SPACED.search(beginning) or not _MAY_BE_BASE64.match(beginning):
            seen.notes.append("base64 that is none")
            # Whoever reads it leniently sees this.
            size = min(part.octets, LIMITS.part_octets)
            seen.texts.append(raw[part.body_start : part.body_start + size].decode("latin-1"))


def _attachment(part: Part) -> Attachment:
    name = parameter(part.disposition_parameters, b"filename") or parameter(part.parameters, b"name") or ""
    media_type = f"{part.type.decode('latin-1')}/{part.subtype.decode('latin-1')}"
    return Attachment(media_type=media_type[:80], name=name[-80:])
