"""Content on the wire: what goes in comes out, and nothing in it can end the data early."""

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailstack.model import line_ends
from mailstack.wire.smtp import content as content_module
from mailstack.wire.smtp.content import write_chunks, write_content

PARTS = st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b".", b"..", b"a", b"\r\n.\r\n", b"\x80"]), max_size=40)


def written(message: bytes) -> bytes:
    return b"".join(write_content(message))


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (b"", b".\r\n"),
        (b"a\r\n", b"a\r\n.\r\n"),
        (b"a", b"a\r\n.\r\n"),
        (b".a\r\n", b"..a\r\n.\r\n"),  # RFC 5321 §4.5.2
        (b".\r\n", b"..\r\n.\r\n"),
        (b"a\r\n.\r\nb\r\n", b"a\r\n..\r\nb\r\n.\r\n"),
        (b"a.b\r\n", b"a.b\r\n.\r\n"),
        (b"a\n.\nb\n", b"a\r\n..\r\nb\r\n.\r\n"),  # CVE-2023-51764 and its kin
        (b"a\r.\rb\r", b"a\r\n..\r\nb\r\n.\r\n"),  # CVE-2026-33604
        (b"a\r\n.\rMAIL FROM:<x@y>\r\n", b"a\r\n..\r\nMAIL FROM:<x@y>\r\n.\r\n"),
        (b"a\n\r.\r\nb", b"a\r\n\r\n..\r\nb\r\n.\r\n"),
        (b"a\r\r\nb", b"a\r\n\r\nb\r\n.\r\n"),
    ],
)
def test_content(message: bytes, expected: bytes) -> None:
    assert expected == written(message)


def read_back(wire: bytes) -> bytes:
    """What a receiver makes of it, by the letter of RFC 5321 §4.5.2, line by line."""
    lines = wire.split(b"\r\n")
    assert lines[-2:] == [b".", b""]
    assert b"." not in lines[:-2]
    return b"".join(line.removeprefix(b".") + b"\r\n" for line in lines[:-2])


@settings(max_examples=500, deadline=None, derandomize=True)
@given(parts=PARTS, piece=st.integers(min_value=1, max_value=9))
def test_stuffing_is_undone_by_the_receiver_whatever_the_pieces(parts: list[bytes], piece: int) -> None:
    message = b"".join(parts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(line_ends, "PIECE_BYTES", piece)
        wire = written(message)
    assert wire == written(message)
    normal = re.sub(rb"\r\n|\r|\n", b"\r\n", message)
    assert read_back(wire) == (normal if normal.endswith(b"\r\n") or not normal else normal + b"\r\n")


@settings(max_examples=500, deadline=None, derandomize=True)
@given(parts=PARTS)
def test_no_line_end_of_any_taste_makes_an_early_end_of_data(parts: list[bytes]) -> None:
    wire = written(b"".join(parts))
    body = wire.removesuffix(b".\r\n")
    assert not re.search(rb"(?:^|[\r\n])\.(?:\r|\n|\Z)", body)
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n", wire)


@pytest.mark.parametrize("message", [b"\r" * 4_000_000, b"\r\n.\r\n" * 800_000, b"." * 4_000_000])
def test_hostile_content_takes_linear_time(message: bytes) -> None:
    begun = time.process_time()
    for _ in write_content(message):
        pass
    assert time.process_time() - begun < 5


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (b"", [(b"", True)]),
        (b"a\r\n.\r\n", [(b"a\r\n.\r\n", True)]),  # no octet in a chunk ends it: dots stay as they are
        (b"a\n.\rb", [(b"a\r\n.\r\nb", True)]),
    ],
)
def test_chunks_of_text(message: bytes, expected: list[tuple[bytes, bool]]) -> None:
    assert expected == list(write_chunks(message, is_binary=False))


@settings(max_examples=300, deadline=None, derandomize=True)
@given(parts=PARTS, piece=st.integers(min_value=1, max_value=9), is_binary=st.booleans())
def test_chunks_together_are_the_message(parts: list[bytes], piece: int, *, is_binary: bool) -> None:
    message = b"".join(parts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(line_ends, "PIECE_BYTES", piece)
        patch.setattr(content_module, "CHUNK_BYTES", piece)
        chunks = list(write_chunks(message, is_binary=is_binary))
    assert [is_last for _, is_last in chunks] == [False] * (len(chunks) - 1) + [True]
    # RFC 3030 §3: what a part holds is no line; text that a peer may send on by DATA has CRLF alone.
    assert b"".join(chunk for chunk, _ in chunks) == (
        message if is_binary else re.sub(rb"\r\n|\r|\n", b"\r\n", message)
    )
