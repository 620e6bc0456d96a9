"""Content-Type and Content-Disposition values: a word, and parameters as they were written. Never raises.

Continuations and charsets of parameters stay untouched (words.parameter reads them). RFC 2045 §5.1, RFC 2183 §2.
"""

import re
from functools import lru_cache
from itertools import islice

from mailstack.formats.comments import without_comments
from mailstack.formats.limits import LIMITS

Parameters = tuple[tuple[bytes, bytes], ...]
"""Names lower-case, quotes taken off the values."""

_CACHED_OCTETS = 128

# RFC 2045 §5.1: token = 1*<any CHAR except SPACE, CTLs, or tspecials>. Tolerated in it: all that parts nothing, but
# no controls: IMAP cannot write a NUL, and "te\0xt" without it would be another type than the one that was read.
_TYPE = re.compile(rb"[ \t]*+([^\x00-\x20\x7f;/\"=,]++)[ \t]*+/[ \t]*+([^\x00-\x20\x7f;/\"=,]++)[ \t]*+(?:;|\Z|[\s,])")
_WORD = re.compile(rb"[ \t]*+\"?([^\s;\"=,]++)\"?[ \t]*+(?:;|\Z|\s)")
# RFC 2045 §5.1: parameter = attribute "=" value, value = token / quoted-string. Tolerated: a value with tspecials,
# even with spaces, up to the next semicolon, and a string whose closing quote is missing. The look back keeps a search
# from starting inside a word, which would be quadratic.
_PARAMETER = re.compile(
    rb"(?<![^\s;=\"])([^\s;=\"]++)\s*+=\s*+(?:\"((?:[^\"\\]++|\\.)*+)(?:\"|\Z)|([^;\r\n]*+))", re.DOTALL
)
_QUOTED_PAIR = re.compile(rb"\\(.)", re.DOTALL)


def parse_media_type(value: bytes) -> tuple[bytes, bytes, Parameters] | None:
    """type and subtype lower-case; None for what is no type. value: unfolded."""
    return _media_type_cached(value) if len(value) <= _CACHED_OCTETS else _media_type(value)


def parse_disposition(value: bytes) -> tuple[bytes, Parameters] | None:
    """RFC 2183 §2: the disposition type, lower-case, with its parameters."""
    value = _plain(value)
    found = _WORD.match(value)
    if found is None:
        return None
    return found[1].lower(), _parameters(value, found.end())


def _media_type(value: bytes) -> tuple[bytes, bytes, Parameters] | None:
    value = _plain(value)
    found = _TYPE.match(value)
    if found is None:
        return None
    return found[1].lower(), found[2].lower(), _parameters(value, found.end())


# Messages have a boundary of their own, but the types of their parts are a few dozen.
_media_type_cached = lru_cache(maxsize=1024)(_media_type)


def _parameters(value: bytes, start: int) -> Parameters:
    return tuple(
        (
            found[1].lower(),
            found[3].strip() if found[2] is None else _QUOTED_PAIR.sub(rb"\1", found[2]),
        )
        for found in islice(_PARAMETER.finditer(value, start), LIMITS.parameters)
    )


def _plain(value: bytes) -> bytes:
    return without_comments(value) if b"(" in value else value
