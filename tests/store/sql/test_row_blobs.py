"""The bytes of messages in their rows, large ones too."""

import random
from pathlib import Path

import pytest

from mailstack.model.errors import Damaged
from mailstack.model.ids import AccountId
from mailstack.store.sql.blobs import INLINE_LIMIT_BYTES, Blob
from mailstack.store.sql.row_blobs import RowBlobs

LARGE = random.Random(3).randbytes(3 * INLINE_LIMIT_BYTES)


@pytest.mark.parametrize("raw", [b"From: a@example.com\r\n\r\ntext", LARGE], ids=["small", "large"])
def test_all_of_it_is_in_the_row(tmp_path: Path, raw: bytes) -> None:
    blobs = RowBlobs(tmp_path)
    held = blobs.of_account(AccountId("a"))
    blob = held.pack(raw)
    assert blob.file is None
    assert blobs.of_queue().unpack(blob, what="x") == raw
    assert b"".join(held.read_range(blob, at, at + 1_000, what="x") for at in range(0, len(raw), 1_000)) == raw
    blobs.close()
    assert list(tmp_path.iterdir()) == []


def test_damage_is_named(tmp_path: Path) -> None:
    blobs = RowBlobs(tmp_path)
    blob = blobs.pack(LARGE)
    assert blob.content is not None
    damaged = Blob(blob_id=blob.blob_id, size_bytes=blob.size_bytes, content=blob.content[:-9], file=None)
    with pytest.raises(Damaged, match="message 7"):
        blobs.unpack(damaged, what="message 7")
    with pytest.raises(Damaged, match="message 7"):
        blobs.read_range(damaged, 0, 10, what="message 7")
