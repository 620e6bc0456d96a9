"""HTML that strangers wrote and somebody reads (mailstack.formats.shown_html), and the addresses in it
(mailstack.formats.web_url): whatever it is made of, nothing runs, and nobody else is asked for anything."""

import re
from contextlib import suppress

from mailstack.formats.shown_html import Pictures, cleaned, text_as_html
from mailstack.formats.web_url import link_of, parse_web_url
from mailstack.model.errors import Invalid
from tests.fuzz.target import Target

OWN = "https://own.example/"
TAG = re.compile(r"<[a-z][^<>\"]*(?:\"[^\"]*\"[^<>\"]*)*>")
SOURCE = re.compile(r'\ssrc="([^"]*)"')
BAD = re.compile(r"<(?:script|style|iframe|object|embed|form|svg|math|base|meta|link)|\son[a-z]+=", re.IGNORECASE)


def shown(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    for markup in (text, text_as_html(text)):
        for of_elsewhere in (None, lambda _: OWN):
            pictures = Pictures(of_part=lambda _: OWN, of_elsewhere=of_elsewhere)
            tags = "".join(TAG.findall(cleaned(markup, pictures)))
            assert BAD.search(re.sub(r'"[^"]*"', "", tags)) is None, tags
            assert all(each.startswith((OWN, "data:image/")) for each in map(str.strip, SOURCE.findall(tags))), tags


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
