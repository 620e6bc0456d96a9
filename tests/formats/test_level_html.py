"""HTML written anew: well-formed, bounded in depth, and soon."""

import re
import time

import pytest

from mailstack.formats.level_html import MOST_AMPERSANDS, MOST_ATTRIBUTES, MOST_DEEP, levelled
from mailstack.formats.shown_html import MAX_QUOTES, Pictures, cleaned, text_as_html

TAGS = frozenset("a b blockquote br col div font i img li p span table tbody td th tr ul".split())  # noqa: SIM905
TAG = re.compile(r"<(/?)([a-z]+)[^>]*>")


def level(markup: str) -> str:
    return levelled(markup, tags=TAGS, attributes={"href", "src", "title", "color"})


@pytest.mark.parametrize(
    ("markup", "written"),
    [
        ("a<b>c", "a<b>c"),
        ("<P TITLE=x>a", '<p title="x">a'),
        ("<p title='a>b' title=c onclick=d>e", '<p title="a&gt;b">e'),
        ("<p title=a\"b<c'>d", '<p title="a&quot;b&lt;c\'">d'),
        ("<p/title=a/>b", '<p title="a/">b'),
        ('<p title = "a\nb" x>c', '<p title="a\nb">c'),
        ('<p title="a>b', '<p title="&quot;a">b'),
        ('<p ="x" title=y>a', '<p title="y">a'),
        ("<a href='?a=1&copy=2&amp;b'>&copy;&amp;&lt;</a>", '<a href="?a=1&copy=2&amp;b">©&amp;&lt;</a>'),
        ("a < b <3 <>c", "a &lt; b &lt;3 &lt;&gt;c"),
        ("<!-- <b> -->a<!-->b<!--->c<!doctype html>d<?php e?>f</ g>h", "abcdfh"),
        ("a<!-- b", "a"),
        ("<!--[if mso]><b>a</b><![endif]--><!--[if !mso]><!--><i>c</i><!--<![endif]-->", "<i>c</i>"),
        ("<script>a</scripty></script >b", "b"),
        ("<style><b></style>a<svg/>b<svg>c</svg>d", "abd"),
        ("a<title>b", "a"),
        ("<o:p>a</o:p><video>b</video>", "ab"),
        ("<image src=a>", '<img src="a">'),
        ("</b>a</p>", "a"),
        ("<p>a<p>b<div>c</div>", "<p>a</p><p>b</p><div>c</div>"),
        ("<ul><li>a<li>b</ul>c", "<ul><li>a</li><li>b</li></ul>c"),
        ("<b>a<i>b</b>c</i>", "<b>a<i>b</i></b><i>c</i>"),
        ("<font color=x><p>a</font>b</p>", '<font color="x"><p>a</p></font><p>b</p>'),
        ("<div><b>a</div>b", "<div><b>a</b></div>b"),
        ("<table><tr><td>a<td>b<tr><td>c</table>d", "<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>d"),
        ("<div><table><td>a</div>b</table>", "<div><table><td>ab</td></table>"),
        ("<table><tr>a<b>c</tr></table>", "<table><tr><td>a<b>c</b></td></tr></table>"),
        ("<table>\n<col><tr>\n<td>a", "<table>\n<col><tr>\n<td>a"),
        ("<table><table><td>a</table>b</table>c", "<table><td><table><td>a</td></table>b</td></table>c"),
    ],
)
def test_what_is_written(markup: str, written: str) -> None:
    assert level(markup) == written


@pytest.mark.parametrize("piece", ["<div>", "<b>", "<ul><li>", "<table><td>", "<table>", "<a><p>", "<blockquote>"])
def test_nothing_is_nested_deeper_than_that(piece: str) -> None:
    written = level(f"{piece}x" * 2_000)
    depth = deepest = 0
    for end, name in TAG.findall(written):
        if name not in ("br", "img", "col"):
            depth += -1 if end else 1
            deepest = max(deepest, depth)
    assert MOST_DEEP - 2 <= deepest <= MOST_DEEP
    assert written.count("x") == 2_000


def test_a_tag_has_so_many_attributes() -> None:
    names = [f"a{number}" for number in range(MOST_ATTRIBUTES + 9)]
    written = levelled(f"<p {' '.join(names)}>", tags=TAGS, attributes=names)
    assert written.count('=""') == MOST_ATTRIBUTES


def test_a_text_has_so_many_ampersands() -> None:
    assert level("&amp;" * MOST_AMPERSANDS) == "&amp;" * MOST_AMPERSANDS
    assert level("&" * (MOST_AMPERSANDS + 1)) == f"{'&amp;' * MOST_AMPERSANDS}<wbr>&amp;"


NESTED = ("<div>", "<ul><li>", "<b><div>", "<div></x>", "<table>", "<table>x", "<table><br>", "<font><p>", "<a><p></a>")
WIDE = ("<p>", "&", "&copy;", "<", "<p a=\"'>", "<!--", "<svg>", "</p>", "<td>")


@pytest.mark.parametrize("piece", [*NESTED, *WIDE])
def test_twice_as_much_takes_about_twice_as_long(piece: str) -> None:
    """By the square, it would be sixteen times; 300 KB of <div> took a minute and a half, and every reader waited."""
    small, large = (took(piece * (octets // len(piece))) for octets in (50_000, 200_000))
    assert large < 10 * small + 0.2


def took(markup: str) -> float:
    began = time.process_time()
    cleaned(markup, Pictures(of_part=lambda _: None, of_elsewhere=None))
    return time.process_time() - began


def test_quotes_of_plain_text_are_set_apart_so_many_times() -> None:
    shown = text_as_html(f"{'>' * 30} a\nb\n" * 2_000)
    assert shown.count("<blockquote>") == shown.count("</blockquote>")
    assert MAX_QUOTES / 2 <= shown.count("<blockquote>") <= MAX_QUOTES / 2 + 30
    assert shown.count("a\n") == 2_000


@pytest.mark.parametrize("behind", [".", ")", ").", "!?"])
def test_an_address_without_end_is_found_at_once(behind: str) -> None:
    began = time.process_time()
    text_as_html(f"http://{behind * 990}x " * 100)
    assert time.process_time() - began < 1
