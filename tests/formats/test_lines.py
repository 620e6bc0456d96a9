"""Binary parts become base64 or quoted-printable, nothing else changes, and what that would break stays whole."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailstack.formats.content import decode_transfer, leaves
from mailstack.formats.lines import in_lines
from mailstack.formats.mime import scan
from mailstack.formats.part_table import encoding_of
from tests.support.mime_parts import MIME, TEXT, encoded, multipart

IMAGE = b"Content-Type: image/png\r\n"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"a: b\r\n\r\nplain\r\n", b"a: b\r\n\r\nplain\r\n"),
        (MIME + TEXT + encoded(b"8bit") + b"\r\n\xe9\r\n", MIME + TEXT + encoded(b"8bit") + b"\r\n\xe9\r\n"),
        (
            MIME + IMAGE + encoded(b"binary") + b"\r\n\0\r\n\n",
            MIME + IMAGE + encoded(b"base64") + b"\r\nAA0KCg==",
        ),
        # RFC 2045 §6.2: its word goes where its octets would pass
        (MIME + TEXT + encoded(b"binary") + b"\r\nplain", MIME + TEXT + encoded(b"quoted-printable") + b"\r\nplain"),
        (
            MIME + multipart(IMAGE + encoded(b"binary") + b"\r\n\0\n", TEXT + b"\r\n\xe9", more=encoded(b"binary")),
            MIME + multipart(IMAGE + encoded(b"base64") + b"\r\nAAo=", TEXT + b"\r\n\xe9", more=encoded(b"8bit")),
        ),
        (
            MIME + multipart(b"\r\nplain", more=encoded(b"binary")),
            MIME + multipart(b"\r\nplain", more=encoded(b"8bit")),
        ),
        (
            MIME + multipart(b"Content-Type: message/rfc822\r\n\r\n" + MIME + IMAGE + encoded(b"binary") + b"\r\n\0"),
            MIME + multipart(b"Content-Type: message/rfc822\r\n\r\n" + MIME + IMAGE + encoded(b"base64") + b"\r\nAA=="),
        ),
    ],
)
def test_binary_parts_are_encoded(raw: bytes, expected: bytes) -> None:
    assert in_lines(raw) == expected


@pytest.mark.parametrize(
    "raw",
    [
        b"Subject: \0\r\n\r\nx\r\n",
        MIME + multipart(b"\r\nplain", preamble=b"a\nb\r\n"),
        MIME + multipart(b"X: \r\r\n\r\nplain"),
        MIME + multipart(IMAGE + encoded(b"binary") + b"\r\n\0", b"Content-Type: a/b\r\n\r\nx", subtype=b"signed"),
        MIME + multipart(TEXT + b"\r\n\0", more=encoded(b"base64")),
        MIME + IMAGE + encoded(b"x-own") + b"\r\n\0",
        MIME + b"Content-Type: multipart/mixed\r\n" + encoded(b"binary") + b"\r\n\0",  # without a boundary
        b"\r\n\xe9\n",  # RFC 2045 §4: no MIME, no charset
    ],
)
def test_what_more_than_an_encoding_would_have_to_change_is_left(raw: bytes) -> None:
    assert in_lines(raw) is None


@settings(max_examples=300, deadline=None, derandomize=True)
@given(body=st.binary(max_size=200), word=st.sampled_from([b"binary", b"8bit", b"7bit"]))
def test_a_reader_reads_the_same_octets_in_lines(body: bytes, word: bytes) -> None:
    lines = in_lines(MIME + multipart(IMAGE + encoded(word) + b"\r\n" + body, boundary=b"unlike-any"))
    assert lines is not None
    assert b"\0" not in lines
    assert lines.count(b"\r") == lines.count(b"\n") == lines.count(b"\r\n")
    (part,) = leaves(scan(lines))
    assert decode_transfer(lines[part.body_start : part.body_end], encoding_of(part.encoding)) == body


@pytest.mark.parametrize(
    "raw",
    [
        MIME + IMAGE + encoded(b"binary") + b"\r\n" + b"\0\n" * 4_000_000,
        MIME + IMAGE + encoded(b"binary") + b"\r\n" + (b"x" * 990 + b"\r\n") * 8_000,
        MIME + multipart(*[IMAGE + encoded(b"binary") + b"\r\n\0"] * 900),
    ],
)
def test_large_ones_take_linear_time(raw: bytes) -> None:
    begun = time.process_time()
    assert in_lines(raw) is not None
    assert time.process_time() - begun < 5
