"""Lines of over 998 octets are encoded, nothing else changes, and what that would break stays whole."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailstack.formats.content import decode_transfer, leaves
from mailstack.formats.mime import scan
from mailstack.formats.part_table import encoding_of
from mailstack.formats.short_lines import has_long_line, in_short_lines
from tests.support.mime_parts import MIME, TEXT, encoded, multipart

LONG = b"x" * 999
QUOTED = b"\r\n".join([b"x" * 75 + b"="] * 13 + [b"x" * 24])


def content(raw: bytes) -> list[bytes]:
    return [
        decode_transfer(raw[part.body_start : part.body_end], encoding_of(part.encoding)) for part in leaves(scan(raw))
    ]


@pytest.mark.parametrize(
    ("raw", "is_long"),
    [
        (b"", False),
        (b"a: b\r\n\r\n" + LONG, True),
        (b"a: b\r\n\r\n" + LONG[1:] + b"\r\n" + LONG[1:] + b"\r\n", False),
        (b"a: b\r\n\r\nshort\r\n" + LONG + b"\r\n", True),
        (LONG, True),
    ],
)
def test_a_line_has_998_octets_at_most(raw: bytes, is_long: bool) -> None:
    assert has_long_line(raw) is is_long


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"a: b\r\n\r\nplain\r\n", b"a: b\r\n\r\nplain\r\n"),
        (MIME + TEXT + b"\r\n\xc3\xa9\r\n", MIME + TEXT + b"\r\n\xc3\xa9\r\n"),
        # RFC 2045 §4: what is no MIME is made so; §5.2: as plain US-ASCII, which it was
        (b"a: b\r\n\r\n" + LONG, b"a: b\r\n" + MIME + encoded(b"quoted-printable") + b"\r\n" + QUOTED),
        (
            MIME + encoded(b"7bit") + TEXT + b"\r\n" + LONG,
            MIME + encoded(b"quoted-printable") + TEXT + b"\r\n" + QUOTED,
        ),
        # only the part that has one; of a multipart of 8 bits it is still true
        (
            MIME + multipart(TEXT + b"\r\n\xe9", TEXT + b"\r\n" + LONG, more=encoded(b"8bit")),
            MIME
            + multipart(
                TEXT + b"\r\n\xe9", TEXT + encoded(b"quoted-printable") + b"\r\n" + QUOTED, more=encoded(b"8bit")
            ),
        ),
        (
            multipart(b"\r\n" + LONG),
            multipart(encoded(b"quoted-printable") + b"\r\n" + QUOTED, more=MIME),
        ),
        # a part that is signed, beside one that has the line
        (
            MIME + multipart(b"\r\n" + LONG, multipart(b"\r\nx", subtype=b"signed", boundary=b"c")),
            MIME
            + multipart(
                encoded(b"quoted-printable") + b"\r\n" + QUOTED,
                multipart(b"\r\nx", subtype=b"signed", boundary=b"c"),
            ),
        ),
        # RFC 2045 §6.8: base64 needs but line breaks
        (
            MIME + encoded(b"base64") + b"\r\n" + b"YWJj" * 250 + b"\r\nYWJj\r\n",
            MIME + encoded(b"base64") + b"\r\n" + (b"YWJj" * 19 + b"\r\n") * 13 + b"YWJj" * 3 + b"\r\nYWJj\r\n",
        ),
    ],
)
def test_parts_are_encoded(raw: bytes, expected: bytes) -> None:
    assert in_short_lines(raw) == expected


@pytest.mark.parametrize(
    "body",
    [b"=3D" * 400, b"a=\r\n" + b"=C3=A9x" * 200 + b" \r\n\r\n", b"= \r\n" + LONG + b"=", b"x" * 74 + b" \t" * 500],
)
def test_quoted_printable_in_long_lines_is_read_as_before(body: bytes) -> None:
    raw = MIME + TEXT + encoded(b"quoted-printable") + b"\r\n" + body
    short = in_short_lines(raw)
    assert short is not None
    assert content(short) == content(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b"Subject: x\r\n\r\n\xe9" + LONG,  # RFC 2045 §4: no MIME, no charset
        b"Subject: " + LONG + b"\r\n\r\n",
        LONG,
        MIME + multipart(b"\r\n" + LONG, b"Content-Type: application/pgp-signature\r\n\r\nx", subtype=b"signed"),
        MIME + multipart(b"\r\nVersion: 1", b"\r\n" + LONG, subtype=b"encrypted"),
        MIME + multipart(b"\r\n" + LONG, more=encoded(b"base64")),
        MIME + multipart(b"X: " + LONG + b"\r\n\r\nplain"),
        MIME + multipart(b"\r\nplain", preamble=LONG + b"\r\n"),
        MIME + multipart(b"\r\nplain") + LONG,
        MIME + encoded(b"base64") + b"\r\n" + b"YWJj" * 250 + b"-",  # not what it says it is
        MIME + encoded(b"quoted-printable") + b"\r\n=x" + LONG,
        MIME + encoded(b"quoted-printable") + b"\r\n\xe9" + LONG,
        MIME + encoded(b"x-own") + b"\r\n" + LONG,
        MIME + encoded(b"8bit") * 2 + b"\r\n" + LONG,
        MIME + b"Content-Type: multipart/mixed\r\n\r\n" + LONG,  # without a boundary
        MIME + b"Content-Type: message/partial; id=x\r\n\r\n" + LONG,
    ],
)
def test_what_more_than_an_encoding_would_have_to_change_is_left(raw: bytes) -> None:
    assert in_short_lines(raw) is None


PIECES = st.lists(
    st.sampled_from([b"\xe9", b"=3D", b" ", b"\t", b"\r\n", b"=", b"--", b".", b"From ", b"\0", b"y" * 1000, b"YQ=="]),
    max_size=30,
)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(
    pieces=PIECES,
    media_type=st.sampled_from([b"text/plain", b"image/png"]),
    encoding=st.sampled_from([b"7bit", b"8bit", b"base64", b"quoted-printable"]),
)
def test_a_reader_reads_the_same_octets_in_short_lines(pieces: list[bytes], media_type: bytes, encoding: bytes) -> None:
    raw = MIME + b"Content-Type: " + media_type + b"\r\n" + encoded(encoding) + b"\r\n" + LONG + b"".join(pieces)
    short = in_short_lines(raw)
    assert (short is not None) or encoding in (b"base64", b"quoted-printable")
    if short is not None:
        assert content(short) == content(raw)
        assert max(map(len, short.split(b"\r\n"))) <= 78


@pytest.mark.parametrize(
    "raw",
    [
        MIME + TEXT + b"\r\n" + b"x" * 4_000_000,
        MIME + TEXT + b"\r\n" + (b"x" * 998 + b"\r\n") * 4_000 + LONG,
        MIME + encoded(b"base64") + b"\r\n" + b"YWJj" * 1_000_000,
        MIME + encoded(b"quoted-printable") + b"\r\n" + (b" \t" * 500 + b"=3D") * 4_000,
        MIME + multipart(*[b"\r\n" + LONG] * 900),
    ],
)
def test_large_ones_take_linear_time(raw: bytes) -> None:
    begun = time.process_time()
    assert in_short_lines(raw) is not None
    assert time.process_time() - begun < 5
