"""SETACL. RFC 4314 §3.1."""

from dataclasses import dataclass

from mailstack.model.errors import Invalid
from mailstack.model.rights import Rights, RightsOperation, parse_rights
from mailstack.wire.imap.commands.deleteacl import identifier
from mailstack.wire.imap.faults import SyntaxProblem
from mailstack.wire.imap.tokens import Cursor

_OPERATIONS = {"+": RightsOperation.ADD, "-": RightsOperation.REMOVE}


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAcl:
    mailbox: str
    identifier: str
    operation: RightsOperation
    rights: Rights


def parse(cursor: Cursor) -> SetAcl:
    """setacl = "SETACL" SP mailbox SP identifier SP mod-rights"""
    cursor.space()
    mailbox = cursor.mailbox()
    cursor.space()
    whose = identifier(cursor)
    cursor.space()
    text = cursor.text(cursor.astring())
    cursor.end()
    operation = _OPERATIONS.get(text[:1])
    try:
        rights = parse_rights(text[1:] if operation else text)
    except Invalid:
        raise SyntaxProblem("no such right") from None
    return SetAcl(mailbox=mailbox, identifier=whose, operation=operation or RightsOperation.SET, rights=rights)
