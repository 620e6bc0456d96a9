"""The order and sameness of texts, of those too that differ in case or form only. RFC 5051, RFC 4790 §9.

Keys are compared as they are: code points sort as their UTF-8 octets do.
"""

import unicodedata
from collections.abc import Callable, Mapping
from functools import lru_cache

from mailstack.model.sorting import Collation

_LOWER_TO_UPPER = {ord("a") + letter: ord("A") + letter for letter in range(26)}


def casemap(text: str) -> str:
    """RFC 5051 §2: titlecased one character at a time, then decomposed as far as it goes."""
    return text.upper() if text.isascii() else _titlecased(text)


def _ascii_casemap(text: str) -> str:
    """RFC 4790 §9.2: the letters of US-ASCII alone."""
    return text.upper() if text.isascii() else text.translate(_LOWER_TO_UPPER)


def _as_it_is(text: str) -> str:
    """RFC 4790 §9.3"""
    return text


@lru_cache(maxsize=4096)
def _titlecased(text: str) -> str:
    return unicodedata.normalize("NFKD", "".join(map(_title, text)))


def _title(character: str) -> str:
    # RFC 5051 §2 (a): the simple mapping of UnicodeData; those to several characters are not in it.
    titled = character.title()
    return titled if len(titled) == 1 else character


FOLDS: Mapping[Collation, Callable[[str], str]] = {
    Collation.UNICODE: casemap,
    Collation.ASCII: _ascii_casemap,
    Collation.OCTET: _as_it_is,
}
