"""Where the words that were looked for stand in a text, as HTML with marks. RFC 8621 §5.

Words are found as searching finds them (formats.searched), and marked in the text as it is written.
"""

import re
import unicodedata
from collections.abc import Sequence
from html import escape

from mailstack.formats.searched import folded, phrase

MAX_OCTETS = 255
"""RFC 8621 §5: of a preview, marks and entities counted."""
_BEFORE_OCTETS = 60
"""So much of the text stands before the first word that was found."""
_MARK, _MARK_END = "<mark>", "</mark>"
# What one character can take at most: four octets, an entity, and a pair of marks of its own.
_MOST_OCTETS = 5 + len(_MARK) + len(_MARK_END)

_Span = tuple[int, int]


def marked(text: str, needles: Sequence[str]) -> str | None:
    """The whole text; None where none of the needles is in it. needles: folded."""
    text = unicodedata.normalize("NFC", text)
    spans = _spans(text, needles)
    return _rendered(text, spans, 0, len(text)) if spans else None


def marked_preview(text: str, needles: Sequence[str]) -> str | None:
    """What stands around the first that is found, white space made one space; None as above."""
    text = unicodedata.normalize("NFC", re.sub(r"\s+", " ", text).strip())
    spans = _spans(text, needles)
    if not spans:
        return None
    start = _beginning(text, spans[0][0])
    stop = min(len(text), start + MAX_OCTETS)
    while (over := len(_rendered(text, spans, start, stop).encode()) - MAX_OCTETS) > 0:
        stop -= -(-over // _MOST_OCTETS)
    return _rendered(text, spans, start, stop)


def _beginning(text: str, hit: int) -> int:
    """Of a word, if there is one that begins shortly before."""
    start = hit
    room = _BEFORE_OCTETS
    while start and (room := room - len(_escaped(text[start - 1]).encode())) >= 0:
        start -= 1
    if start == 0:
        return 0
    space = text.find(" ", start, hit)
    return start if space < 0 else space + 1


def _spans(text: str, needles: Sequence[str]) -> list[_Span]:
    """Where the needles stand, ascending, those that touch as one."""
    if text.isascii():
        seen, starts = text.lower(), None
    else:
        one_by_one = {character: folded(character) for character in set(text)}
        pieces = [one_by_one[character] for character in text]
        seen = "".join(pieces)
        # To which character of the text each of the folded ones belongs.
        starts = [at for at, piece in enumerate(pieces) for _ in piece]
    found: list[_Span] = []
    for needle in filter(str.strip, needles):
        for hit in phrase(needle).finditer(seen):
            first, last = hit.start(), hit.end() - 1
            found.append((first, last + 1) if starts is None else (starts[first], starts[last] + 1))
    return _joined(found)


def _joined(spans: Sequence[_Span]) -> list[_Span]:
    joined: list[_Span] = []
    for start, stop in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(stop, joined[-1][1])
        else:
            joined.append((start, stop))
    return joined


def _rendered(text: str, spans: Sequence[_Span], start: int, stop: int) -> str:
    pieces: list[str] = []
    at = start
    for first, last in spans:
        first, last = max(first, start), min(last, stop)
        if first < last:
            pieces += (_escaped(text[at:first]), _MARK, _escaped(text[first:last]), _MARK_END)
            at = last
    return "".join((*pieces, _escaped(text[at:stop])))


def _escaped(text: str) -> str:
    return escape(text, quote=False)
