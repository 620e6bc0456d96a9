"""i;unicode-casemap: the order and sameness of texts that do not differ in case or form only. RFC 5051.

Keys are compared as they are: code points sort as their UTF-8 octets do.
"""

import unicodedata
from functools import lru_cache


def casemap(text: str) -> str:
    """RFC 5051 §2: titlecased one character at a time, then decomposed as far as it goes."""
    return text.upper() if text.isascii() else _titlecased(text)


@lru_cache(maxsize=4096)
def _titlecased(text: str) -> str:
    return unicodedata.normalize("NFKD", "".join(map(_title, text)))


def _title(character: str) -> str:
    # RFC 5051 §2 (a): the simple mapping of UnicodeData; those to several characters are not in it.
    titled = character.title()
    return titled if len(titled) == 1 else character
