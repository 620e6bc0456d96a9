"""HTML of mail, made fit to be shown: no script, form or style sheet, and nothing from elsewhere that nobody asked for.

The cleaner is the last that touches the text: whatever is to change in it, changes in here. What is let through is a
list; what is not on it goes, and its text stays.
"""

import html
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote

import nh3

from mailstack.formats.level_html import UNSEEN, levelled

SCHEMES = frozenset({"http", "https", "mailto", "tel", "cid", "data"})
MAX_QUOTED = 30
MAX_QUOTES = 10_000
"""Beginnings and ends of quotes that are set apart. What comes then stands as it was written."""
_NAMES = """
    a abbr address article aside b bdi bdo big blockquote br caption center cite code col colgroup dd
    del details dfn div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd
    li main mark nav ol p pre q s samp section small span strike strong sub summary sup table tbody td
    tfoot th thead time tr tt u ul var wbr
"""
_TAGS = frozenset(_NAMES.split())
_ATTRIBUTES = {
    "*": {"align", "bgcolor", "color", "dir", "lang", "style", "title", "valign", "width", "height"},
    "a": {"href"},
    "img": {"alt", "src", "border"},
    "font": {"face", "size"},
    "ol": {"start", "type"},
    "table": {"border", "cellpadding", "cellspacing"},
    "td": {"colspan", "rowspan", "nowrap"},
    "th": {"colspan", "rowspan", "nowrap"},
}
_ALL_ATTRIBUTES = frozenset().union(*_ATTRIBUTES.values())
# What says how large a picture is.
_OF_SIZE = {"img": {"style", "width", "height"}}
# Of what a style may say: nothing that takes an address, and nothing that leaves its place.
_STYLES = frozenset(
    {
        "background-color",
        "border",
        "border-bottom",
        "border-collapse",
        "border-color",
        "border-left",
        "border-radius",
        "border-right",
        "border-spacing",
        "border-style",
        "border-top",
        "border-width",
        "color",
        "direction",
        "display",
        "font",
        "font-family",
        "font-size",
        "font-style",
        "font-weight",
        "height",
        "letter-spacing",
        "line-height",
        "list-style-type",
        "margin",
        "margin-bottom",
        "margin-left",
        "margin-right",
        "margin-top",
        "max-width",
        "min-width",
        "padding",
        "padding-bottom",
        "padding-left",
        "padding-right",
        "padding-top",
        "text-align",
        "text-decoration",
        "text-indent",
        "text-transform",
        "vertical-align",
        "white-space",
        "width",
        "word-break",
        "word-wrap",
    }
)
# Pictures that a page may hold in itself. No SVG, which is a document.
_DATA_IMAGE = re.compile(r"data:image/(?:png|jpe?g|gif|webp|avif);base64,[A-Za-z0-9+/=\s]*")
_DATA_BEGINS, _CID_BEGINS = "data:", "cid:"
# HTML parsing (WHATWG) §13.2.6.4.7: an "image" is an img.
_PICTURE = re.compile(r"<ima?ge?", re.IGNORECASE)
# What the cleaner adds to each img comes last of its attributes: with it, one ends.
_ADDED, _ADDED_VALUE = "loading", "lazy"
MOST_TRACKER_PX = 2
_NO_BOX = re.compile(r"display\s*:\s*none", re.IGNORECASE)
# HTML (WHATWG) §2.3.4.4: what stands behind the digits counts for nothing, unless it is a percent sign.
_PIXELS = re.compile(r"\s*\+?([0-9]{1,9})(?![0-9.]*%)")
_STYLE_PIXELS = re.compile(
    r"(?<![\w-])(?:max-)?(width|height)\s*:\s*([0-9]{1,9})(?:\.[0-9]*)?\s*(?:p[xt])?\s*(?:!|;|\Z)", re.I
)
_CALLS = re.compile(r"(?:url|image|image-set|cross-fade|element|expression|var|attr)\s*\(|\\", re.IGNORECASE)
# The frame is as high as what is in it: what is as high as the frame would make both grow for ever.
_OF_WINDOW = re.compile(r"(?<![\w.#-])[+-]?[0-9.]+[sld]?v(?:h|min|max|b|i)\b", re.IGNORECASE)
_LINK = re.compile(r"\s*(?:https?://|mailto:|tel:)", re.IGNORECASE)
_URL = re.compile(r"\b(?:https?://|mailto:)[^\s<>\"']{1,2000}", re.IGNORECASE)
# What ends a sentence, or closes what was opened before the address, is none of it.
_STOPS, _QUOTES, _BRACKETS = ".,;:!?", "'\"”’", "])}>"


@dataclass(slots=True, kw_only=True)
class Pictures:
    """Where pictures are to be had, by whole addresses. of_part: by Content-ID. of_elsewhere: by address, None for one
    that leads nowhere; None: not at all. hidden: how many of those there were. left_out: how many there were that
    nobody sees, and that are there to be asked for."""

    of_part: Callable[[str], str | None]
    of_elsewhere: Callable[[str], str | None] | None
    hidden: int = field(default=0)
    left_out: int = field(default=0)

    def address(self, given: str, *, is_unseen: bool) -> str | None:
        lowered = given.strip().lower()
        if lowered.startswith(_CID_BEGINS):
            # RFC 2392 §2: what may not stand in an address is written with %.
            return self.of_part(unquote(given.strip()[len(_CID_BEGINS) :]))
        if lowered.startswith(_DATA_BEGINS):
            return given if _DATA_IMAGE.fullmatch(given.strip()) else None
        if not lowered.startswith(("http:", "https:", "//")):
            return None
        if is_unseen:
            self.left_out += 1
            return None
        if self.of_elsewhere is None:
            self.hidden += 1
            return None
        return self.of_elsewhere(f"https:{given.strip()}" if lowered.startswith("//") else given.strip())


def cleaned(markup: str, pictures: Pictures) -> str:
    """A piece of a document, safe as the content of an element."""
    markup = levelled(markup, tags=_TAGS, attributes=_ALL_ATTRIBUTES)
    unseen = _unseen_pictures(markup)
    at = 0

    def attribute(tag: str, name: str, value: str) -> str | None:
        nonlocal at
        if tag == "img" and name == _ADDED:
            at += 1
        if name == "src":
            return pictures.address(value, is_unseen=unseen[at]) if tag == "img" else None
        if name == "href":
            return value if _LINK.match(value) else None
        if name == "style":
            return None if _CALLS.search(value) else _OF_WINDOW.sub("auto", value)
        return value

    return _clean(markup, attribute, _ATTRIBUTES)


def _unseen_pictures(markup: str) -> Sequence[bool]:
    """Of each img, in the order in which the cleaner comes to them: an attribute alone does not tell."""
    if _PICTURE.search(markup) is None:
        return ()
    found: list[bool] = []
    attributes: dict[str, str] = {}

    def note(tag: str, name: str, value: str) -> str:
        if tag == "img":
            attributes[name] = value
            if name == _ADDED:
                found.append(_is_unseen(attributes))
                attributes.clear()
        return value

    _clean(markup, note, _OF_SIZE)
    return found


def _is_unseen(attributes: Mapping[str, str]) -> bool:
    """No larger than a dot, as far as it says."""
    style = attributes.get("style", "")
    if _NO_BOX.search(style):
        return True
    sizes = {name: int(found[1]) for name in ("width", "height") if (found := _PIXELS.match(attributes.get(name, "")))}
    sizes |= {name.lower(): int(size) for name, size in _STYLE_PIXELS.findall(style)}
    return bool(sizes) and max(sizes.values()) <= MOST_TRACKER_PX


def _clean(markup: str, attribute: Callable[[str, str, str], str | None], attributes: dict[str, set[str]]) -> str:
    """attributes: that are looked at, by tag; whatever they are, it comes to the elements in the same order."""
    return nh3.clean(
        markup,
        tags=set(_TAGS),
        clean_content_tags=set(UNSEEN),
        attributes=attributes,
        attribute_filter=attribute,
        strip_comments=True,
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}, "img": {_ADDED: _ADDED_VALUE}},
        url_schemes=set(SCHEMES),
        # What is relative has no page that it is relative to: the filter sees to it.
        url_relative="pass_through",
        filter_style_properties=set(_STYLES),
    )


def text_as_html(text: str) -> str:
    """Plain text with what it quotes set apart and its addresses to be followed; to be cleaned like any other."""
    pieces: list[str] = []
    depth = turns = 0
    for line in text.split("\n"):
        quoted = len(line) - len(line.lstrip("> ")) if line.startswith(">") and turns < MAX_QUOTES else 0
        marks = min(line[:quoted].count(">"), MAX_QUOTED)
        turns += abs(marks - depth)
        pieces.append("</blockquote>" * (depth - marks) + "<blockquote>" * (marks - depth))
        depth = marks
        pieces.append(f"{_linked(line[quoted:])}\n")
    return f'<div style="white-space: pre-wrap">{"".join(pieces)}{"</blockquote>" * depth}</div>'


def _linked(line: str) -> str:
    pieces: list[str] = []
    at = 0
    for found in _URL.finditer(line):
        url = _address(found[0])
        pieces.append(html.escape(line[at : found.start()]))
        pieces.append(f'<a href="{html.escape(url)}">{html.escape(url)}</a>')
        at = found.start() + len(url)
    pieces.append(html.escape(line[at:]))
    return "".join(pieces)


def _address(found: str) -> str:
    whole = found.rstrip(_STOPS)
    inner = whole.rstrip(_BRACKETS)
    return inner if inner != whole else found.rstrip(_STOPS + _QUOTES)
