"""How an object is laid out: frames of one mebibyte, each compressed for itself and with a checksum, and at the end a
table of them. A piece of a message is read by its frames alone, and `zstd -d` still reads the whole.

The layout is zstd's own "seekable format", version 0.1.0: a skippable frame that ends in the table's length.
"""

import struct
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mailstack.model.errors import Damaged
from mailstack.model.message import RawMessage
from mailstack.store.sql.compress import Codec

FRAME_BYTES = 1 << 20
MAX_FRAMES = 2_000
"""Of a message; the spec allows 1 GiB, which is 1024 of them."""

_HEAD = struct.Struct("<II")
"""Of the skippable frame: its magic number, and how many bytes follow."""
_ENTRY = struct.Struct("<II")
"""Of a frame: how long it is, and what it holds."""
_FOOT = struct.Struct("<IBI")
"""How many frames there are, a descriptor, the format's magic number."""
_SKIPPABLE_MAGIC = 0x184D2A5E
_SEEKABLE_MAGIC = 0x8F92EAB1
TABLE_BYTES = _HEAD.size + MAX_FRAMES * _ENTRY.size + _FOOT.size
"""So much of an object's end holds its table, however long it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frames:
    """starts: where each frame begins in the object, and at last where they end; plain_starts: the same of what they
    hold."""

    starts: Sequence[int]
    plain_starts: Sequence[int]

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def size_bytes(self) -> int:
        return self.plain_starts[-1]

    def of_range(self, start: int, stop: int) -> range:
        """The frames that hold octets [start, stop)."""
        stop = min(stop, self.size_bytes)
        if start >= stop:
            return range(0)
        return range(bisect_right(self.plain_starts, start) - 1, bisect_right(self.plain_starts, stop - 1))


def packed(raw: RawMessage, codec: Codec) -> Iterator[bytes]:
    """Frame after frame, so that a mapped file is never in memory as a whole; the table comes last."""
    table = []
    with memoryview(raw) as view:
        for start in range(0, len(view), FRAME_BYTES):
            with view[start : start + FRAME_BYTES] as chunk:
                frame = codec.compress_checked(chunk)
                table.append(_ENTRY.pack(len(frame), len(chunk)))
            yield frame
    foot = _FOOT.pack(len(table), 0, _SEEKABLE_MAGIC)
    yield _HEAD.pack(_SKIPPABLE_MAGIC, len(table) * _ENTRY.size + _FOOT.size) + b"".join(table) + foot


def read_table(end: bytes, *, object_bytes: int, size_bytes: int) -> Frames:
    """end: TABLE_BYTES of the object's end, or all of it; size_bytes: what it is to hold. Raises Damaged."""
    if len(end) < _HEAD.size + _FOOT.size:
        raise Damaged("it is too short to have a table of frames")
    count, descriptor, magic = _FOOT.unpack_from(end, len(end) - _FOOT.size)
    table_bytes = _HEAD.size + count * _ENTRY.size + _FOOT.size
    if magic != _SEEKABLE_MAGIC or descriptor or count > MAX_FRAMES or table_bytes > len(end):
        raise Damaged("it does not end in a table of frames")
    if _HEAD.unpack_from(end, len(end) - table_bytes) != (_SKIPPABLE_MAGIC, table_bytes - _HEAD.size):
        raise Damaged("its table of frames is damaged")
    first = len(end) - table_bytes + _HEAD.size
    frames = _numbered(_ENTRY.iter_unpack(end[first : first + count * _ENTRY.size]))
    if frames.starts[-1] != object_bytes - table_bytes or frames.size_bytes != size_bytes:
        raise Damaged("its table of frames is another's")
    return frames


def unpacked(frame: bytes, frames: Frames, number: int, codec: Codec) -> bytes:
    """Raises Damaged."""
    size_bytes = frames.plain_starts[number + 1] - frames.plain_starts[number]
    plain = codec.decompress(frame, limit_bytes=size_bytes)
    if len(plain) != size_bytes:
        raise Damaged("a compressed frame is shorter than it should be")
    return plain


def _numbered(table: Iterator[tuple[int, ...]]) -> Frames:
    starts, plain_starts = [0], [0]
    for length, size_bytes in table:
        if not 0 < size_bytes <= FRAME_BYTES:
            raise Damaged("its table of frames is damaged")
        starts.append(starts[-1] + length)
        plain_starts.append(plain_starts[-1] + size_bytes)
    return Frames(starts=starts, plain_starts=plain_starts)
