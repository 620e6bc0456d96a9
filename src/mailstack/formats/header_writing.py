"""Header fields from values, such that they are read back the same. RFC 8621 §4.1.2, RFC 5322 §3.4, §3.6, RFC 2231 §4.

All raise Invalid for what no field can hold.
"""

import re
from collections.abc import Iterator
from typing import assert_never
from urllib.parse import quote

from mailstack.formats.compose import phrase, write_field, write_text_field
from mailstack.formats.dates import format_date
from mailstack.formats.words import as_words
from mailstack.model.errors import Invalid
from mailstack.model.header_value import (
    AddressGroup,
    EmailAddress,
    Groups,
    HeaderValue,
    MessageIds,
    RawValue,
    TextValue,
    Urls,
    ZonedDate,
)

# Folding keeps one space of several.
_SPACES_MATTER = re.compile(r"\s\s|\A\s|\s\Z|\t")
_NO_ADDRESS = re.compile(r"[\x00-\x20\x7f<>]")
_NO_ID = re.compile(r"[\x00-\x20\x7f<>]")
# RFC 5322 §3.2.3, §3.4.1: addr-spec without quotes, comments and such.
_PLAIN_ADDRESS = re.compile(r"[^\x00-\x20\x7f\"(),:;<>@\[\\\]]+@[^\x00-\x20\x7f\"(),:;<>@\\]+")
_QUOTED_ADDRESS = re.compile(r"(\"(?:[^\"\\\x00-\x1f\x7f]|\\[ -~])*\")@([^\x00-\x20\x7f\"(),:;<>@\\]+)")
# RFC 5322 §2.2.3: a line break within a value is followed by white space, and no line is of white space alone.
_FOLD = re.compile(r"\r?\n(?=[ \t]+[^ \t\r\n])")
_CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_LONGEST_LINE = 998
# RFC 2231 §3: longer values go on in further parameters.
_PIECE = 60


def write_value(name: str, value: HeaderValue) -> bytes:
    """The whole field with its CRLF."""
    match value:
        case RawValue():
            return _raw(name, value.text)
        case TextValue():
            return _text(name, value.text)
        case Groups():
            return write_field(name, ", ".join(map(_group, value.groups)))
        case MessageIds():
            return write_field(name, " ".join(f"<{_bracketed(each)}>" for each in value.ids))
        case ZonedDate():
            return write_field(name, format_date(value.instant, value.offset_minutes))
        case Urls():
            return write_field(name, ", ".join(f"<{_bracketed(each)}>" for each in value.urls))
        case _:
            assert_never(value)


def write_parameter(name: str, value: str) -> str:
    """`; name=value`, in the words of RFC 2231 where a quoted string would not do."""
    plain = value.isascii() and value.isprintable() and len(value) <= _PIECE
    if plain and "=?" not in value and not _SPACES_MATTER.search(value):
        return f'; {name}="' + re.sub(r"([\"\\])", r"\\\1", value) + '"'
    pieces = list(_pieces("utf-8''", value))
    if len(pieces) == 1:
        return f"; {name}*={pieces[0]}"
    return "".join(f"; {name}*{at}*={piece}" for at, piece in enumerate(pieces))


def _pieces(start: str, value: str) -> Iterator[str]:
    piece = start
    for character in value:
        encoded = quote(character, safe="", errors="replace")
        if len(piece) + len(encoded) > _PIECE:
            yield piece
            piece = ""
        piece += encoded
    yield piece


def _raw(name: str, text: str) -> bytes:
    unfolded = _FOLD.sub("", text)
    if _CONTROLS.search(unfolded):
        raise Invalid(f"a value of {name} holds a control character")
    # Checks the name, and whether it can be written as UTF-8.
    write_field(name, "")
    try:
        field = f"{name}:{_FOLD.sub(chr(13) + chr(10), text)}\r\n".encode()
    except UnicodeEncodeError:
        raise Invalid(f"a value of {name} holds a lone surrogate") from None
    if max(map(len, field.split(b"\r\n"))) > _LONGEST_LINE:
        raise Invalid(f"a line of {name} has more than 998 octets")
    return field


def _text(name: str, text: str) -> bytes:
    if _SPACES_MATTER.search(text):
        return write_field(name, as_words(_CONTROLS.sub(" ", text)).decode("ascii"))
    return write_text_field(name, text)


def _group(group: AddressGroup) -> str:
    addresses = ", ".join(map(_address, group.addresses))
    if group.name is None:
        return addresses
    return f"{_name(group.name) or _EMPTY}: {addresses};"


_EMPTY = '""'


def _address(address: EmailAddress) -> str:
    name = _name(address.name or "")
    email = _email(address.email)
    return f"{name} <{email}>" if name or not _PLAIN_ADDRESS.fullmatch(email) else email


def _name(name: str) -> str:
    return as_words(name).decode("ascii") if _SPACES_MATTER.search(name) and name.strip() else phrase(name)


def _email(email: str) -> str:
    if _PLAIN_ADDRESS.fullmatch(email) or _QUOTED_ADDRESS.fullmatch(email):
        return email
    local_part, at, domain = email.rpartition("@")
    # RFC 8621 §4.6: a draft may hold what is no address yet.
    if not email or _NO_ADDRESS.search(domain) or _CONTROLS.search(email) or any(c in '"(),:;\\[]' for c in domain):
        raise Invalid(f"{email[:100]!r} can be no address")
    if not at:
        return email
    return '"' + re.sub(r"([\"\\])", r"\\\1", local_part) + f'"@{domain}'


def _bracketed(text: str) -> str:
    if not text or _NO_ID.search(text):
        raise Invalid(f"{text[:100]!r} cannot stand between angle brackets")
    return text
