"""What can be fetched of a message, as a client names it and the answer names it again. RFC 9051 §6.4.5, §9: fetch-att.

RFC 3501 §6.4.5 (RFC822 and its kin), RFC 3516 (BINARY), RFC 7162 (MODSEQ), RFC 8474 (EMAILID, THREADID),
RFC 8514 (SAVEDATE), RFC 8970 (PREVIEW).
"""

import re
from dataclasses import dataclass
from enum import Enum

from mailstack.model.section import Partial, Section, SectionText
from mailstack.wire.imap.faults import SyntaxProblem
from mailstack.wire.imap.sections import part_number, partial, section, section_text
from mailstack.wire.imap.tokens import Cursor


class Attribute(Enum):
    """What is known of a message without its bytes."""

    UID = b"UID"
    FLAGS = b"FLAGS"
    INTERNALDATE = b"INTERNALDATE"
    SIZE = b"RFC822.SIZE"
    ENVELOPE = b"ENVELOPE"
    BODY = b"BODY"
    BODYSTRUCTURE = b"BODYSTRUCTURE"
    MODSEQ = b"MODSEQ"
    EMAILID = b"EMAILID"
    THREADID = b"THREADID"
    SAVEDATE = b"SAVEDATE"
    PREVIEW = b"PREVIEW"


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyItem:
    """label: what the answer calls it. marks_seen: RFC 9051 §6.4.5: fetching it sets \\Seen, unlike .PEEK.

    is_decoded: BINARY, RFC 3516 §4.2: the transfer encoding undone, and partial counts in what comes out.
    """

    label: bytes
    section: Section
    partial: Partial | None
    marks_seen: bool
    is_decoded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BinarySize:
    """BINARY.SIZE: how long BINARY of the same section would be. RFC 3516 §4.2."""

    label: bytes
    section: Section


Item = Attribute | BodyItem | BinarySize

# An atom may hold "[", the name of an item does not.
_NAME = re.compile(rb"[A-Za-z0-9.]+")
_LAZY = re.compile(rb" \(LAZY\)", re.IGNORECASE)
_FAST = (Attribute.FLAGS, Attribute.INTERNALDATE, Attribute.SIZE)
# RFC 9051 §6.4.5: macros stand alone
_MACROS: dict[str, tuple[Item, ...]] = {
    "FAST": _FAST,
    "ALL": (*_FAST, Attribute.ENVELOPE),
    "FULL": (*_FAST, Attribute.ENVELOPE, Attribute.BODY),
}
_ATTRIBUTES: dict[str, Attribute] = {item.value.decode(): item for item in Attribute}
# RFC 3501 §6.4.5: each is BODY[…] under another name. RFC 9051 §6.4.5 has none of them, and lets a server know them.
_OLD_NAMES: dict[str, BodyItem] = {
    "RFC822": BodyItem(label=b"RFC822", section=Section(), partial=None, marks_seen=True),
    "RFC822.HEADER": BodyItem(
        label=b"RFC822.HEADER", section=Section(text=SectionText.HEADER), partial=None, marks_seen=False
    ),
    "RFC822.TEXT": BodyItem(
        label=b"RFC822.TEXT", section=Section(text=SectionText.TEXT), partial=None, marks_seen=True
    ),
}


def items(cursor: Cursor) -> tuple[Item, ...]:
    """In the order asked, each once."""
    found = item_list(cursor) if cursor.skip(b"(") else _alone(cursor)
    return tuple(dict.fromkeys(found))


def item_list(cursor: Cursor) -> list[Item]:
    found = [_item(cursor, _name(cursor))]
    while cursor.skip(b" "):
        found.append(_item(cursor, _name(cursor)))
        cursor.check_items(len(found))
    cursor.require(b")")
    return found


def _alone(cursor: Cursor) -> list[Item]:
    word = _name(cursor)
    macro = _MACROS.get(word)
    return list(macro) if macro else [_item(cursor, word)]


def _name(cursor: Cursor) -> str:
    found = cursor.match(_NAME)
    if found is None:
        raise SyntaxProblem("expected an item to fetch")
    return found.group().upper().decode("ascii")


def _item(cursor: Cursor, word: str) -> Item:
    if cursor.is_next(b"["):
        return _of_section(cursor, word)
    known = _ATTRIBUTES.get(word) or _OLD_NAMES.get(word)
    if known is None:
        raise SyntaxProblem("no such item to fetch")
    if known is Attribute.PREVIEW:
        # RFC 8970 §6: "PREVIEW" [SP "(" preview-mod *(SP preview-mod) ")"]. LAZY (§4.1) asks for no more than what
        # is at hand, and here every preview is: it is made when the message arrives.
        cursor.match(_LAZY)
    return known


def _of_section(cursor: Cursor, word: str) -> Item:
    match word:
        case "BODY" | "BODY.PEEK":
            return _body(cursor, marks_seen=word == "BODY")
        case "BINARY" | "BINARY.PEEK":
            return _binary(cursor, marks_seen=word == "BINARY")
        case "BINARY.SIZE":
            wanted = _section_binary(cursor)
            return BinarySize(label=b"BINARY.SIZE" + section_text(wanted), section=wanted)
        case _:
            raise SyntaxProblem("no such item to fetch")


def _body(cursor: Cursor, *, marks_seen: bool) -> BodyItem:
    """fetch-att =/ "BODY" section ["<" number "." nz-number ">"] / "BODY.PEEK" section […]"""
    wanted = section(cursor)
    part = partial(cursor)
    label = b"BODY%b%b" % (section_text(wanted), _origin(part))
    return BodyItem(label=label, section=wanted, partial=part, marks_seen=marks_seen)


def _binary(cursor: Cursor, *, marks_seen: bool) -> BodyItem:
    """fetch-att =/ "BINARY" [".PEEK"] section-binary [partial]"""
    wanted = _section_binary(cursor)
    part = partial(cursor)
    label = b"BINARY%b%b" % (section_text(wanted), _origin(part))
    return BodyItem(label=label, section=wanted, partial=part, marks_seen=marks_seen, is_decoded=True)


def _section_binary(cursor: Cursor) -> Section:
    """section-binary = "[" [section-part] "]" """
    cursor.require(b"[")
    wanted = Section(part=part_number(cursor))
    cursor.require(b"]")
    return wanted


def _origin(part: Partial | None) -> bytes:
    """RFC 9051 §7.5.2: the answer names the origin octet, in <>, and not the count."""
    return b"<%d>" % part.offset if part else b""
