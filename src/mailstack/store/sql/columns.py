"""Chosen facts of many messages of one mailbox: ports.messages.columns on SQLite.

A message costs a microsecond or two, so what is done for all of them is done column by column.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import orjson

from mailstack.model.ids import MailboxId
from mailstack.model.message import Column
from mailstack.model.numset import NumSet
from mailstack.store.sql.compress import Codec
from mailstack.store.sql.database import Connection, Row
from mailstack.store.sql.listing import MAX_FRAME_BYTES, Forms, base_subject_of, references_of, unpack_forms
from mailstack.store.sql.packs import PACKED, WORTH_IT, read_packed
from mailstack.store.sql.ranges import answers

PAGE = 20
"""Up to so many messages, all that is asked for comes in one row for each: that is one question, needs no snapshot, and
costs no more than whole blocks do."""
MANY = 16
"""From so many messages on, one row that SQLite joins costs less than a row for each."""
FORMS = """SELECT m.message_id, b.forms FROM json_each(?) AS asked CROSS JOIN message m
    JOIN blob b ON /*of b*/ b.blob_key = m.blob_key WHERE /*of m*/ m.message_id = asked.value"""

_FACTS: Mapping[Column, str] = {
    Column.MESSAGE_ID: "p.message_id",
    Column.SAVED_AT: "p.saved_at",
    Column.EMAIL_ID: "m.blob_key",
    Column.THREAD_ID: "m.thread_id",
    Column.SIZE_BYTES: "m.size_bytes",
    Column.RECEIVED_AT: "m.received_at",
    Column.SENT_AT: "m.sent_at",
}
_FORMS: Mapping[Column, Callable[[Forms], object]] = {
    Column.ENVELOPE: lambda forms: forms.envelope,
    Column.HEADER_BLOCK: lambda forms: forms.header_block,
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
    facts = tuple(column for column in wanted if column in _FACTS)
    if len(facts) == len(wanted):
        return list(zip(*_read_facts(connection, mailbox_id, facts, uids), strict=True))
    forms = [column for column in wanted if column in _FORMS]
    if uids.count() <= PAGE:
        return _read_page(connection, mailbox_id, wanted, uids, codec)
    # What is expunged between the two reads would seem damaged.
    with connection.snapshot():
        found, message_ids, *read = _read_facts(connection, mailbox_id, (Column.MESSAGE_ID, *facts), uids)
        values: dict[Column, Sequence[Any]] = dict(zip(facts, read, strict=True))
        values.update(_read_forms(connection, message_ids, forms, codec))
    return list(zip(found, *(values[column] for column in wanted), strict=True))


def _read_page(
    connection: Connection, mailbox_id: MailboxId, wanted: Sequence[Column], uids: NumSet, codec: Codec
) -> list[Row]:
    facts = tuple(column for column in wanted if column in _FACTS)
    sql = _page_select(facts)
    rows = [row for found in answers(connection, [(sql, (mailbox_id, *each)) for each in uids.ranges]) for row in found]
    if not rows:
        return []
    numbers, *read, frames = zip(*rows, strict=True)
    values: dict[Column, Sequence[Any]] = dict(zip(facts, read, strict=True))
    each_forms = [_forms(frame) for frame in codec.decompress_each(frames, limit_bytes=MAX_FRAME_BYTES)]
    for column in wanted:
        if column in _FORMS:
            pick = _FORMS[column]
            values[column] = [None if forms is None else _picked(forms, pick) for forms in each_forms]
    return list(zip(numbers, *(values[column] for column in wanted), strict=True))


def _read_facts(
    connection: Connection, mailbox_id: MailboxId, facts: tuple[Column, ...], uids: NumSet
) -> list[Sequence[Any]]:
    """The UIDs, then a column for each of `facts`."""
    joined, plain = _selects(facts)
    columns: list[list[Any]] = [[] for _ in range(1 + len(facts))]
    questions = [(plain if last - first < MANY else joined, (mailbox_id, first, last)) for first, last in uids.ranges]
    for (sql, _), rows in zip(questions, answers(connection, questions), strict=True):
        parts: Sequence[Sequence[Any]]
        parts = list(zip(*rows, strict=True)) if sql is plain else [orjson.loads(text) for text in rows[0]]
        for column, part in zip(columns, parts, strict=False):
            column += part
    return [*columns]


@lru_cache(maxsize=256)
def _selects(facts: tuple[Column, ...]) -> tuple[str, str]:
    """As one row of JSON lists, and as rows."""
    names = [f"c{number}" for number in range(1 + len(facts))]
    expressions = ["p.uid", *(_FACTS[column] for column in facts)]
    needs_message = any(expression.startswith("m.") for expression in expressions)
    join = " JOIN message m ON /*of m*/ m.message_id = p.message_id" if needs_message else ""
    columns = ", ".join(f"{expression} AS {name}" for expression, name in zip(expressions, names, strict=True))
    plain = f"""SELECT {columns} FROM placement p{join}
        WHERE /*of p*/ p.mailbox_id = ? AND p.uid BETWEEN ? AND ? ORDER BY p.uid"""  # noqa: S608 - words of this module only
    lists = ", ".join(f"json_group_array({name})" for name in names)
    return f"SELECT {lists} FROM ({plain}) AS listed", plain  # noqa: S608


@lru_cache(maxsize=256)
def _page_select(facts: tuple[Column, ...]) -> str:
    columns = ", ".join(["p.uid", *(_FACTS[column] for column in facts), "b.forms"])
    return f"""SELECT {columns} FROM placement p JOIN message m ON /*of m*/ m.message_id = p.message_id
        JOIN blob b ON /*of b*/ b.blob_key = m.blob_key
        WHERE /*of p*/ p.mailbox_id = ? AND p.uid BETWEEN ? AND ? ORDER BY p.uid"""  # noqa: S608 - as above


def _read_forms(
    connection: Connection, message_ids: Sequence[int], wanted: Sequence[Column], codec: Codec
) -> dict[Column, list[Any]]:
    """None for what is damaged."""
    if len(message_ids) >= WORTH_IT and PACKED.issuperset(wanted):
        packed = read_packed(connection, message_ids, wanted, codec)
        values = {column: list(map(packed[column].get, message_ids)) for column in wanted}
        alone = sorted({place for column in values.values() for place in _missing(column)})
    else:
        values = {column: [None] * len(message_ids) for column in wanted}
        alone = list(range(len(message_ids)))
    if alone:
        forms = _unpacked(connection, [message_ids[place] for place in alone], codec)
        for column, some in values.items():
            pick = _FORMS[column]
            for place, each in zip(alone, forms, strict=True):
                some[place] = None if each is None else _picked(each, pick)
    return values


def _missing(values: Sequence[object]) -> Sequence[int]:
    return [place for place, value in enumerate(values) if value is None] if None in values else ()


def _unpacked(connection: Connection, message_ids: Sequence[int], codec: Codec) -> list[Forms | None]:
    rows = connection.rows(FORMS, (orjson.dumps(message_ids).decode(),))
    frames = codec.decompress_each([frame for _, frame in rows], limit_bytes=MAX_FRAME_BYTES)
    found = {message_id: _forms(frame) for (message_id, _), frame in zip(rows, frames, strict=True)}
    return [found.get(message_id) for message_id in message_ids]


def _forms(frame: bytes | None) -> Forms | None:
    try:
        return None if frame is None else unpack_forms(frame)
    except ValueError:
        return None


def _picked(forms: Forms, pick: Callable[[Forms], object]) -> object:
    try:
        return pick(forms)
    except ValueError:
        return None
