"""HTML that strangers wrote and somebody reads (mailstack.formats.shown_html), and the addresses in it
(mailstack.formats.web_url): whatever it is made of, nothing runs, and nobody else is asked for anything."""

from contextlib import suppress
from html.parser import HTMLParser

from mailstack.formats.shown_html import Pictures, cleaned, text_as_html
from mailstack.formats.web_url import link_of, parse_web_url
from mailstack.model.errors import Invalid
from tests.fuzz.target import Target

OWN = "https://own.example/"
RUNNING = frozenset(
    {
        *("script", "style", "iframe", "object", "embed", "form", "input", "svg", "math"),
        *("base", "meta", "link", "video", "audio", "source"),
    }
)


class Reader(HTMLParser):
    """What a browser would be given to do."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in RUNNING, tag
        for name, value in attrs:
            assert not name.startswith("on"), name
            assert name not in ("srcset", "background", "id", "class", "name"), name
            if name == "src":
                assert (value or "").strip().startswith((OWN, "data:image/")), value
            if name == "href":
                assert (value or "").strip().lower().startswith(("http://", "https://", "mailto:", "tel:")), value


def shown(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    for markup in (text, text_as_html(text)):
        for of_elsewhere in (None, lambda _: OWN):
            Reader().feed(cleaned(markup, Pictures(of_part=lambda _: OWN, of_elsewhere=of_elsewhere)))


def link(data: bytes) -> None:
    with suppress(Invalid):
        found = link_of(data.decode("utf-8", "surrogateescape"))
        assert parse_web_url(str(found)) == found
        assert "#" not in str(found)


TARGETS = [
    Target(
        "shown html",
        shown,
        (
            b"<p><img src='http://x/a.gif' width=1><image src=//x/b height=9><img src='cid:a@x'>",
            b"<table background=x><td style='background:url(http://x)'><svg><img src=http://x/c></svg><img src>",
            b"<math><mtext><img src=http://x/d width=1></mtext></math><noscript><img src=http://x/e></noscript><img>",
            b"> quoted\n>> <img src=http://x/f> https://x.example/(a)\n",
        ),
    ),
    Target(
        "links of pages",
        link,
        (
            b" https://b\xc3\xbccher.example:444/a b?c|d#e\n",
            b"HTTP://[::ffff:127.0.0.1]:80\\@x",
            b"https://user@a.example/%zz",
        ),
    ),
]
