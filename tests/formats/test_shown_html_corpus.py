"""Markup that tries to run, cleaned: nothing is left of it that a browser would act on."""

import pytest

from mailstack.formats.shown_html import Pictures, cleaned, text_as_html
from tests.fuzz.targets_webmail import OWN, Reader
from tests.support.hostile import ELSEWHERE, html_vectors, parts, text_vectors

HTML = [vector for found in html_vectors().values() for vector in found]
TEXTS = [vector for found in text_vectors().values() for vector in found]


def test_there_are_many_of_each_class() -> None:
    assert len(HTML) >= 200
    assert all(len(found) >= 10 for found in html_vectors().values())


@pytest.mark.parametrize("vector", [*HTML, *TEXTS, *(text for _, text in parts())])
@pytest.mark.parametrize("around", ["{}", "<div title='{}'>", "<table>{}</table>", "<p>{}</p><b>", "<!--{}", "<svg>{}"])
def test_nothing_is_left_that_runs(vector: str, around: str) -> None:
    markup = around.replace("{}", vector)
    for of_elsewhere in (None, lambda _: OWN):
        shown = cleaned(markup, Pictures(of_part=lambda _: OWN, of_elsewhere=of_elsewhere))
        Reader().feed(shown)
        # Nor by a second reader, who may make something else of it.
        again = cleaned(shown, Pictures(of_part=lambda _: OWN, of_elsewhere=lambda _: OWN))
        Reader().feed(again)
    Reader().feed(cleaned(text_as_html(vector), Pictures(of_part=lambda _: OWN, of_elsewhere=None)))


@pytest.mark.parametrize("vector", html_vectors()["css"])
def test_no_style_names_an_address(vector: str) -> None:
    shown = cleaned(vector, Pictures(of_part=lambda _: OWN, of_elsewhere=None))
    assert ELSEWHERE not in shown.replace("&quot;", '"').partition("style=")[2].partition(">")[0]
    assert "position" not in shown
    assert "z-index" not in shown
