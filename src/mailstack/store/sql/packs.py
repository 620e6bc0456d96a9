"""What lists show of messages, 64 of them in one frame: a tenth of the room that each alone takes, and opened at once.

Derived from the forms that lie beside the bytes, which stay: made when the index has passed a block of messages, made
anew when some of it are gone, and never missed where it lacks a message.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from mailstack.model.errors import Damaged
from mailstack.model.message import Column
from mailstack.store.sql.compress import Codec
from mailstack.store.sql.database import Connection, Transaction
from mailstack.store.sql.listing import MAX_FRAME_BYTES, Forms, base_subject_of, unpack_forms

BLOCK_BITS = 6
BLOCK = 1 << BLOCK_BITS
"""Messages whose numbers differ in the lowest bits only are of one block."""
WORTH_IT = 8
"""So many messages of a block cost more one by one than the whole of it."""

FORMS_IN_BLOCK = """SELECT m.message_id, b.forms FROM message m JOIN blob b ON /*of b*/ b.blob_key = m.blob_key
    WHERE /*of m*/ m.message_id BETWEEN ? AND ?"""
PUT = """INSERT INTO head_pack (/*key*/ block, messages, envelopes, header_blocks, structures, words)
    VALUES (/*value*/ ?, ?, ?, ?, ?, ?)
    ON CONFLICT (/*key*/ block) DO UPDATE SET messages = excluded.messages, envelopes = excluded.envelopes,
        header_blocks = excluded.header_blocks, structures = excluded.structures, words = excluded.words"""
DROP = "DELETE FROM head_pack WHERE /*of*/ block = ?"
DROP_ALL = "DELETE FROM head_pack /*whole*/"
OUTDATED = f"""SELECT block FROM head_pack WHERE /*of*/ messages <> (SELECT COUNT(*) FROM message
    WHERE /*of*/ message_id BETWEEN block * {BLOCK} AND block * {BLOCK} + {BLOCK - 1})"""  # noqa: S608 - numbers of this module

_FRAMES: Mapping[Column, str] = {
    Column.ENVELOPE: "envelopes",
    Column.HEADER_BLOCK: "header_blocks",
    Column.BODY_STRUCTURE: "structures",
}
_WORDS = (Column.SUBJECT, Column.BASE_SUBJECT, Column.FROM, Column.TO, Column.CC, Column.HEADER_ID, Column.REFERENCES)
PACKED = frozenset(_FRAMES) | frozenset(_WORDS)


def pack_heads(transaction: Transaction, codec: Codec, *, after: int, up_to: int) -> None:
    """The blocks that became whole when the index went on from one message to another."""
    for block in range((after + 1) >> BLOCK_BITS, (up_to + 1) >> BLOCK_BITS):
        _pack(transaction, codec, block)


def repack_heads(transaction: Transaction, codec: Codec) -> None:
    """What is gone leaves them."""
    for (block,) in transaction.rows(OUTDATED):
        _pack(transaction, codec, block)


def read_packed(
    connection: Connection, message_ids: Sequence[int], wanted: Sequence[Column], codec: Codec
) -> dict[Column, dict[int, Any]]:
    """wanted: of PACKED. Messages are missing, or None, where they have to be read one by one."""
    found: dict[Column, dict[int, Any]] = {column: {} for column in wanted}
    counts = Counter([message_id >> BLOCK_BITS for message_id in message_ids])
    blocks = [block for block, count in counts.items() if count >= WORTH_IT]
    if not blocks:
        return found
    names = list(dict.fromkeys(_FRAMES.get(column, "words") for column in wanted))
    sql = f"""SELECT block, {", ".join(names)} FROM head_pack
        WHERE /*of*/ block IN (SELECT value FROM json_each(?) AS listed)"""  # noqa: S608
    numbers, *frames = [*zip(*connection.rows(sql, (orjson.dumps(blocks).decode(),)), strict=True)] or [()]
    for name, packed in zip(names, frames, strict=False):
        for block, frame in zip(numbers, codec.decompress_each(packed, limit_bytes=MAX_FRAME_BYTES), strict=True):
            if frame is not None:
                _open(frame, range(block * BLOCK, (block + 1) * BLOCK), name, found)
    return found


def _open(frame: bytes, message_ids: range, name: str, found: dict[Column, dict[int, Any]]) -> None:
    if name != "words":
        column = next(column for column, its in _FRAMES.items() if its == name)
        octets = frame.split(b"\0")
        if len(octets) == BLOCK:
            found[column].update(zip(message_ids, octets if b"" not in octets else _or_none(octets), strict=True))
        return
    words = frame.decode("utf-8", "replace").split("\0")
    if len(words) != BLOCK * (1 + len(_WORDS)):
        return
    is_there = words[:BLOCK]
    for place, column in enumerate(_WORDS, start=1):
        if column not in found:
            continue
        values: Sequence[Any] = words[place * BLOCK : (place + 1) * BLOCK]
        if column is Column.REFERENCES:
            values = [tuple(text.split(" ")) if text else () for text in values]
        if "" in is_there:
            values = [value if there else None for value, there in zip(values, is_there, strict=True)]
        found[column].update(zip(message_ids, values, strict=True))


def _or_none(octets: Sequence[bytes]) -> list[bytes | None]:
    return [each or None for each in octets]


def _pack(transaction: Transaction, codec: Codec, block: int) -> None:
    rows = transaction.rows(FORMS_IN_BLOCK, (block * BLOCK, (block + 1) * BLOCK - 1))
    if not rows:
        transaction.run(DROP, (block,))
        return
    places: list[Forms | None] = [None] * BLOCK
    for message_id, packed in rows:
        try:
            places[message_id % BLOCK] = unpack_forms(codec.decompress(packed, limit_bytes=MAX_FRAME_BYTES))
        except (Damaged, ValueError):
            continue  # it is read alone, and found damaged there
    envelopes = _joined(places, lambda forms: forms.envelope)
    header_blocks = _joined(places, lambda forms: forms.header_block)
    structures = _joined(places, lambda forms: forms.body_structure)
    frames = [codec.compress(frame) for frame in (envelopes, header_blocks, structures, _joined_words(places))]
    transaction.run(PUT, (block, len(rows), *frames))


def _joined(places: Sequence[Forms | None], pick: Callable[[Forms], bytes]) -> bytes:
    """What has a NUL in it stays out: a stranger's header field may."""
    octets = [b"" if forms is None else pick(forms) for forms in places]
    return b"\0".join(b"" if b"\0" in each else each for each in octets)


def _joined_words(places: Sequence[Forms | None]) -> bytes:
    """Field by field, after one that says whose words are there."""
    rows = [(b"",) * (1 + len(_WORDS)) if forms is None else _words(forms) for forms in places]
    return b"\0".join(word for column in zip(*rows, strict=True) for word in column)


def _words(forms: Forms) -> tuple[bytes, ...]:
    base_subject = base_subject_of(forms).encode()
    return (b"1", forms.subject, base_subject, forms.from_, forms.to, forms.cc, forms.header_id, forms.references)
