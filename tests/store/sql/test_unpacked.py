"""Pieces of large messages: few files stay open, and a damaged one is not given out."""

import random
from pathlib import Path

import pytest

from mailstack.model.errors import Damaged
from mailstack.store.sql.blobs import Blob
from mailstack.store.sql.unpacked import MAX_FILES, UnpackedFiles
from mailstack.store.sqlite.blobs import FolderBlobs

SIZE_BYTES = 100_000


def packed(blobs: FolderBlobs, holder: Path, seed: int) -> tuple[bytes, Blob]:
    raw = random.Random(seed).randbytes(SIZE_BYTES)
    return raw, blobs.pack(raw, holder)


def test_more_files_than_stay_open(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path)
    unpacked = UnpackedFiles(blobs)
    several = [packed(blobs, tmp_path / "own", seed) for seed in range(MAX_FILES + 2)]
    for _ in range(2):
        for raw, blob in several:
            assert unpacked.read(blob, tmp_path / "own", 70_000, 70_010, what="x") == raw[70_000:70_010]
    unpacked.close()


def test_a_file_that_was_read_once_is_read_without_its_frame(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path)
    unpacked = UnpackedFiles(blobs)
    raw, blob = packed(blobs, tmp_path / "own", 1)
    assert unpacked.read(blob, tmp_path / "own", 0, 10, what="x") == raw[:10]
    blobs.discard(tmp_path / "own", str(blob.file))
    assert unpacked.read(blob, tmp_path / "own", 90_000, SIZE_BYTES + 1, what="x") == raw[90_000:]
    unpacked.close()
    with pytest.raises(Damaged):
        unpacked.read(blob, tmp_path / "own", 0, 10, what="x")


def test_bytes_of_another_message_are_damaged(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path)
    _, one = packed(blobs, tmp_path / "own", 1)
    _, other = packed(blobs, tmp_path / "own", 2)
    (tmp_path / "own" / str(one.file)).write_bytes((tmp_path / "own" / str(other.file)).read_bytes())
    with pytest.raises(Damaged):
        UnpackedFiles(blobs).read(one, tmp_path / "own", 0, 10, what="x")
