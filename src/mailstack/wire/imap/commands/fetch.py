"""FETCH and UID FETCH. RFC 3501 §6.4.5, RFC 9051 §6.4.5."""

import re
from dataclasses import dataclass
from enum import Enum

from mailstack.model.section import Partial, Section, SectionText
from mailstack.wire.imap.commands.numbered import Numbered
from mailstack.wire.imap.faults import SyntaxProblem
from mailstack.wire.imap.sections import partial, section, section_text
from mailstack.wire.imap.sets import sequence_set
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


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyItem:
    """label: what the answer calls it. marks_seen: RFC 9051 §6.4.5: fetching it sets \\Seen, unlike .PEEK."""

    label: bytes
    section: Section
    partial: Partial | None
    marks_seen: bool


# An atom may hold "[", the name of an item does not.
_NAME = re.compile(rb"[A-Za-z0-9.]+")

Item = Attribute | BodyItem


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch:
    """items: in the order asked, each once."""

    messages: Numbered
    items: tuple[Item, ...]


_FAST = (Attribute.FLAGS, Attribute.INTERNALDATE, Attribute.SIZE)
# RFC 9051 §6.4.5: macros stand alone
_MACROS: dict[str, tuple[Item, ...]] = {
    "FAST": _FAST,
    "ALL": (*_FAST, Attribute.ENVELOPE),
    "FULL": (*_FAST, Attribute.ENVELOPE, Attribute.BODY),
}
_ATTRIBUTES: dict[str, Attribute] = {item.value.decode(): item for item in Attribute}
# RFC 3501 §6.4.5: each is BODY[…] under another name
_OLD_NAMES: dict[str, BodyItem] = {
    "RFC822": BodyItem(label=b"RFC822", section=Section(), partial=None, marks_seen=True),
    "RFC822.HEADER": BodyItem(
        label=b"RFC822.HEADER", section=Section(text=SectionText.HEADER), partial=None, marks_seen=False
    ),
    "RFC822.TEXT": BodyItem(
        label=b"RFC822.TEXT", section=Section(text=SectionText.TEXT), partial=None, marks_seen=True
    ),
}


def parse(cursor: Cursor) -> Fetch:
    return _parse(cursor, is_uid=False)


def parse_uid(cursor: Cursor) -> Fetch:
    return _parse(cursor, is_uid=True)


def _parse(cursor: Cursor, *, is_uid: bool) -> Fetch:
    cursor.space()
    messages = Numbered(numbers=sequence_set(cursor), is_uid=is_uid)
    cursor.space()
    items = _list(cursor) if cursor.skip(b"(") else _alone(cursor)
    cursor.end()
    return Fetch(messages=messages, items=tuple(dict.fromkeys(items)))


def _list(cursor: Cursor) -> list[Item]:
    items = [_item(cursor, _name(cursor))]
    while cursor.skip(b" "):
        items.append(_item(cursor, _name(cursor)))
        cursor.check_items(len(items))
    cursor.require(b")")
    return items


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
    """fetch-att = "ENVELOPE" / … / "BODY" section ["<" number "." nz-number ">"] / "BODY.PEEK" section […]"""
    if word in ("BODY", "BODY.PEEK") and cursor.is_next(b"["):
        return _body(cursor, marks_seen=word == "BODY")
    known = _ATTRIBUTES.get(word) or _OLD_NAMES.get(word)
    if known is None:
        raise SyntaxProblem("no such item to fetch")
    return known


def _body(cursor: Cursor, *, marks_seen: bool) -> BodyItem:
    wanted = section(cursor)
    part = partial(cursor)
    # RFC 9051 §7.5.2: the answer names the origin octet, in <>, and not the count.
    origin = b"<%d>" % part.offset if part else b""
    return BodyItem(
        label=b"BODY%b%b" % (section_text(wanted), origin), section=wanted, partial=part, marks_seen=marks_seen
    )
