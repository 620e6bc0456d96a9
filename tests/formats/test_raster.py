"""Pictures, known by their first octets."""

import pytest

from mailstack.formats.raster import HEAD_OCTETS, raster_type


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "image/png"),
        (b"\xff\xd8\xff\xdb", "image/jpeg"),
        (b"GIF87a\x01", "image/gif"),
        (b"GIF89a\x01", "image/gif"),
        (b"RIFF\x24\x00\x00\x00WEBPVP8L", "image/webp"),
        (b"\x00\x00\x00\x20ftypavif", "image/avif"),
        (b"\x00\x00\x00\x20ftypavis", "image/avif"),
        (b"\x00\x00\x00\x20ftypheic", ""),
        (b"\x00\x00\x00\x20ftypmp42", ""),
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", ""),
        (b"GIF88a", ""),
        (b"\x89PNG\n\x1a\n", ""),
        (b"\xff\xd8", ""),
        (b"BM6\x00", ""),
        (b"II*\x00", ""),
        (b"%PDF-1.7", ""),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", ""),
        (b"<?xml version='1.0'?><svg/>", ""),
        (b"<!doctype html>", ""),
        (b"\x1f\x8b\x08", ""),
        (b" GIF89a", ""),
        (b"", ""),
    ],
)
def test_type(head: bytes, expected: str) -> None:
    assert raster_type(head) == expected
    assert raster_type(head.ljust(HEAD_OCTETS, b"\0")[:HEAD_OCTETS]) == expected
