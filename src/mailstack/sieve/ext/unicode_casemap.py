"""`comparator-i;unicode-casemap`: the letters of all alphabets, in either case and whatever form. RFC 5051."""

from mailstack.formats.collation import casemap
from mailstack.sieve.language import Comparator, Extension


def _fold(text: str) -> str:
    return text.upper() if text.isascii() else "".join(map(casemap, text))


# Deviates: RFC 5228 §2.7.3 wants it required; other servers take it from scripts that do not.
COMPARATOR = Comparator(name="i;unicode-casemap", fold=_fold, order=_fold, is_case_blind=True, steps=32)
EXTENSION = Extension(name="comparator-i;unicode-casemap")
