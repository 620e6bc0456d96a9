"""What zlib's own streams say to ours, and a bomb in bounded steps."""

import random
import tracemalloc
import zlib

import pytest

from mailstack.net.deflation import Deflation
from tests.support.splitting import splits


@pytest.mark.parametrize("window", [-9, -15])
def test_what_a_client_deflates_is_read(window: int) -> None:
    data = random.Random(1).randbytes(2_000) + b"a NOOP\r\n" * 2_000
    client = zlib.compressobj(9, zlib.DEFLATED, window)
    for pieces in splits(client.compress(data) + client.flush(zlib.Z_SYNC_FLUSH), random_cuts=3):
        deflation, read = Deflation(), b""
        for piece in pieces:
            read += deflation.inflate(piece, 1_000)
            while deflation.may_have_more:
                read += deflation.inflate(b"", 1_000)
        assert read == data


def test_a_client_reads_all_that_was_written_at_once() -> None:
    deflation, client = Deflation(), zlib.decompressobj(-15)

    for chunks in ((b"* OK\r\n",), (b"a " * 10_000, b"b"), (b"",)):
        assert client.decompress(deflation.deflate(chunks)) == b"".join(chunks)


def test_a_bomb_swells_no_further_than_asked() -> None:
    bomb = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = bomb.compress(b"\0" * 64 * 1024 * 1024) + bomb.flush()
    deflation, total = Deflation(), 0
    tracemalloc.start()

    inflated = deflation.inflate(data, 65_536)
    while inflated:
        total += len(inflated)
        inflated = deflation.inflate(b"", 65_536)

    assert total == 64 * 1024 * 1024
    assert tracemalloc.get_traced_memory()[1] < 512 * 1024
    tracemalloc.stop()
    assert deflation.is_ended


def test_what_is_not_deflated_ends_the_connection() -> None:
    with pytest.raises(ConnectionAbortedError):
        Deflation().inflate(b"\xff\xff\xff\xff\xff", 1_000)
