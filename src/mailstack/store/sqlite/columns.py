"""Chosen facts of many messages of one mailbox, read in one statement: ports.messages.columns on SQLite."""

import struct
from collections.abc import Mapping, Sequence
from typing import Any

from mailstack.model.errors import Damaged
from mailstack.model.ids import MailboxId
from mailstack.model.message import Column
from mailstack.model.numset import NumSet
from mailstack.store.sqlite.compress import Codec
from mailstack.store.sqlite.connection import Connection, Row
from mailstack.store.sqlite.listing import MAX_FORMS_BYTES, unpack_forms

FORMS = "m.forms"

_EXPRESSIONS: Mapping[Column, str] = {
    Column.MESSAGE_ID: "p.message_id",
    Column.THREAD_ID: "m.thread_id",
    Column.SIZE_BYTES: "m.size_bytes",
    Column.RECEIVED_AT: "m.received_at",
    Column.SENT_AT: "m.sent_at",
    Column.SAVED_AT: "NULL",
    Column.SUBJECT: "m.subject",
    Column.BASE_SUBJECT: "COALESCE(m.base_subject, m.subject)",
    Column.FROM: "m.from_addresses",
    Column.TO: "m.to_addresses",
    Column.CC: "m.cc_addresses",
    Column.HEADER_ID: "m.header_id",
    Column.REFERENCES: "m.header_references",
    Column.ENVELOPE: "m.envelope",
    Column.BODY: FORMS,
    Column.BODY_STRUCTURE: FORMS,
    Column.PARTS: FORMS,
    Column.HEADER_BLOCK: FORMS,
    Column.PREVIEW: FORMS,
}
_PLACES_IN_FORMS: Mapping[Column, int] = {
    Column.BODY: 0,
    Column.BODY_STRUCTURE: 1,
    Column.PARTS: 2,
    Column.HEADER_BLOCK: 3,
    Column.PREVIEW: 4,
}


def read_columns(
    connection: Connection, mailbox_id: MailboxId, wanted: Sequence[Column], uids: NumSet, codec: Codec
) -> list[Row]:
    """(uid, then one value for each of `wanted`), by ascending UID."""
    sql = _select(wanted)
    rows = [row for first, last in uids.ranges for row in connection.rows(sql, (mailbox_id, first, last))]
    if not any(column in _PLACES_IN_FORMS or column is Column.REFERENCES for column in wanted):
        return rows
    return [_unpacked(row, wanted, codec) for row in rows]


def _select(wanted: Sequence[Column]) -> str:
    expressions = ", ".join(["p.uid", *(_EXPRESSIONS[column] for column in wanted)])
    return f"""SELECT {expressions} FROM placement p JOIN message m ON m.message_id = p.message_id
        WHERE p.mailbox_id = ? AND p.uid BETWEEN ? AND ? ORDER BY p.uid"""  # noqa: S608 - words of this module only


def _unpacked(row: Row, wanted: Sequence[Column], codec: Codec) -> Row:
    forms: tuple[Any, ...] | None = None
    values = list(row)
    for at, column in enumerate(wanted, start=1):
        if column is Column.REFERENCES:
            values[at] = tuple(values[at].split(" ")) if values[at] else ()
        elif column in _PLACES_IN_FORMS:
            forms = forms or _forms(values[at], codec)
            values[at] = forms[_PLACES_IN_FORMS[column]]
    return tuple(values)


def _forms(packed: bytes, codec: Codec) -> tuple[Any, ...]:
    try:
        return unpack_forms(codec.decompress(packed, limit_bytes=MAX_FORMS_BYTES))
    except (Damaged, struct.error, UnicodeDecodeError):
        return (None,) * 5
