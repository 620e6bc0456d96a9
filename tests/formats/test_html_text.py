"""HTML as text: what is shown, and nothing that costs more than its length."""

import pytest

from mailstack.formats.html_text import html_to_text


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>one</p><p>two</p>", " one  two "),
        ("w<b>or</b>d", "word"),
        ("a<br>b", "a b"),
        ("&lt;a&gt; &eacute; &#8364;", "<a> é €"),
        ("<head><title>x</title></head>y", " y"),
        ("<STYLE>p {}</Style >y", " y"),
        ("<script>if (a<b) '</p>'</script>y", " y"),
        ("<style/>y", " y"),
        ("a<!-- <b> x -->b", "ab"),
        ("a<!-- open", "a"),
        ("<style>open", ""),
        ("<!DOCTYPE html>x", " x"),
        ('<a href="x">y</a', "y"),
        ("1 < 2 > 1", "1 < 2 > 1"),
        ("plain", "plain"),
        ("", ""),
    ],
)
def test_text(markup: str, text: str) -> None:
    assert html_to_text(markup) == text


@pytest.mark.parametrize("piece", ["<", "<a", "<!--", "<style>", "</", "<a b='", "&", "<style", "&#", "<!", "-->"])
def test_hostile_markup_takes_linear_time(piece: str) -> None:
    html_to_text(piece * (500_000 // len(piece)))
