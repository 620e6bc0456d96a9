"""Chosen facts of many messages of one mailbox, read in one statement: ports.messages.columns on SQLite.

A message costs a microsecond or two, so what is done for all of them is done column by column.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from mailstack.model.ids import MailboxId
from mailstack.model.message import Column
from mailstack.model.numset import NumSet
from mailstack.store.sqlite.compress import Codec
from mailstack.store.sqlite.connection import Connection, Row
from mailstack.store.sqlite.listing import (
    MAX_FRAME_BYTES,
    Forms,
    base_subject_of,
    references_of,
    unpack_forms,
)

_FACTS: Mapping[Column, str] = {
    Column.MESSAGE_ID: "p.message_id",
    Column.SAVED_AT: "p.saved_at",
    Column.EMAIL_ID: "m.blob_key",
    Column.THREAD_ID: "m.thread_id",
    Column.SIZE_BYTES: "m.size_bytes",
    Column.RECEIVED_AT: "m.received_at",
    Column.SENT_AT: "m.sent_at",
}
_OF_HEAD: Mapping[Column, Callable[[bytes], object]] = {
    Column.ENVELOPE: lambda frame: frame[: frame.index(b"\0")],
    Column.HEADER_BLOCK: lambda frame: frame[frame.index(b"\0") + 1 :],
}
_OF_FORMS: Mapping[Column, Callable[[Forms], object]] = {
    Column.BODY: lambda forms: forms.body,
    Column.BODY_STRUCTURE: lambda forms: forms.body_structure,
    Column.PARTS: lambda forms: forms.parts,
    Column.PREVIEW: lambda forms: forms.preview.decode(),
    Column.SUBJECT: lambda forms: forms.subject.decode(),
    Column.BASE_SUBJECT: base_subject_of,
    Column.FROM: lambda forms: forms.from_.decode(),
    Column.TO: lambda forms: forms.to.decode(),
    Column.CC: lambda forms: forms.cc.decode(),
    Column.HEADER_ID: lambda forms: forms.header_id.decode(),
    Column.REFERENCES: references_of,
}


def read_columns(
    connection: Connection, mailbox_id: MailboxId, wanted: Sequence[Column], uids: NumSet, codec: Codec
) -> list[Row]:
    """(uid, then one value for each of `wanted`), by ascending UID."""
    sql = _select(tuple(wanted))
    rows = [row for first, last in uids.ranges for row in connection.rows(sql, (mailbox_id, first, last))]
    if not rows or all(column in _FACTS for column in wanted):
        return rows
    read = list(zip(*rows, strict=True))
    facts = [column for column in wanted if column in _FACTS]
    values: dict[Column, Sequence[Any]] = dict(zip(facts, read[1 : 1 + len(facts)], strict=True))
    frames = iter(read[1 + len(facts) :])
    if of_head := [column for column in wanted if column in _OF_HEAD]:
        heads = codec.decompress_each(next(frames), limit_bytes=MAX_FRAME_BYTES)
        values.update((column, _each(heads, _OF_HEAD[column])) for column in of_head)
    if of_forms := [column for column in wanted if column in _OF_FORMS]:
        forms = _each(codec.decompress_each(next(frames), limit_bytes=MAX_FRAME_BYTES), unpack_forms)
        values.update((column, _each(forms, _OF_FORMS[column])) for column in of_forms)
    return list(zip(read[0], *(values[column] for column in wanted), strict=True))


@lru_cache(maxsize=256)
def _select(wanted: tuple[Column, ...]) -> str:
    expressions = ["p.uid", *(_FACTS[column] for column in wanted if column in _FACTS)]
    tables = ["placement p"]
    if any(column in _OF_FORMS or _FACTS.get(column, "").startswith("m.") for column in wanted):
        tables.append("JOIN message m ON m.message_id = p.message_id")
    if any(column in _OF_HEAD for column in wanted):
        tables.append("JOIN head h ON h.message_id = p.message_id")
        expressions.append("h.frame")
    if any(column in _OF_FORMS for column in wanted):
        tables.append("JOIN blob b ON b.blob_key = m.blob_key")
        expressions.append("b.forms")
    return f"""SELECT {", ".join(expressions)} FROM {" ".join(tables)}
        WHERE p.mailbox_id = ? AND p.uid BETWEEN ? AND ? ORDER BY p.uid"""  # noqa: S608 - words of this module only


def _each(packed: Sequence[Any], unpack: Callable[[Any], Any]) -> list[Any]:
    """None for what is damaged."""
    try:
        return list(map(unpack, packed))
    except (AttributeError, TypeError, ValueError):
        return [_one(each, unpack) for each in packed]


def _one(packed: object, unpack: Callable[[Any], Any]) -> object:
    try:
        return None if packed is None else unpack(packed)
    except ValueError:
        return None
