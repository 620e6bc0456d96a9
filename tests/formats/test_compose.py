"""Fields we write: folded, and nobody's value can begin another field."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailstack.formats.compose import write_date, write_field, write_message_id, write_text_field
from mailstack.formats.headers import scan_fields, unfold
from mailstack.formats.words import decode_words
from mailstack.model.errors import Invalid
from mailstack.model.instant import Instant


def test_usual_fields() -> None:
    assert write_date(Instant(880127706000)) == b"Date: Fri, 21 Nov 1997 15:55:06 +0000\r\n"
    assert write_message_id("x1", "mail.example.com") == b"Message-ID: <x1@mail.example.com>\r\n"
    assert write_text_field("Subject", "Grüße") == b"Subject: =?utf-8?b?R3LDvMOfZQ==?=\r\n"
    assert write_field("X-Empty", "") == b"X-Empty:\r\n"


def test_long_values_are_folded_at_spaces() -> None:
    written = write_field("References", " ".join(f"<{n:020}@mail.example.com>" for n in range(9)))
    assert all(len(line) <= 78 for line in written.split(b"\r\n"))
    assert unfold(scan_fields(written)[0].value).count(b"<") == 9


@pytest.mark.parametrize("value", ["a\r\nBcc: x@y", "a\nb", "a\rb", "a\x00b", "a\x7fb", "a\ud800b"])
def test_header_injection_is_refused(value: str) -> None:
    with pytest.raises(Invalid):
        write_field("Subject", value)


@pytest.mark.parametrize("name", ["", "A B", "A:", "A\r\nB", "é"])
def test_names_that_are_none_are_refused(name: str) -> None:
    with pytest.raises(Invalid):
        write_field(name, "x")


def test_long_words_of_text_are_cut_into_encoded_ones() -> None:
    written = write_text_field("Subject", "x" * 2_000)
    assert all(len(line) <= 78 for line in written.split(b"\r\n"))
    assert decode_words(unfold(scan_fields(written)[0].value)) == "x" * 2_000


def test_a_word_that_fits_no_line_is_refused() -> None:
    with pytest.raises(Invalid):
        write_field("References", "x" * 2_000)


@settings(derandomize=True)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=300))
def test_any_text_makes_one_field_that_reads_back(text: str) -> None:
    written = write_text_field("Subject", text)
    (field,) = scan_fields(written)
    assert field.end == len(written)
    shown = "".join(" " if c != "\t" and (ord(c) < 0x20 or ord(c) == 0x7F) else c for c in text)
    assert decode_words(unfold(field.value)).split() == shown.split()
