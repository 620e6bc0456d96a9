"""Pieces of large messages: few files stay open, and a damaged one is not given out."""

import random
from pathlib import Path

import pytest

from mailstack.model.errors import Damaged
from mailstack.store.sql.blobs import Blob
from mailstack.store.sql.unpacked import MAX_FILES
from mailstack.store.sqlite.blobs import FolderBlobs, HeldFiles

SIZE_BYTES = 100_000


def packed(held: HeldFiles, seed: int) -> tuple[bytes, Blob]:
    raw = random.Random(seed).randbytes(SIZE_BYTES)
    return raw, held.pack(raw)


def test_more_files_than_stay_open(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path)
    held = blobs.at(tmp_path / "own")
    several = [packed(held, seed) for seed in range(MAX_FILES + 2)]
    for _ in range(2):
        for raw, blob in several:
            assert held.read_range(blob, 70_000, 70_010, what="x") == raw[70_000:70_010]
    blobs.close()


def test_a_file_that_was_read_once_is_read_without_its_frame(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path)
    held = blobs.at(tmp_path / "own")
    raw, blob = packed(held, 1)
    assert held.read_range(blob, 0, 10, what="x") == raw[:10]
    held.discard(str(blob.file))
    assert held.read_range(blob, 90_000, SIZE_BYTES + 1, what="x") == raw[90_000:]
    blobs.close()
    with pytest.raises(Damaged):
        held.read_range(blob, 0, 10, what="x")


def test_bytes_of_another_message_are_damaged(tmp_path: Path) -> None:
    held = FolderBlobs(tmp_path).at(tmp_path / "own")
    _, one = packed(held, 1)
    _, other = packed(held, 2)
    (tmp_path / "own" / str(one.file)).write_bytes((tmp_path / "own" / str(other.file)).read_bytes())
    with pytest.raises(Damaged):
        held.read_range(one, 0, 10, what="x")
