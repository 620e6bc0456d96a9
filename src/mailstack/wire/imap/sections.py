"""BODY[…]<…> as a client asks for it, and as the answer names it. RFC 9051 §6.4.5, §9: section, partial."""

import re

from mailstack.model.section import Partial, Section, SectionText
from mailstack.wire.imap.faults import SyntaxProblem
from mailstack.wire.imap.tokens import MAX_NUMBER64, Cursor

MAX_PART_DEPTH = 100
_PART = re.compile(rb"[1-9][0-9]{0,8}(?:\.[1-9][0-9]{0,8})*+")
_ASTRING = re.compile(r"[^(){%*\"\\]+")
_TEXTS = {kind.value: kind for kind in SectionText if kind is not SectionText.WHOLE}
_HEADER_LISTS = (SectionText.HEADER_FIELDS, SectionText.HEADER_FIELDS_NOT)


def section(cursor: Cursor) -> Section:
    """section = "[" [section-spec] "]" """
    cursor.require(b"[")
    part = part_number(cursor)
    if cursor.skip(b"]"):
        return Section(part=part)
    if part:
        cursor.require(b".")
    kind = _TEXTS.get(cursor.word())
    if kind is None or (kind is SectionText.MIME and not part):
        raise SyntaxProblem("no such section")  # section-text = section-msgtext / "MIME"; MIME only after a part
    fields = _header_list(cursor) if kind in _HEADER_LISTS else ()
    cursor.require(b"]")
    return Section(part=part, text=kind, fields=fields)


def part_number(cursor: Cursor) -> tuple[int, ...]:
    """section-part = nz-number *("." nz-number), or nothing: ()."""
    found = cursor.match(_PART)
    part = tuple(int(number) for number in found.group().split(b".")) if found else ()
    if len(part) > MAX_PART_DEPTH:
        raise SyntaxProblem("a part number is too long")
    return part


def partial(cursor: Cursor) -> Partial | None:
    """partial = "<" number64 "." nz-number64 ">" """
    if not cursor.skip(b"<"):
        return None
    offset = cursor.number(largest=MAX_NUMBER64)
    cursor.require(b".")
    count = cursor.number(largest=MAX_NUMBER64)
    cursor.require(b">")
    if not count:
        raise SyntaxProblem("a partial fetch of nothing")
    return Partial(offset=offset, count=count)


def section_text(wanted: Section) -> bytes:
    """With brackets, as an answer names it; field names as the client wrote them."""
    number = ".".join(map(str, wanted.part))
    words = ".".join(piece for piece in (number, wanted.text.value) if piece)
    if wanted.text in _HEADER_LISTS:
        words += f" ({' '.join(_field_text(name) for name in wanted.fields)})"
    return f"[{words}]".encode("ascii")


def _header_list(cursor: Cursor) -> tuple[str, ...]:
    """header-list = "(" header-fld-name *(SP header-fld-name) ")" """
    cursor.space()
    cursor.require(b"(")
    names = [_field_name(cursor)]
    while cursor.skip(b" "):
        names.append(_field_name(cursor))
    cursor.require(b")")
    return tuple(names)


def _field_name(cursor: Cursor) -> str:
    name = cursor.astring()
    # RFC 5322 §2.2: field names are printable US-ASCII without the colon; nothing else can be asked for or echoed.
    if not name or not all(0x21 <= octet <= 0x7E and octet != 0x3A for octet in name):
        raise SyntaxProblem("no such field name")
    return name.decode("ascii")


def _field_text(name: str) -> str:
    if _ASTRING.fullmatch(name):
        return name
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
