"""DELETEACL, and the identifiers of all ACL commands. RFC 4314 §3, §3.2."""

import unicodedata
from dataclasses import dataclass

from mailstack.model.rights import MAX_IDENTIFIER_CHARACTERS, NEGATIVE
from mailstack.wire.imap.faults import SyntaxProblem
from mailstack.wire.imap.tokens import Cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteAcl:
    mailbox: str
    identifier: str


def parse(cursor: Cursor) -> DeleteAcl:
    cursor.space()
    mailbox = cursor.mailbox()
    cursor.space()
    whose = identifier(cursor)
    cursor.end()
    return DeleteAcl(mailbox=mailbox, identifier=whose)


def identifier(cursor: Cursor) -> str:
    """RFC 4314 §3: prepared as names are that log in; what does not come through is refused."""
    text = unicodedata.normalize("NFC", cursor.text(cursor.astring()))
    if not text.removeprefix(NEGATIVE) or not text.isprintable() or len(text) > MAX_IDENTIFIER_CHARACTERS:
        raise SyntaxProblem("no such identifier")
    return text
