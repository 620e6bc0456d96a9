"""Large messages in a bucket: shared by their hash, read by pieces, and checked whenever they are read."""

import mmap
import random
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import obstore
import pytest
import zstandard

from mailstack.model.errors import Damaged
from mailstack.model.ids import AccountId
from mailstack.store.s3.blobs import S3Blobs
from mailstack.store.s3.bucket import Bucket, BucketAddress
from mailstack.store.s3.frames import FRAME_BYTES, packed
from mailstack.store.sql.blobs import INLINE_LIMIT_BYTES, Blob
from mailstack.store.sql.compress import Codec
from tests.support.counting_proxy import Passed, counting_proxy

MIB = 1 << 20
SMALL = b"From: a@example.com\r\n\r\ntext"
LARGE = random.Random(1).randbytes(INLINE_LIMIT_BYTES + 1)
LONG = random.Random(2).randbytes(12 * MIB) + b"text " * (5 * MIB)
"""Over one part when it is compressed, and of as many frames as are fetched at once, four times."""


@pytest.fixture
def blobs(bucket: Bucket) -> S3Blobs:
    return S3Blobs(bucket)


@pytest.fixture
def passed(address: BucketAddress) -> Iterator[Passed]:
    with counting_proxy(address.endpoint) as proxy:
        yield proxy


def names(bucket: Bucket) -> list[str]:
    return [each.name for page in bucket.listed() for each in page]


def test_small_ones_stay_in_the_row(blobs: S3Blobs, bucket: Bucket) -> None:
    blob = blobs.of_account(AccountId("a")).pack(SMALL)
    assert blob.file is None
    assert blobs.of_account(AccountId("b")).unpack(blob, what="x") == SMALL
    assert blobs.read_range(blob, 6, 7, what="x") == b"a"
    assert names(bucket) == []


@pytest.mark.parametrize("raw", [LARGE, LONG], ids=["one request", "in parts"])
def test_large_ones_are_objects(blobs: S3Blobs, bucket: Bucket, raw: bytes) -> None:
    blob = blobs.of_queue().pack(raw)
    assert blob.content is None
    assert blob.file == f"{blob.blob_id}.zst"
    assert names(bucket) == [blob.file]
    assert blobs.is_there(blob.file)
    assert blobs.unpack(blob, what="x") == raw


def test_the_same_bytes_are_one_object(blobs: S3Blobs, bucket: Bucket) -> None:
    first, second = blobs.pack(LARGE), S3Blobs(bucket).pack(LARGE)
    assert first == second
    assert len(names(bucket)) == 1


def test_discarding_leaves_it_to_the_collector(blobs: S3Blobs) -> None:
    blob = blobs.pack(LARGE)
    blobs.discard(str(blob.file))
    assert blobs.unpack(blob, what="x") == LARGE


@pytest.mark.parametrize("seed", range(5))
def test_pieces(blobs: S3Blobs, seed: int) -> None:
    blob = blobs.pack(LONG)
    chance = random.Random(seed)
    for _ in range(20):
        start = chance.randrange(len(LONG) + 10)
        stop = start + chance.choice([0, 1, 4096, MIB, 3 * MIB])
        assert blobs.read_range(blob, start, stop, what="x") == LONG[start:stop]


def test_a_small_piece_of_a_large_message_fetches_little(
    blobs: S3Blobs, address: BucketAddress, passed: Passed
) -> None:
    blob = blobs.pack(LONG)
    reader = S3Blobs(Bucket(replace(address, endpoint=passed.url)))
    assert reader.read_range(blob, 5 * MIB, 5 * MIB + 4096, what="x") == LONG[5 * MIB : 5 * MIB + 4096]
    assert len(passed.requests) == 2  # the table, and a frame
    assert passed.octets < 1.1 * FRAME_BYTES


def test_piece_after_piece_costs_no_more_than_the_whole(blobs: S3Blobs, address: BucketAddress, passed: Passed) -> None:
    blob = blobs.pack(LONG)
    reader = S3Blobs(Bucket(replace(address, endpoint=passed.url)))
    step = 200_000
    pieces = [reader.read_range(blob, start, start + step, what="x") for start in range(0, len(LONG), step)]
    assert b"".join(pieces) == LONG
    assert passed.octets < 13 * MIB


def test_an_object_of_one_frame_is_read_with_one_request(
    blobs: S3Blobs, address: BucketAddress, passed: Passed
) -> None:
    blob = blobs.pack(LARGE)
    reader = S3Blobs(Bucket(replace(address, endpoint=passed.url)))
    assert reader.unpack(blob, what="x") == LARGE
    assert len(passed.requests) == 1


def test_a_mapped_file_is_never_in_memory_as_a_whole(blobs: S3Blobs, tmp_path: Path) -> None:
    (tmp_path / "raw").write_bytes(random.Random(3).randbytes(50 * MIB))
    with (tmp_path / "raw").open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as raw:
        tracemalloc.start()
        blob = blobs.pack(raw)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 30 * MIB
        assert blobs.read_range(blob, 49 * MIB, 50 * MIB, what="x") == raw[49 * MIB :]


def test_a_missing_object_is_damaged_and_named(blobs: S3Blobs, bucket: Bucket) -> None:
    blob = blobs.pack(LARGE)
    bucket.delete([str(blob.file)])
    fresh = S3Blobs(bucket)
    assert not fresh.is_there(str(blob.file))
    for read in (fresh.unpack, lambda blob, what: fresh.read_range(blob, 0, 10, what=what)):
        with pytest.raises(
            Damaged, match=r"message 7: .*\.zst cannot be read: it is gone from bucket mail-\d+ at http"
        ):
            read(blob, what="message 7")


@pytest.mark.parametrize("damage", [b"1", b"no frames at all", b"another's"])
def test_a_damaged_object_is_named(blobs: S3Blobs, bucket: Bucket, damage: bytes) -> None:
    blob = blobs.pack(LARGE)
    if damage == b"another's":
        other = blobs.pack(LARGE[::-1])
        damage = bucket.end(str(other.file), MIB)[0]
    overwrite(bucket, blob, damage)
    fresh = S3Blobs(bucket)
    with pytest.raises(Damaged, match="message 7"):
        fresh.unpack(blob, what="message 7")


def test_a_flipped_bit_is_found_in_pieces_too(blobs: S3Blobs, bucket: Bucket) -> None:
    blob = blobs.pack(LONG)
    content = bytearray(bucket.end(str(blob.file), 20 * MIB)[0])
    content[3 * MIB] ^= 1
    overwrite(bucket, blob, bytes(content))
    fresh = S3Blobs(bucket)
    assert fresh.read_range(blob, 0, 10, what="x") == LONG[:10]
    with pytest.raises(Damaged, match="message 7"):
        fresh.read_range(blob, 3 * MIB - 5, 3 * MIB + 5, what="message 7")
    with pytest.raises(Damaged, match="message 7"):
        fresh.unpack(blob, what="message 7")


def test_an_object_that_another_compressor_put_anew_is_read(blobs: S3Blobs, bucket: Bucket) -> None:
    """The bytes are the same, and lie elsewhere in it than the remembered table says."""
    blob = blobs.pack(LONG)
    assert blobs.read_range(blob, 0, 10, what="x") == LONG[:10]
    overwrite(bucket, blob, otherwise_packed())
    assert blobs.read_range(blob, 9 * MIB, 9 * MIB + 10, what="x") == LONG[9 * MIB : 9 * MIB + 10]


def overwrite(bucket: Bucket, blob: Blob, content: bytes) -> None:
    obstore.put(bucket._store, f"blobs/{str(blob.file)[:2]}/{blob.file}", content)


def otherwise_packed() -> bytes:
    codec = Codec()
    codec._coders.checked_compressor = zstandard.ZstdCompressor(level=-5, write_checksum=True)
    return b"".join(packed(LONG, codec))
