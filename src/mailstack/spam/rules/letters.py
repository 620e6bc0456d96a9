"""Tricks with letters that no honest text plays. Others do: emoji are joined by what nobody sees, German has soft
hyphens, Persian joiners, and physics a μ before a Latin letter.
"""

import re
from itertools import islice

_ENOUGH = 20
# Zero width, between Latin letters.
_SPLIT = re.compile("[A-Za-z][\u200b-\u200d\u2060-\u2064\u180e\ufeff]+[A-Za-z]")
# Latin and Cyrillic side by side.
_MIXED = re.compile("[a-z][\u0400-\u052f]|[\u0400-\u052f][a-z]", re.IGNORECASE)


def count_of_split_words(text: str) -> int:
    """At most _ENOUGH."""
    return _count(_SPLIT, text)


def count_of_mixed_words(text: str) -> int:
    return _count(_MIXED, text)


def _count(expression: re.Pattern[str], text: str) -> int:
    return 0 if text.isascii() else sum(1 for _ in islice(expression.finditer(text), _ENOUGH))
