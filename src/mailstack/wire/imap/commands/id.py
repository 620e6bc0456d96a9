"""ID. RFC 2971 §3.1."""

from dataclasses import dataclass

from mailstack.wire.imap.faults import SyntaxProblem
from mailstack.wire.imap.tokens import Cursor

MAX_FIELDS = 30
MAX_FIELD_OCTETS = 30
MAX_VALUE_OCTETS = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Id:
    """What the client says of itself; a value of NIL is left out. For the log and for nothing else, RFC 2971 §1."""

    fields: tuple[tuple[str, str], ...]


def parse(cursor: Cursor) -> Id:
    """id_params_list = "(" *(string SPACE nstring) ")" / nil"""
    cursor.space()
    if cursor.skip(b"("):
        fields = _fields(cursor)
    elif cursor.word() == "NIL":
        fields = ()
    else:
        raise SyntaxProblem("expected a list or NIL")
    cursor.end()
    return Id(fields=fields)


def _fields(cursor: Cursor) -> tuple[tuple[str, str], ...]:
    fields: list[tuple[str, str]] = []
    count = 0
    while not cursor.skip(b")"):
        if count:
            cursor.space()
        name = cursor.text(cursor.string())
        cursor.space()
        value = cursor.text(cursor.string()) if not cursor.skip_word(b"NIL") else None
        count += 1
        # RFC 2971 §3.3: at most 30 pairs, field names of 30 octets, values of 1024.
        if count > MAX_FIELDS or len(name) > MAX_FIELD_OCTETS or len(value or "") > MAX_VALUE_OCTETS:
            raise SyntaxProblem("ID says too much")
        if value is not None:
            fields.append((name, value))
    return tuple(fields)
