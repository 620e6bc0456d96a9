"""Files that a message brings: what they are called, and their content as far as it is looked at."""

import re
from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

from mailstack.formats.content import decode_transfer, leaves
from mailstack.formats.mime import Part
from mailstack.formats.part_table import encoding_of
from mailstack.formats.words import parameter
from mailstack.model.message import RawMessage
from mailstack.spam.rules.archives import HEAD_OCTETS
from mailstack.spam.rules.inside import is_worth_a_look, look_inside
from mailstack.spam.rules.signs import NOTHING, Inside

MAX_PARTS = 64
MAX_FILES = 20
# As encoded; what names the content of an archive stands at its end, too.
_BEGINNING_OCTETS = 512 * 1024
_END_OCTETS = 64 * 1024
_MAX_NAME = 200
# Marks of direction, and spaces, dots and underscores that push the true ending out of sight.
_TURNED = re.compile("[\u202a-\u202e\u2066-\u2069]")
_PUSHED = re.compile(r"\.\w{2,5}[\s_]{5,}\.\w{2,4}\Z")


class File(NamedTuple):
    """name: "" without one. ending: what stands behind its last dot, in lower case. before: likewise behind the one
    before. media_type: type/subtype."""

    name: str
    ending: str
    before: str
    media_type: str
    inside: Inside

    @property
    def hides_its_ending(self) -> bool:
        return bool(_TURNED.search(self.name) or _PUSHED.search(self.name))


def files_of(raw: RawMessage, root: Part) -> tuple[File, ...]:
    """All leaves but texts without a name."""
    found: list[File] = []
    for part in islice(leaves(root), MAX_PARTS):
        name = _name(part)
        if part.type == b"text" and not name and part.disposition != b"attachment":
            continue
        found.append(_file(raw, part, name))
        if len(found) == MAX_FILES:
            break
    return tuple(found)


def endings_of(name: str) -> Sequence[str]:
    """The last two, the last one first; "" for each that it has not. Nobody sees dots and spaces behind it."""
    _, *dotted = name.rstrip(". \t").lower().split(".")
    return [one.strip() for one in (*dotted[:-3:-1], "", "")[:2]]


def _name(part: Part) -> str:
    if not part.disposition_parameters and not part.parameters:
        return ""
    name = parameter(part.disposition_parameters, b"filename") or parameter(part.parameters, b"name") or ""
    return name[-_MAX_NAME:]


def _file(raw: RawMessage, part: Part, name: str) -> File:
    ending, before = endings_of(name)
    media_type = f"{part.type.decode('latin-1')}/{part.subtype.decode('latin-1')}"
    beginning = _content(raw, part, part.body_start, part.body_start + 2 * HEAD_OCTETS)
    inside = NOTHING
    if is_worth_a_look(beginning, ending, media_type):
        content = _content(raw, part, part.body_start, part.body_start + _BEGINNING_OCTETS)
        if part.octets > _BEGINNING_OCTETS:
            begin = max(part.body_end - _END_OCTETS, part.body_start + _BEGINNING_OCTETS)
            # Lines of base64 are whole.
            begin = raw.find(b"\n", begin, part.body_end) + 1 or begin
            content += _content(raw, part, begin, part.body_end)
        inside = look_inside(content, ending, media_type)
    return File(name, ending, before, media_type, inside)


def _content(raw: RawMessage, part: Part, start: int, end: int) -> bytes:
    return decode_transfer(raw[start : min(end, part.body_end)], encoding_of(part.encoding))
