"""RFC 5322 §2.2, §3.6.8: fields with their ranges, whatever the bytes."""

import mmap
import tempfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailstack.formats.headers import (
    every,
    first,
    header_end,
    kept_header,
    prepend,
    remove_fields,
    scan_fields,
    unfold,
)
from mailstack.formats.limits import Limits

MESSAGE = (
    b"Received: from a\r\n\tby b; now\r\n"
    b"From: Alice <a@example.org>\r\n"
    b"received : from c\r\n"
    b"Subject: a\r\n  folded\r\n\tone\r\n"
    b"\r\n"
    b"Body: none\r\n"
)


@pytest.mark.parametrize(
    ("raw", "end"),
    [
        (b"", 0),
        (b"\r\n", 2),
        (b"\nbody", 1),
        (b"A: b\r\n\r\nbody", 8),
        (b"A: b\n\nbody\r\n\r\n", 6),
        (b"A: b\n\r\nbody", 7),
        (b"A: b\r\n\nbody", 7),
        (b"A: b\r\nC: d\r\n", 12),  # no empty line: all is header
        (b"A: b", 4),
    ],
)
def test_body_begins_after_the_first_empty_line(raw: bytes, end: int) -> None:
    assert header_end(raw) == end


def test_header_end_stays_inside_its_range() -> None:
    raw = b"--x\r\nA: b\r\n--x\r\n\r\n"
    assert header_end(raw, 5, 11) == 11


def test_fields_have_names_values_and_ranges() -> None:
    fields = scan_fields(MESSAGE)
    assert [field.name for field in fields] == [b"received", b"from", b"received", b"subject"]
    assert b"".join(MESSAGE[field.start : field.end] for field in fields) + b"\r\nBody: none\r\n" == MESSAGE
    assert first(fields, b"subject") == b"a  folded\tone"
    assert every(fields, b"received") == [b"from a\tby b; now", b"from c"]
    assert first(fields, b"cc") is None


@pytest.mark.parametrize(
    ("raw", "names"),
    [
        (b"From someone Mon Jan 1\r\nA: b\r\n\r\n", [b"a"]),  # an mbox line is no field
        (b"no colon here\r\nA: b\r\n\r\n", [b"a"]),
        (b" begins folded\r\nA: b\r\n\r\n", [b"a"]),
        (b": empty name\r\nA: b\r\n\r\n", [b"a"]),
        (b"A\x80: b\r\nC:\r\n\r\n", [b"c"]),
        (b"A: b\nC: d\n e\n\n", [b"a", b"c"]),
        (b"A: \x00\x01\r\n\r\n", [b"a"]),
        (b"A: unended", [b"a"]),
    ],
)
def test_lines_that_are_no_field_are_passed_over(raw: bytes, names: list[bytes]) -> None:
    assert [field.name for field in scan_fields(raw)] == names


def test_unfolding_takes_off_line_breaks_and_the_space_around() -> None:
    assert unfold(b" a\r\n b\n\tc \r") == b"a b\tc"


def test_removing_takes_every_field_of_the_name_and_nothing_else() -> None:
    kept = b"From: Alice <a@example.org>\r\nSubject: a\r\n  folded\r\n\tone\r\n\r\n"
    assert kept_header(MESSAGE, {b"received"}) == kept
    assert remove_fields(MESSAGE, {b"received"}) == kept + b"Body: none\r\n"
    assert remove_fields(MESSAGE, set()) == MESSAGE


def test_prepending_keeps_the_message() -> None:
    assert prepend(b"\r\nbody", b"A: b\r\n") == b"A: b\r\n\r\nbody"


def test_limits_bound_fields_and_octets() -> None:
    raw = b"A: b\r\n" * 50 + b"\r\n"
    assert len(scan_fields(raw, limits=Limits(header_fields=7))) == 7
    cut = scan_fields(raw, limits=Limits(header=15))
    assert [(field.start, field.end) for field in cut] == [(0, 6), (6, 12), (12, 15)]


def test_a_mapped_file_reads_as_bytes_do() -> None:
    with tempfile.TemporaryFile() as file:
        file.write(MESSAGE)
        file.flush()
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            assert scan_fields(mapped) == scan_fields(MESSAGE)
            assert header_end(mapped) == header_end(MESSAGE)
            assert remove_fields(mapped, {b"from"}) == remove_fields(MESSAGE, {b"from"})


@settings(derandomize=True, max_examples=300)
@given(st.lists(st.sampled_from([b"A", b":", b"\r\n", b"\n", b" ", b"\t", b"x", b"\x00", b"\xff", b"B: c\r\n"])))
def test_long_headers_are_read_as_short_ones(pieces: list[bytes]) -> None:
    block = b"".join([*pieces, b"\n"])
    short = scan_fields(block, 0, len(block))
    longer = block + b"P: q\r\n" * 300
    assert scan_fields(longer, 0, len(longer))[: len(short)] == short
    assert len(scan_fields(longer, 0, len(longer))) == len(short) + 300


@settings(derandomize=True, max_examples=300)
@given(st.lists(st.sampled_from([b"A", b":", b"\r\n", b"\n", b" ", b"\t", b"x", b"\x00", b"\xff", b"B: c\r\n"])))
def test_ranges_lie_in_the_header_in_order(pieces: list[bytes]) -> None:
    raw = b"".join(pieces)
    end = header_end(raw)
    at = 0
    for field in scan_fields(raw):
        assert at <= field.start < field.end <= end
        assert raw[field.start : field.end].lower().startswith(field.name)
        assert b"\n" not in unfold(field.value)
        at = field.end
    assert remove_fields(raw, {b"zz"}) == raw
