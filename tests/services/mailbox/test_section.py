"""BODY[section]: the numbering of RFC 9051 §6.4.5.1 on its own example, and what exists nowhere."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailstack.formats.digest import digest_message
from mailstack.formats.part_table import TransferEncoding
from mailstack.model.errors import Unsupported
from mailstack.model.section import Partial, Section, SectionText
from mailstack.services.mailbox.section import (
    decoded_section,
    header_selector,
    partial_range,
    read_section,
    section_encoding,
    section_range,
    select_fields,
)

INNER_HEADER = b"Subject: inner\r\nContent-Type: multipart/alternative; boundary=in\r\n\r\n"
INNER_BODY = b"--in\r\n\r\n4.2.1\r\n--in\r\nContent-Type: text/html\r\n\r\n4.2.2\r\n--in--\r\n"
FORWARD_MIME = b"Content-Type: message/rfc822\r\n\r\n"
LEAF_HEADER = b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n"
HEADER = (
    b"From: a@b\r\nSubject: outer\r\n folded\r\nTO: c@d\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: multipart/mixed; boundary=out\r\n\r\n"
)
BODY = (
    b"--out\r\n"
    + LEAF_HEADER
    + b"aGVsbG8=\r\n--out\r\n"
    + FORWARD_MIME
    + INNER_HEADER
    + INNER_BODY
    + b"\r\n--out\r\n"
    + FORWARD_MIME
    + b"Subject: single\r\n\r\n3.1\r\n--out--\r\n"
)
RAW = HEADER + BODY
PARTS = digest_message(RAW).parts
SINGLE = b"Subject: s\r\n\r\nbody\r\n"
T = SectionText


def read(raw: bytes, *part: int, text: SectionText = T.WHOLE, fields: tuple[str, ...] = ()) -> bytes | None:
    return read_section(raw, digest_message(raw).parts, Section(part=part, text=text, fields=fields))


@pytest.mark.parametrize(
    ("part", "text", "expected"),
    [
        ((), T.WHOLE, RAW),
        ((), T.HEADER, HEADER),
        ((), T.TEXT, BODY),
        ((), T.MIME, None),
        ((1,), T.WHOLE, b"aGVsbG8="),
        ((1,), T.MIME, LEAF_HEADER),
        ((1,), T.HEADER, None),
        ((1,), T.TEXT, None),
        ((1, 1), T.WHOLE, None),
        ((2,), T.WHOLE, INNER_HEADER + INNER_BODY),
        ((2,), T.MIME, FORWARD_MIME),
        ((2,), T.HEADER, INNER_HEADER),
        ((2,), T.TEXT, INNER_BODY),
        ((2, 1), T.WHOLE, b"4.2.1"),
        ((2, 2), T.WHOLE, b"4.2.2"),
        ((2, 2), T.MIME, b"Content-Type: text/html\r\n\r\n"),
        ((2, 3), T.WHOLE, None),
        ((2, 2, 1), T.WHOLE, None),
        ((3,), T.HEADER, b"Subject: single\r\n\r\n"),
        ((3, 1), T.WHOLE, b"3.1"),
        ((3, 1), T.MIME, b"Subject: single\r\n\r\n"),
        ((3, 2), T.WHOLE, None),
        ((4,), T.WHOLE, None),
        ((0,), T.WHOLE, None),
    ],
)
def test_sections(part: tuple[int, ...], text: SectionText, expected: bytes | None) -> None:
    assert read_section(RAW, PARTS, Section(part=part, text=text)) == expected


def test_a_message_that_is_no_multipart_has_one_part() -> None:
    # RFC 9051 §6.4.5.1: every message has at least one part number.
    assert read(SINGLE, 1) == b"body\r\n"
    assert read(SINGLE, 1, text=T.MIME) == b"Subject: s\r\n\r\n"
    assert read(SINGLE, 1, text=T.HEADER) is None
    assert read(SINGLE, 2) is None
    assert read(SINGLE, 1, 1) is None


def test_a_message_that_only_holds_another() -> None:
    raw = b"Content-Type: message/rfc822\r\n\r\n" + SINGLE
    assert read(raw, 1) == SINGLE
    assert read(raw, 1, text=T.TEXT) == b"body\r\n"
    assert read(raw, 1, 1) == b"body\r\n"
    assert read(raw, 1, 1, 1) is None


@pytest.mark.parametrize(
    ("part", "text", "fields", "expected"),
    [
        ((), T.HEADER_FIELDS, ("subject", "To"), b"Subject: outer\r\n folded\r\nTO: c@d\r\n\r\n"),
        ((), T.HEADER_FIELDS, ("X-None",), b"\r\n"),
        ((), T.HEADER_FIELDS, ("\u00fc",), b"\r\n"),
        ((), T.HEADER_FIELDS_NOT, ("Subject", "MIME-Version", "content-type"), b"From: a@b\r\nTO: c@d\r\n\r\n"),
        ((3,), T.HEADER_FIELDS, ("SUBJECT",), b"Subject: single\r\n\r\n"),
        ((1,), T.HEADER_FIELDS, ("Subject",), None),
        ((9,), T.HEADER_FIELDS, ("Subject",), None),
    ],
)
def test_header_fields(
    part: tuple[int, ...], text: SectionText, fields: tuple[str, ...], expected: bytes | None
) -> None:
    assert read(RAW, *part, text=text, fields=fields) == expected


def test_fields_of_a_header_without_an_end_are_whole_lines() -> None:
    assert read(b"Subject: s", text=T.HEADER_FIELDS, fields=("Subject",)) == b"Subject: s\r\n\r\n"


@pytest.mark.parametrize(
    ("offset", "count", "expected"),
    [(0, 3, b"bod"), (2, 100, b"dy\r\n"), (6, 5, b""), (100, 5, b""), (0, 0, b"")],
)
def test_partials_end_with_the_section(offset: int, count: int, expected: bytes) -> None:
    parts = digest_message(SINGLE).parts
    partial = Partial(offset=offset, count=count)
    assert read_section(SINGLE, parts, Section(part=(1,)), partial) == expected


def test_partials_of_header_fields() -> None:
    section = Section(text=T.HEADER_FIELDS, fields=("Subject",))
    assert read_section(SINGLE, digest_message(SINGLE).parts, section, Partial(offset=2, count=4)) == b"bjec"


def test_ranges_are_those_that_are_read() -> None:
    assert section_range(len(RAW), PARTS, Section()) == (0, len(RAW))
    assert section_range(len(RAW), PARTS, Section(text=T.TEXT)) == (len(HEADER), len(RAW))
    assert section_range(len(RAW), PARTS, Section(part=(9,))) is None


@pytest.mark.parametrize(
    ("part", "expected"),
    [((1,), b"hello"), ((2, 1), b"4.2.1"), ((2,), INNER_HEADER + INNER_BODY), ((), RAW)],
)
def test_binary_sections_are_decoded(part: tuple[int, ...], expected: bytes) -> None:
    section = Section(part=part)
    octets = read_section(RAW, PARTS, section)
    assert octets is not None
    assert decoded_section(octets, section_encoding(PARTS, section)) == expected


def test_a_part_that_is_not_there_has_no_encoding() -> None:
    assert section_encoding(PARTS, Section(part=(9,))) is TransferEncoding.IDENTITY


def test_an_unknown_encoding_is_reported() -> None:
    raw = b"Content-Transfer-Encoding: x-own\r\n\r\nx"
    encoding = section_encoding(digest_message(raw).parts, Section(part=(1,)))
    with pytest.raises(Unsupported):
        decoded_section(b"x", encoding)


def test_part_of_a_section_by_its_place() -> None:
    assert partial_range(len(RAW), PARTS, Section(part=(1,)), Partial(offset=2, count=100)) == (
        len(HEADER) + len(b"--out\r\n") + len(LEAF_HEADER) + 2,
        len(HEADER) + len(b"--out\r\n") + len(LEAF_HEADER) + 8,
    )
    assert partial_range(len(RAW), PARTS, Section(part=(9,)), Partial(offset=2, count=100)) is None


def test_all_but_the_fields_named() -> None:
    section = Section(text=T.HEADER_FIELDS_NOT, fields=("From", "content-type", "to"))
    assert select_fields(HEADER, section) == b"Subject: outer\r\n folded\r\nMIME-Version: 1.0\r\n\r\n"


NAMES = ["Subject", "From", "TO", "content-type", "Date"]


@settings(derandomize=True)
@given(st.sets(st.sampled_from(NAMES)).map(sorted).map(tuple), st.permutations(range(6)), st.booleans())
def test_often_asked_fields_are_the_same_without_the_message(
    names: tuple[str, ...], order: list[int], is_ended: bool
) -> None:
    lines = [b"From: a\r\n", b"subject: x\r\n\ty\r\n", b"Received: no\r\n", b"To : z\r\n", b"junk\r\n", b"Date:\r\n"]
    raw = b"".join(lines[at] for at in order) + (b"\r\nFrom: body\r\n" if is_ended else b"")
    digest = digest_message(raw)
    select = header_selector(names)
    assert select is not None
    expected = read_section(raw, digest.parts, Section(text=T.HEADER_FIELDS, fields=names))
    assert select(digest.header_block) == expected


def test_rarely_asked_fields_need_the_message() -> None:
    assert header_selector(("From", "Received")) is None
