"""Line ends: every one a CRLF afterwards, and nothing else changed."""

import mmap
import tempfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstack.model import line_ends
from mailstack.model.line_ends import has_bare_line_end, with_crlf

TEXTS = st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b"a", b"."]), max_size=30).map(b"".join)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"", b""),
        (b"a\r\nb\r\n", b"a\r\nb\r\n"),
        (b"a\nb\rc", b"a\r\nb\r\nc"),
        (b"\r\r\n\n\r", b"\r\n\r\n\r\n\r\n"),
    ],
)
def test_line_ends_become_crlf(text: bytes, expected: bytes) -> None:
    assert b"".join(with_crlf(text)) == expected
    assert has_bare_line_end(text) == (text != expected)


@given(text=TEXTS, piece=st.integers(1, 5))
def test_pieces_change_nothing(text: bytes, piece: int) -> None:
    expected = b"".join(with_crlf(text))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(line_ends, "PIECE_BYTES", piece)
        assert b"".join(with_crlf(text)) == expected
        assert not has_bare_line_end(expected)
        assert has_bare_line_end(text) == (text != expected)


def test_a_mapped_file_is_read_in_pieces() -> None:
    text = b"line\r\n" * 100_000 + b"bare\n"
    with tempfile.TemporaryFile() as file:
        file.write(text)
        file.flush()
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            assert has_bare_line_end(mapped)
            assert b"".join(with_crlf(mapped)) == text[:-1] + b"\r\n"
