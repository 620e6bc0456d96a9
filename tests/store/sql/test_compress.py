"""Frames that stay readable, from any thread."""

import hashlib
import random
from concurrent.futures import ThreadPoolExecutor

import pytest
import zstandard

from mailstack.model.errors import Damaged
from mailstack.store.sql.compress import CHUNK_BYTES, DICTIONARY, Codec
from tests.support.stores import raw_message

DICTIONARY_SHA256 = "0b5662e8fec2e05039401c994edf16472ced5d11a758ea78901b711a21d8a61a"


def test_the_dictionary_is_the_one_that_stored_frames_were_written_with() -> None:
    assert hashlib.sha256(DICTIONARY).hexdigest() == DICTIONARY_SHA256


@pytest.mark.parametrize("size_bytes", [0, 1, 500, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES])
def test_what_is_compressed_comes_back(size_bytes: int) -> None:
    codec = Codec()
    plain = random.Random(size_bytes).randbytes(size_bytes)
    assert codec.decompress(codec.compress(plain), limit_bytes=size_bytes) == plain
    assert codec.decompress(b"".join(codec.compress_stream(plain)), limit_bytes=size_bytes) == plain


@pytest.mark.parametrize("frame", [b"", b"x", Codec().compress(b"whole " * 100)[:-5]])
def test_what_is_no_frame_is_damaged(frame: bytes) -> None:
    with pytest.raises(Damaged):
        Codec().decompress(frame, limit_bytes=1_000)


def test_no_room_is_made_for_what_a_damaged_frame_says_that_it_holds() -> None:
    a_terabyte = zstandard.FRAME_HEADER + b"\xe0" + (1 << 40).to_bytes(8, "little") + b"\x01\x00\x00"
    with pytest.raises(Damaged, match=str(1 << 40)):
        Codec().decompress(a_terabyte, limit_bytes=5_000)


def test_one_codec_serves_many_threads_at_once() -> None:
    codec = Codec()
    messages = [raw_message(number, size_bytes=5_000) for number in range(400)]

    def there_and_back(raw: bytes) -> bytes:
        return codec.decompress(codec.compress(raw), limit_bytes=len(raw))

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(there_and_back, messages)) == messages
