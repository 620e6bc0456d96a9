"""`comparator-i;ascii-numeric`: values by the number that they begin with. RFC 4790 §9.1."""

import re

from mailstack.sieve.language import Comparator, Extension

INFINITY = 2**63
_DIGITS = re.compile(r"0*([0-9]*)")


def _order(text: str) -> tuple[int, str]:
    """A number by how many digits it has, and then by them. What does not begin with a digit is positive infinity."""
    digits = _DIGITS.match(text)
    return (INFINITY, "") if digits is None or not digits.end() else (len(digits[1]), digits[1])


def _same(text: str) -> str:
    length, digits = _order(text)
    return "" if length == INFINITY else f"0{digits}"


COMPARATOR = Comparator(name="i;ascii-numeric", fold=_same, order=_order, has_substrings=False)
EXTENSION = Extension(name="comparator-i;ascii-numeric", comparators=(COMPARATOR,))
