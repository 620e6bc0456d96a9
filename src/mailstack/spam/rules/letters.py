"""Tricks with letters that no honest text plays. Others do: emoji are joined by what nobody sees, German has soft
hyphens, Persian joiners, and physics a μ before a Latin letter.
"""

import re
from itertools import islice

from mailstack.spam.rules.lookalike import LATIN_LOOKS

_ENOUGH = 20
# Zero width, between Latin letters.
_SPLIT = re.compile("[A-Za-z][\u200b-\u200d\u2060-\u2064\u180e\ufeff]+[A-Za-z]")
# Latin and Cyrillic side by side.
_MIXED = re.compile("[a-z][\u0400-\u052f]|[\u0400-\u052f][a-z]", re.IGNORECASE)
_WORD = re.compile(r"\w+")
_MAX_WORD = 40


def count_of_split_words(text: str) -> int:
    """At most _ENOUGH."""
    return 0 if text.isascii() else sum(1 for _ in islice(_SPLIT.finditer(text), _ENOUGH))


def count_of_mixed_words(text: str) -> int:
    """Places in words of both scripts that look Latin all through: a Russian ending behind a Latin name does not."""
    if text.isascii():
        return 0
    places = islice(_MIXED.finditer(text), _ENOUGH)
    return sum(_word_at(text, place.start()).translate(LATIN_LOOKS).isascii() for place in places)


def _word_at(text: str, at: int) -> str:
    """In lower case; of a longer one, what is near."""
    begin = max(at - _MAX_WORD, 0)
    words = _WORD.finditer(text[begin : at + _MAX_WORD])
    return next((word[0].casefold() for word in words if word.end() > at - begin), "")
