"""Finding in a mapped file gives what bytes.find gives, across the edges of its windows too."""

import mmap
import tempfile
from collections.abc import Iterator

import pytest

from mailstack.formats.octets import count_lines, find

RAW = b"x" * ((1 << 20) - 2) + b"\nab\n" + b"y" * (1 << 20) + b"\nab"


@pytest.fixture
def mapped() -> Iterator[mmap.mmap]:
    with tempfile.TemporaryFile() as file:
        file.write(RAW)
        file.flush()
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as found:
            yield found


@pytest.mark.parametrize("needle", [b"\nab", b"ab\n", b"x", b"y", b"zz", b"\nab\ny"])
@pytest.mark.parametrize(("start", "end"), [(0, len(RAW)), (5, 100), ((1 << 20) - 1, len(RAW)), (0, 1 << 20), (9, 2)])
def test_find(mapped: mmap.mmap, needle: bytes, start: int, end: int) -> None:
    assert find(mapped, needle, start, end) == RAW.find(needle, start, end)


def test_lines_are_counted(mapped: mmap.mmap) -> None:
    assert count_lines(mapped, 0, len(RAW)) == count_lines(RAW, 0, len(RAW)) == 3
