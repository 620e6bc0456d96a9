"""Chosen facts of many messages of one mailbox, read in one statement: ports.messages.columns on SQLite.

A message costs a microsecond or two, so what is done for all of them is done column by column.
"""

import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mailstack.model.ids import MailboxId
from mailstack.model.message import Column
from mailstack.model.numset import NumSet
from mailstack.store.sqlite.compress import Codec
from mailstack.store.sqlite.connection import Connection, Row
from mailstack.store.sqlite.listing import (
    MAX_FRAME_BYTES,
    Forms,
    Head,
    base_subject_of,
    references_of,
    unpack_forms,
    unpack_head,
)

_FACTS: Mapping[Column, str] = {
    Column.MESSAGE_ID: "p.message_id",
    Column.SAVED_AT: "p.saved_at",
    Column.THREAD_ID: "m.thread_id",
    Column.SIZE_BYTES: "m.size_bytes",
    Column.RECEIVED_AT: "m.received_at",
    Column.SENT_AT: "m.sent_at",
}
_OF_HEAD: Mapping[Column, Callable[[Head], object]] = {
    Column.HEADER_BLOCK: lambda head: head.header_block,
    Column.ENVELOPE: lambda head: head.envelope,
    Column.SUBJECT: lambda head: head.subject.decode(),
    Column.BASE_SUBJECT: base_subject_of,
    Column.FROM: lambda head: head.from_.decode(),
    Column.TO: lambda head: head.to.decode(),
    Column.CC: lambda head: head.cc.decode(),
    Column.HEADER_ID: lambda head: head.header_id.decode(),
    Column.REFERENCES: references_of,
}
_OF_FORMS: Mapping[Column, Callable[[Forms], object]] = {
    Column.BODY: lambda forms: forms.body,
    Column.BODY_STRUCTURE: lambda forms: forms.body_structure,
    Column.PARTS: lambda forms: forms.parts,
    Column.PREVIEW: lambda forms: forms.preview.decode(),
}
_LENGTH = struct.Struct(">I")


def read_columns(
    connection: Connection, mailbox_id: MailboxId, wanted: Sequence[Column], uids: NumSet, codec: Codec
) -> list[Row]:
    """(uid, then one value for each of `wanted`), by ascending UID."""
    sql = _select(wanted)
    rows = [row for first, last in uids.ranges for row in connection.rows(sql, (mailbox_id, first, last))]
    if not rows or all(column in _FACTS for column in wanted):
        return rows
    read = list(zip(*rows, strict=True))
    facts = [column for column in wanted if column in _FACTS]
    values: dict[Column, Sequence[Any]] = dict(zip(facts, read[1 : 1 + len(facts)], strict=True))
    frames = iter(read[1 + len(facts) :])
    if of_head := [column for column in wanted if column in _OF_HEAD]:
        values.update(_from_heads(codec.decompress_each(next(frames), limit_bytes=MAX_FRAME_BYTES), of_head))
    if of_forms := [column for column in wanted if column in _OF_FORMS]:
        forms = [_opened(one, unpack_forms) for one in codec.decompress_each(next(frames), limit_bytes=MAX_FRAME_BYTES)]
        values.update((column, _each(forms, _OF_FORMS[column])) for column in of_forms)
    return list(zip(read[0], *(values[column] for column in wanted), strict=True))


def _select(wanted: Sequence[Column]) -> str:
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


def _from_heads(frames: Sequence[bytes | None], wanted: Sequence[Column]) -> dict[Column, Sequence[object]]:
    if wanted == [Column.ENVELOPE]:
        return {Column.ENVELOPE: [_opened(frame, _envelope) for frame in frames]}
    if wanted == [Column.HEADER_BLOCK]:
        return {Column.HEADER_BLOCK: [_opened(frame, _header_block) for frame in frames]}
    heads = [_opened(frame, unpack_head) for frame in frames]
    return {column: _each(heads, _OF_HEAD[column]) for column in wanted}


def _envelope(frame: bytes) -> bytes:
    start = 4 + _LENGTH.unpack_from(frame)[0]
    return frame[start : frame.index(b"\0", start)]


def _header_block(frame: bytes) -> bytes:
    return frame[4 : 4 + _LENGTH.unpack_from(frame)[0]]


def _opened(frame: bytes | None, unpack: Callable[[bytes], Any]) -> Any:  # noqa: ANN401 - what unpack gives, or None
    if frame is None:
        return None
    try:
        return unpack(frame)
    except (struct.error, TypeError, ValueError):
        return None


def _each(unpacked: Sequence[Any], value: Callable[[Any], object]) -> list[object]:
    return [None if one is None else _opened(one, value) for one in unpacked]
