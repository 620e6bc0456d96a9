"""A text cut into the words that are learned, in their order. Tricks with letters are undone, and counted.

Digits are all one: prices, dates and numbers of things differ in each message, their shapes do not.
"""

import re
import unicodedata
from typing import NamedTuple

from mailstack.formats.terms import UNSPACED, WIDE_SEPARATORS

# Nothing to be seen, and words fall apart: soft hyphens, joiners, marks of direction, tags.
_INVISIBLE = re.compile(
    "[\xad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\U000e0000-\U000e0fff]"
)
_MONEY = re.compile("[\xa3\xa5\u20a0-\u20bf]")
_WIDE_BLANKS = re.compile(f"[{WIDE_SEPARATORS}]+")
_UNSPACED_RUN = re.compile(f"[{UNSPACED}]+")
# A Latin letter beside one of Greek or Cyrillic: no language writes so.
_MIXED = re.compile("[a-z][\u0370-\u052f]|[\u0370-\u052f][a-z]")
_TABLE = bytes(
    ord("0") if 48 <= octet <= 57 else octet if octet >= 128 or chr(octet).isalnum() or chr(octet) in "$%" else 32
    for octet in range(256)
)


class Words(NamedTuple):
    """words: UTF-8. invisible, mixed: how many invisible characters, and places where two scripts meet in a word."""

    words: list[bytes]
    invisible: int
    mixed: int


def words_in(text: str, *, most: int, octets: int) -> Words:
    """The first `most` words; those longer than `octets` are left out."""
    invisible = mixed = 0
    if text.isascii():
        folded = text.lower()
    else:
        bare, invisible = _INVISIBLE.subn("", text)
        folded = unicodedata.normalize("NFKC", bare).casefold()
        mixed = sum(1 for _ in _MIXED.finditer(folded))
        folded = _WIDE_BLANKS.sub(" ", _MONEY.sub("$", folded))
        folded = _UNSPACED_RUN.sub(_pairs, folded)
    # The last piece is all that was not split.
    words = folded.encode("utf-8", "replace").translate(_TABLE).split(None, most)[:most]
    if max(map(len, words), default=0) > octets:
        words = [word for word in words if len(word) <= octets]
    return Words(words, invisible, mixed)


def _pairs(run: re.Match[str]) -> str:
    """Scripts without spaces, in overlapping pairs of characters."""
    text = run[0]
    return f" {' '.join(map(str.__add__, text, text[1:]))} " if len(text) > 1 else f" {text} "
