"""Marks stand around what was found, whatever the text, and nothing else is HTML."""

import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstack.formats.searched import folded
from mailstack.formats.snippets import MAX_OCTETS, marked, marked_preview


@pytest.mark.parametrize(
    ("text", "needles", "found"),
    [
        ("Dinner on Friday", ["friday"], "Dinner on <mark>Friday</mark>"),
        ("Dinner", ["lunch"], None),
        ("Dinner", [], None),
        ("a <b> & c", ["b"], "a &lt;<mark>b</mark>&gt; &amp; c"),
        ("\"x\" 'y'", ["x"], "\"<mark>x</mark>\" 'y'"),
        ("&lt;", ["lt"], "&amp;<mark>lt</mark>;"),
        ("ananas", ["ana"], "<mark>ana</mark>nas"),
        ("foo foobar", ["foo", "bar"], "<mark>foo</mark> <mark>foobar</mark>"),
        ("Straße", ["strasse"], "<mark>Straße</mark>"),
        ("Grüße", ["ss"], "Grü<mark>ß</mark>e"),
        ("nai\u0308ve", ["naïve"], "<mark>naïve</mark>"),
        ("one  two\tthree", ["one two", "two three"], "<mark>one  two\tthree</mark>"),
        ("", ["x"], None),
        ("a b", [" "], None),
        ("x", [""], None),
    ],
)
def test_subjects(text: str, needles: list[str], found: str | None) -> None:
    assert marked(text, needles) == found


def test_a_preview_begins_at_a_word_shortly_before_what_was_found() -> None:
    text = "word " * 100 + "needle " + "after " * 100
    found = marked_preview(text, ["needle"])
    assert found is not None
    assert re.fullmatch(r"(word )+<mark>needle</mark>( after)+( [aftr]*)?", found)
    assert len(found) == MAX_OCTETS


def test_a_preview_has_one_space_where_the_text_has_any() -> None:
    assert marked_preview("a\r\n\r\n\tneedle\u00a0b ", ["needle"]) == "a <mark>needle</mark> b"


@pytest.mark.parametrize("text", ["&" * 300 + "x" + "&" * 300, "€" * 300 + "x" + "😀" * 300, "x" * 1000, "x&" * 500])
def test_a_preview_is_bounded_in_octets(text: str) -> None:
    found = marked_preview(text, ["x"])
    assert found is not None
    assert "<mark>x" in found
    assert len(found.encode()) <= MAX_OCTETS


@given(st.text(max_size=200), st.lists(st.text(min_size=1, max_size=4), max_size=3))
def test_without_its_marks_it_is_the_text(text: str, words: list[str]) -> None:
    needles = [folded(word) for word in words]
    found = marked(text.replace("<mark>", ""), needles)
    if found is not None:
        plain = unescape(re.sub("</?mark>", "", found)) if "&" not in text else None
        assert found.count("<mark>") == found.count("</mark>") > 0
        assert plain is None or folded(plain) == folded(text.replace("<mark>", ""))
    preview = marked_preview(text, needles)
    assert preview is None or len(preview.encode()) <= MAX_OCTETS
