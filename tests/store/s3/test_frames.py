"""The layout of objects: any piece by its frames alone, nothing but the message's own bytes, and readable by zstd."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailstack.model.errors import Damaged
from mailstack.store.s3.frames import FRAME_BYTES, TABLE_BYTES, Frames, packed, read_table, unpacked
from mailstack.store.sql.compress import Codec

CODEC = Codec()
RAW = random.Random(5).randbytes(FRAME_BYTES) + b"text " * FRAME_BYTES + b"the end"
OBJECT = b"".join(packed(RAW, CODEC))


def table_of(stored: bytes, size_bytes: int = len(RAW)) -> Frames:
    return read_table(stored[-TABLE_BYTES:], object_bytes=len(stored), size_bytes=size_bytes)


def piece(stored: bytes, frames: Frames, start: int, stop: int) -> bytes:
    numbers = frames.of_range(start, stop)
    plain = b"".join(
        unpacked(stored[frames.starts[number] : frames.starts[number + 1]], frames, number, CODEC) for number in numbers
    )
    before = frames.plain_starts[numbers[0]] if numbers else 0
    return plain[start - before : stop - before] if numbers else b""


FRAMES = table_of(OBJECT)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(RAW) + 9), st.integers(0, 2 * FRAME_BYTES))
def test_any_piece(start: int, length: int) -> None:
    assert piece(OBJECT, FRAMES, start, start + length) == RAW[start : start + length]


@pytest.mark.parametrize("start", [0, 1, FRAME_BYTES - 1, FRAME_BYTES, 5 * FRAME_BYTES, len(RAW) - 1])
def test_a_small_piece_needs_one_frame(start: int) -> None:
    assert len(FRAMES.of_range(start, start + 1)) == 1


def test_a_piece_past_the_end_needs_none() -> None:
    assert len(FRAMES.of_range(len(RAW), len(RAW) + 5)) == 0
    assert len(FRAMES.of_range(7, 7)) == 0


def test_frames_are_all_that_there_is() -> None:
    assert len(FRAMES) == 7
    assert FRAMES.size_bytes == len(RAW)


def test_zstd_reads_the_whole() -> None:
    zstandard = pytest.importorskip("zstandard")
    reader = zstandard.ZstdDecompressor().stream_reader(OBJECT, read_across_frames=True)
    assert reader.read() == RAW


@pytest.mark.parametrize(
    "stored",
    [
        b"",
        b"x" * 16,
        OBJECT[:-1],
        OBJECT + b"\0",
        OBJECT[1:],
        OBJECT[:-5] + b"\x80" + OBJECT[-4:],
        OBJECT[:-9] + b"\xff\xff\xff\x7f" + OBJECT[-5:],
        OBJECT[:-9] + b"\x06\0\0\0" + OBJECT[-5:],
        OBJECT[: -9 - 8] + b"\xff\xff\xff\xff" * 2 + OBJECT[-9:],
        OBJECT[: -9 - 4] + b"\0\0\0\0" + OBJECT[-9:],
        b"".join(packed(RAW[:-1], CODEC)),
    ],
    ids=["empty", "short", "cut", "longer", "shifted", "checksums", "endless", "fewer", "huge", "nothing", "another"],
)
def test_a_damaged_table(stored: bytes) -> None:
    with pytest.raises(Damaged):
        table_of(stored)


def test_a_damaged_frame() -> None:
    for place in (0, 100, FRAMES.starts[1] - 1):
        changed = bytearray(OBJECT)
        changed[place] ^= 0x40
        with pytest.raises(Damaged):
            piece(bytes(changed), FRAMES, 10, 20)


def test_a_frame_of_another_length() -> None:
    with pytest.raises(Damaged):
        unpacked(CODEC.compress_checked(memoryview(b"short")), FRAMES, 0, CODEC)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60), st.integers(0, 100), st.integers(0, 100))
def test_any_bytes_are_a_table_or_damaged(end: bytes, object_bytes: int, size_bytes: int) -> None:
    try:
        read_table(end, object_bytes=object_bytes, size_bytes=size_bytes)
    except Damaged:
        pass
