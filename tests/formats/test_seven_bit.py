"""8-bit bodies become quoted-printable or base64, nothing else changes, and what that would break stays whole."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailstack.formats.content import decode_transfer, leaves
from mailstack.formats.limits import Limits
from mailstack.formats.mime import scan
from mailstack.formats.part_table import encoding_of
from mailstack.formats.seven_bit import in_7bit
from tests.support.mime_parts import MIME, TEXT, encoded, multipart


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"", b""),
        (b"a: b\r\n\r\nplain\r\n", b"a: b\r\n\r\nplain\r\n"),
        (
            MIME + TEXT + encoded(b"8bit") + b"\r\n\xc3\xa9\r\n",
            MIME + TEXT + encoded(b"quoted-printable") + b"\r\n=C3=A9\r\n",
        ),
        # RFC 2045 §6.1: no field says 7bit, which was not true
        (MIME + TEXT + b"\r\n\xe9", MIME + TEXT + encoded(b"quoted-printable") + b"\r\n=E9"),
        (
            MIME + b"Content-Type: image/png\r\n" + encoded(b"8bit") + b"X: y\r\n\r\n\x89PNG",
            MIME + b"Content-Type: image/png\r\n" + encoded(b"base64") + b"X: y\r\n\r\niVBORw==",
        ),
        # RFC 2045 §6.7, rule 3: white space at the end of a line does not survive as it is
        (
            MIME + TEXT + b"\r\n-- \r\n\xe9=\t\r\n",
            MIME + TEXT + encoded(b"quoted-printable") + b"\r\n--=20\r\n=E9=3D=09\r\n",
        ),
        # RFC 2045 §6.4: what holds parts says what they are
        (
            MIME + multipart(TEXT + b"\r\n\xe9", b"\r\nplain", more=encoded(b"8bit")),
            MIME + multipart(TEXT + encoded(b"quoted-printable") + b"\r\n=E9", b"\r\nplain", more=encoded(b"7bit")),
        ),
        (
            MIME + multipart(b"\r\n\xe9"),
            MIME + multipart(encoded(b"quoted-printable") + b"\r\n=E9"),
        ),
        (
            MIME + multipart(b"Content-Type: message/rfc822\r\n\r\n" + MIME + TEXT + b"\r\n\xe9"),
            MIME
            + multipart(
                b"Content-Type: message/rfc822\r\n\r\n" + MIME + TEXT + encoded(b"quoted-printable") + b"\r\n=E9"
            ),
        ),
    ],
)
def test_parts_are_encoded(raw: bytes, expected: bytes) -> None:
    assert in_7bit(raw) == expected


@pytest.mark.parametrize(
    "raw",
    [
        b"Subject: x\r\n\r\n\xe9\r\n",  # RFC 2045 §4: no MIME, no charset
        MIME + b"Subject: \xc3\xa9\r\n\r\nx\r\n",  # RFC 6532
        MIME + multipart(TEXT + b"\r\n\xe9", b"Content-Type: application/pgp-signature\r\n\r\nx", subtype=b"signed"),
        MIME + multipart(TEXT + b"\r\n\xe9", more=encoded(b"quoted-printable")),
        MIME + multipart(b"X: \xe9\r\n\r\nplain"),
        MIME + multipart(b"\r\nplain", preamble=b"\xe9\r\n"),
        MIME + multipart(b"\r\nplain") + b"\xe9\r\n",
        MIME + TEXT + encoded(b"base64") + b"\r\n\xe9\r\n",  # not what it says it is
        MIME + TEXT + encoded(b"x-own") + b"\r\n\xe9\r\n",
        MIME + TEXT + encoded(b"8bit") * 2 + b"\r\n\xe9\r\n",
        MIME + b"Content-Type: multipart/mixed\r\n\r\n\xe9\r\n",  # without a boundary
        MIME + b"Content-Type: message/partial; id=x\r\n\r\n\xe9\r\n",  # RFC 2046 §5.2.2.1: 7bit, always
        MIME + multipart(b"Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\n\xe9"),
    ],
)
def test_what_more_than_an_encoding_would_have_to_change_is_left(raw: bytes) -> None:
    assert in_7bit(raw) is None


def test_what_is_nested_too_deep_to_be_known_is_left() -> None:
    raw = MIME + multipart(TEXT + b"\r\n\xe9")
    assert in_7bit(raw, limits=Limits(depth=0)) is None


def test_no_soft_line_break_makes_a_boundary() -> None:
    body = b"\xe9" + b"x" * 72 + b"--b\r\n"
    raw = MIME + multipart(TEXT + b"\r\n" + body)
    lowered = in_7bit(raw)
    assert lowered is not None
    (part,) = leaves(scan(lowered))
    assert decode_transfer(lowered[part.body_start : part.body_end], encoding_of(part.encoding)) == body


LINES = st.lists(
    st.sampled_from(
        [b"\xe9", b"a" * 80, b" ", b"\t", b"\r\n", b"=", b"--", b".", b"From ", b"\n", b"\r", b"\0", b"y" * 1000]
    ),
    max_size=30,
)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(parts=LINES, media_type=st.sampled_from([b"text/plain", b"image/png"]))
def test_a_reader_reads_the_same_octets_in_short_lines(parts: list[bytes], media_type: bytes) -> None:
    body = b"\xe9" + b"".join(parts)
    lowered = in_7bit(MIME + b"Content-Type: " + media_type + b"\r\n" + encoded(b"8bit") + b"\r\n" + body)
    assert lowered is not None
    assert lowered.isascii()
    part = scan(lowered)
    assert decode_transfer(lowered[part.body_start :], encoding_of(part.encoding)) == body
    assert max(map(len, lowered.split(b"\r\n"))) <= 78
    assert not any(end in line for line in lowered.split(b"\r\n") for end in (b"\r", b"\n"))


@pytest.mark.parametrize("raw", [MIME + TEXT + b"\r\n" + b"\xe9" * 4_000_000, MIME + multipart(*[b"\r\n\xe9"] * 900)])
def test_large_ones_take_linear_time(raw: bytes) -> None:
    begun = time.process_time()
    assert in_7bit(raw) is not None
    assert time.process_time() - begun < 5
