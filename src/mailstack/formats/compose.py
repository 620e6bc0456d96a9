"""Whole header fields to put on a message: folded, and safe against values that would smuggle in other fields.

Not the trace fields (services.inbound.trace). RFC 5322 §2.1.1, §2.2.3, §3.6.1, §3.6.4; RFC 2047.
"""

import re

from mailstack.formats.dates import format_date
from mailstack.formats.words import encode_words
from mailstack.model.errors import Invalid
from mailstack.model.instant import Instant

# RFC 5322 §2.1.1: lines should have at most 78 characters and must have at most 998, without CRLF.
_USUAL_LINE = 78
_LONGEST_LINE = 998
_FIELD_NAME = re.compile(r"[!-9;-~]{1,76}")
MAX_SUBJECT = 256
_CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_SPECIALS = re.compile(r"([\"\\])")


def write_field(name: str, value: str) -> bytes:
    """`Name: value` with its CRLF, folded at spaces; value: structured text, UTF-8 where RFC 6532 allows it.

    Raises Invalid for control characters, line breaks among them, and for a word too long for any line.
    """
    if not _FIELD_NAME.fullmatch(name):
        raise Invalid(f"{name!r} is no field name")
    if _CONTROLS.search(value):
        raise Invalid(f"a value of {name} holds a control character")
    try:
        octets = value.encode()
    except UnicodeEncodeError:
        raise Invalid(f"a value of {name} holds a lone surrogate") from None
    return _folded(name.encode("ascii") + b":", octets)


def write_text_field(name: str, text: str) -> bytes:
    """An unstructured field, such as Subject: control characters become spaces, what is not ASCII encoded words."""
    return write_field(name, encode_words(_CONTROLS.sub(" ", text)).decode("ascii"))


def phrase(text: str) -> str:
    """A display name, as RFC 5322 §3.2.5 has a phrase, quoted, or RFC 2047 §5: encoded words. "" for nothing to see."""
    plain = _UNSEEN.sub(" ", text).strip()
    if not plain:
        return ""
    if plain.isascii() and "=?" not in plain:
        return '"' + _SPECIALS.sub(r"\\\1", plain) + '"'
    return encode_words(plain).decode("ascii")


def shortened(subject: str) -> str:
    """As much of it as anybody reads, for a subject that is made of another text."""
    return subject if len(subject) <= MAX_SUBJECT else f"{subject[: MAX_SUBJECT - 1]}\u2026"


def write_date(instant: Instant) -> bytes:
    """RFC 5322 §3.6.1: orig-date."""
    return write_field("Date", format_date(instant))


def write_message_id(token: str, domain: str) -> bytes:
    """RFC 5322 §3.6.4: unique for ever, so token: at least 96 random bits as letters and digits."""
    return write_field("Message-ID", f"<{token}@{domain}>")


def _folded(start: bytes, value: bytes) -> bytes:
    lines: list[bytes] = []
    line = start
    for word in value.split():
        # RFC 5322 §2.2.3: a fold may stand where white space stands; it must not leave a line of white space alone.
        if len(line) + 1 + len(word) > _USUAL_LINE and line != start:
            lines.append(line)
            line = b""
        line += b" " + word
        if len(line) > _LONGEST_LINE:
            raise Invalid(f"a word of {len(word)} octets fits no line")
    return b"\r\n".join([*lines, line]) + b"\r\n"
