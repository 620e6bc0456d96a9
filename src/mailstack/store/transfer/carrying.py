"""The bytes of messages from one store to another: checked against their hash on the way, a few in memory at a time.

What cannot be read in the old store is named, and cannot be read in the new one either: its row goes on, so that
everything else of the message stays, and whoever opens it is told what the old store would have told.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from mailstack.model.errors import Damaged
from mailstack.model.ids import BlobId
from mailstack.store.sql.blobs import INLINE_LIMIT_BYTES, Blob, HeldBlobs
from mailstack.store.sql.database import Database, Row
from mailstack.store.transfer.pages import Loader
from mailstack.store.transfer.progress import Part
from mailstack.store.transfer.side import Holder
from mailstack.store.transfer.tables import PAGE_ROWS, Bearing

GROUP_BYTES = 8 << 20
"""Read together, unless a single message is larger."""
BELOW_ALL = -1
UNREADABLE = b""
"""In place of bytes that are not there at all: no frame, so every engine finds it damaged."""

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """One message whose bytes the old store does not have as they came. where: `message 12`, `queued mail 3`."""

    where: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Borne:
    """One row, and the bytes that it bears. is_sized: a message says how many they are; nobody reads the others."""

    row: Row
    blob: Blob
    where: str
    is_sized: bool

    @property
    def is_large(self) -> bool:
        return self.blob.content is None or self.blob.size_bytes > INLINE_LIMIT_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class _Carried:
    row: Row
    blob: Blob
    damage: Damage | None = None


async def carry(source: Holder, target: Holder, loader: Loader, bearing: Bearing, part: Part) -> list[Damage]:
    """Into the loader; gives what could not be read."""
    damage: list[Damage] = []
    async for group in _groups(source.database, bearing):
        carried = await _in_threads(partial(_carried, source.held, target.held), group)
        damage += [one.damage for one in carried if one.damage is not None]
        await loader.add(bearing.table.insert, [one.row for one in carried], [one.blob for one in carried])
        part.passed(len(group), _size_bytes(group))
    return damage


async def unreadable(holder: Holder, bearing: Bearing, part: Part) -> list[Damage]:
    """Of all that it holds."""
    damage: list[Damage] = []
    async for group in _groups(holder.database, bearing):
        read = await _in_threads(partial(_fault, holder.held), group)
        damage += [fault for fault in read if fault is not None]
        part.passed(len(group), _size_bytes(group))
    return damage


def _carried(source: HeldBlobs, target: HeldBlobs, one: _Borne) -> _Carried:
    blob, damage = one.blob, None
    try:
        if one.is_sized:
            plain = source.unpack(blob, what=one.where)
            # A small frame is the same everywhere.
            blob = target.pack(plain) if one.is_large else blob
    except Damaged as fault:
        damage = Damage(where=one.where, text=fault.detail)
    if damage is not None or not one.is_sized:
        blob = replace(blob, content=blob.content or UNREADABLE, file=None)
    return _Carried(row=(*one.row[:-2], blob.content, blob.file), blob=blob, damage=damage)


def _fault(held: HeldBlobs, one: _Borne) -> Damage | None:
    try:
        if one.is_sized:
            held.unpack(one.blob, what=one.where)
    except Damaged as fault:
        return Damage(where=one.where, text=fault.detail)
    return None


async def _in_threads(work: Callable[[_Borne], Result], group: Sequence[_Borne]) -> list[Result]:
    """The small ones in one thread; each of the large ones, which may wait for a bucket, in its own. In any order."""
    small = [one for one in group if not one.is_large]
    large = (asyncio.to_thread(work, one) for one in group if one.is_large)
    alone = asyncio.gather(*large)
    together = await asyncio.to_thread(lambda: [work(one) for one in small])
    return [*together, *await alone]


async def _groups(database: Database, bearing: Bearing) -> AsyncIterator[list[_Borne]]:
    outline = await database.rows(bearing.outline, (BELOW_ALL,))
    while outline:
        sizes: dict[int, int | None] = dict(outline)
        for first, last in _stretches(outline):
            rows = await database.rows(bearing.stretch, (first, last))
            yield [_borne(row, sizes[row[0]], bearing) for row in rows]
        outline = await database.rows(bearing.outline, (outline[-1][0],)) if len(outline) == PAGE_ROWS else []


def _stretches(outline: Sequence[Row]) -> list[tuple[int, int]]:
    """First and last key of each group."""
    found: list[tuple[int, int]] = []
    held_bytes = GROUP_BYTES + 1
    for key, size_bytes in outline:
        held_bytes += size_bytes or 0
        if held_bytes > GROUP_BYTES:
            found.append((key, key))
            held_bytes = size_bytes or 0
        found[-1] = (found[-1][0], key)
    return found


def _size_bytes(group: Sequence[_Borne]) -> int:
    return sum(one.blob.size_bytes for one in group)


def _borne(row: Row, size_bytes: int | None, bearing: Bearing) -> _Borne:
    blob_id = row[bearing.table.columns.index("blob_id")]
    return _Borne(
        row=row,
        blob=Blob(blob_id=BlobId(blob_id.hex()), size_bytes=size_bytes or 0, content=row[-2], file=row[-1]),
        where=f"{bearing.what} {row[0]}",
        is_sized=size_bytes is not None,
    )
