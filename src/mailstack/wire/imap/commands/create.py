"""CREATE. RFC 9051 §6.3.4, RFC 6154 §3 (CREATE-SPECIAL-USE), RFC 4466 §2.2."""

import re
from dataclasses import dataclass

from mailstack.wire.imap.faults import SyntaxProblem
from mailstack.wire.imap.tokens import Cursor

# use-attr = "\" atom
_USE = re.compile(rb"\\[^\x00-\x20\x7f-\xff(){%*\"\\\]]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Create:
    """uses: special-use attributes, as the client spells them."""

    mailbox: str
    uses: tuple[str, ...] = ()


def parse(cursor: Cursor) -> Create:
    """create =/ "CREATE" SP mailbox [SP "(" create-param *(SP create-param) ")"]"""
    cursor.space()
    mailbox = cursor.mailbox()
    uses: tuple[str, ...] = ()
    if cursor.skip(b" "):
        cursor.require(b"(")
        if not cursor.skip_word(b"USE"):
            raise SyntaxProblem("no such parameter")
        cursor.space()
        uses = _uses(cursor)
        cursor.require(b")")
    cursor.end()
    return Create(mailbox=mailbox, uses=uses)


def _uses(cursor: Cursor) -> tuple[str, ...]:
    """ "USE" SP "(" [use-attr *(SP use-attr)] ")" """
    cursor.require(b"(")
    found: list[str] = []
    while not cursor.skip(b")"):
        if found:
            cursor.space()
        use = cursor.match(_USE)
        if use is None:
            raise SyntaxProblem("expected a special use")
        found.append(use.group().decode("ascii"))
    return tuple(found)
