"""What a spam or virus filter has found, by the field of a message in which the settings say that it is."""

import re
from collections.abc import Mapping

from mailstack.sieve.message import Header

_SPAM, _VIRUS = "sieve_spamtest_", "sieve_virustest_"


def spam_percent(settings: Mapping[str, str], header: Header) -> float | None:
    """None where nothing was found."""
    found = _found(settings.get(f"{_SPAM}status_header", ""), header)
    if found is None:
        return None
    kind = settings.get(f"{_SPAM}status_type", "")
    if kind == "text":
        value = _value(settings, _SPAM, found)
        # From 1 to 10.
        return None if value is None else (value - 1) * 100 / 9 + 1e-6
    most = _found(settings.get(f"{_SPAM}score_max_header", ""), header) or settings.get(f"{_SPAM}score_max_value", "")
    score = len(found) if kind == "strlen" else _number(found)
    limit = _number(most)
    return None if score is None or not limit else round(score * 100 / limit, 6)


def virus_value(settings: Mapping[str, str], header: Header) -> int:
    """0 where nothing was found."""
    found = _found(settings.get(f"{_VIRUS}status_header", ""), header)
    return 0 if found is None else _value(settings, _VIRUS, found) or 0


def _found(place: str, header: Header) -> str | None:
    """place: a field's name; behind a colon, an expression whose first group is wanted."""
    name, _, expression = place.partition(":")
    for text in header.texts(name.strip()):
        if not expression:
            return text
        if found := re.match(expression.strip(), text, re.IGNORECASE):
            return found[1]
    return None


def _value(settings: Mapping[str, str], prefix: str, text: str) -> int | None:
    for value in range(11):
        if settings.get(f"{prefix}text_value/{value}") == text:
            return value
    return None


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
