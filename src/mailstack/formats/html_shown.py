"""An HTML part as its reader sees it: what is shown, what is there and not shown, where its links lead. Linear, and a
guess: no style sheets are followed, and boxes have no size.
"""

import html
import re
from dataclasses import dataclass
from typing import NamedTuple

from mailstack.formats.html_text import INLINE, SILENT, TAG, closing, html_to_text

MAX_LINKS = 500
MAX_TAGS = 1_500
MAX_REST = 8_000

# HTML §13.1.2.3; a value in quotes goes as far as the tag does where the closing one is missing.
_ATTRIBUTE = re.compile(r"([a-zA-Z-]++)(?:\s*+=\s*+(?:\"([^\"]*+)\"?|'([^']*+)'?|(\S*+)))?")
_HIDING_STYLE = re.compile(
    r"display\s*+:\s*+none|visibility\s*+:\s*+(?:hidden|collapse)|mso-hide\s*+:\s*+all"
    r"|(?:font-size|max-height|opacity)\s*+:\s*+(?:0?\.0*+|0++(?:\.0*+)?|1px)(?:p[xt]|em|%)?\s*+(?:;|!|\Z)",
    re.IGNORECASE,
)
_STYLE_COLOR = re.compile(r"(?<![\w-])color\s*+:\s*+([^;!]++)", re.IGNORECASE)
_STYLE_BACKGROUND = re.compile(r"background(?:-color)?\s*+:\s*+([^;!]++)", re.IGNORECASE)
_WHITE = frozenset({"#fff", "#ffffff", "white", "rgb(255,255,255)", "fff", "ffffff"})
_VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"})
# HTML §13.1.2.4: where another of these begins, the one before it ends.
_ENDED_BY_THE_NEXT = frozenset({"p", "li", "dt", "dd", "option"})
# Longer ones are not taken for addresses.
_MAX_NAME = 200
_LINKING = frozenset({"a", "area", "form", "iframe", "img", "input", "link", "embed", "object", "body", "td", "table"})


@dataclass(frozen=True, slots=True)
class Shown:
    """links: what people may follow, in order, at most MAX_LINKS. images: addresses of pictures, likewise, whose number
    is image_count. has_form: it asks for input. is_cut: behind MAX_TAGS tags there is more. The words of its
    last MAX_REST characters are in text, shown or not. named_links: of those whose text may be an address, the text
    and the link."""

    text: str
    hidden: str
    links: tuple[str, ...]
    images: tuple[str, ...]
    image_count: int
    has_form: bool
    is_cut: bool
    named_links: tuple[tuple[str, str], ...]


def shown_of(markup: str) -> Shown:
    reader = _Reader()
    at = 0
    left = MAX_TAGS
    while (tag := TAG.search(markup, at)) and left:
        left -= 1
        start = tag.start()
        if start > at:
            reader.kept.append(markup[at:start])
        at = tag.end()
        name = (tag[2] or "").lower()
        if name == "" and markup.startswith("<!--", start):
            end = markup.find("-->", at)
            at = len(markup) if end < 0 else end + 3
        elif name in SILENT and not tag[1] and markup[at - 2 : at] != "/>":
            at = closing(markup, name, at)
        else:
            # Most tags are neither: this is done for each tag of each mail.
            if at - start > len(name) + 2 or name == reader.hiding:
                reader.tag(name, markup[start:at], is_end=bool(tag[1]))
            if name not in INLINE:
                reader.kept.append(" ")
    reader.kept.append(markup[at:] if tag is None else _rest(markup, at))
    return reader.shown(is_cut=tag is not None)


def _rest(markup: str, at: int) -> str:
    if len(markup) - at > MAX_REST:
        # From a tag on: else the end of one would be read as words.
        begin = markup.find("<", len(markup) - MAX_REST)
        at = begin if begin >= 0 else len(markup) - MAX_REST
    return f" {html_to_text(markup[at:])}"


class _Reader:
    def __init__(self) -> None:
        self._shown: list[str] = []
        self._hidden: list[str] = []
        self._links: list[str] = []
        self._images: list[str] = []
        self._image_count = 0
        self._has_form = False
        self._named_links: list[tuple[str, str]] = []
        # The link that is open, and how many pieces of text were shown before it.
        self._open_link = ("", 0)
        # Where text goes now; the element that hides what is in it, "" for none, and how many of its name are open.
        self.kept = self._shown
        self.hiding = ""
        self._depth = 0
        self._is_white = True
        # What was read already.
        self._tags: dict[str, dict[str, str]] = {}
        self._styles = {"": _Style(is_hiding=False, color="", background="")}

    def tag(self, name: str, tag: str, *, is_end: bool) -> None:
        if name == self.hiding:
            self._in_hidden(is_end)
        if is_end and name == "a":
            self._name_link()
        if not is_end and ("=" in tag or "hidden" in tag):
            self._attributes(name, tag)

    def shown(self, *, is_cut: bool) -> Shown:
        return Shown(
            html.unescape("".join(self._shown)),
            html.unescape("".join(self._hidden)),
            tuple(map(html.unescape, self._links)),
            tuple(map(html.unescape, self._images)),
            self._image_count,
            self._has_form,
            is_cut,
            tuple(self._named_links),
        )

    def _in_hidden(self, is_end: bool) -> None:
        self._depth += -1 if is_end or self.hiding in _ENDED_BY_THE_NEXT else 1
        if self._depth <= 0:
            self.hiding = ""
            self.kept = self._shown

    def _attributes(self, name: str, tag: str) -> None:
        # A newsletter has the same few tags hundreds of times.
        values = self._tags.get(tag)
        if values is None:
            values = self._tags[tag] = {
                found[0].lower(): found[1] or found[2] or found[3]
                for found in _ATTRIBUTE.findall(tag, len(name) + 1, len(tag) - tag.endswith(">"))
            }
        if name in _LINKING:
            self._link(name, values)
        if not values or name in _VOID or self.hiding:
            return
        if self._is_hiding(name, values):
            self.hiding, self._depth = name, 1
            self.kept = self._hidden
            # What is hidden parts no words of what is shown, unless its element does.
            if name not in INLINE:
                self._shown.append(" ")

    def _link(self, name: str, values: dict[str, str]) -> None:
        if name == "img":
            self._image_count += 1
        if name in ("form", "input"):
            self._has_form = True
        address = values.get("href") or values.get("action")
        if address and len(self._links) < MAX_LINKS:
            self._links.append(address)
            if name == "a":
                self._open_link = (address, len(self._shown))
        address = values.get("src") or values.get("background")
        if address and len(self._images) < MAX_LINKS:
            self._images.append(address)

    def _name_link(self) -> None:
        address, begin = self._open_link
        text = "".join(self._shown[begin:]).strip() if address else ""
        self._open_link = ("", 0)
        if "." in text and len(text) <= _MAX_NAME and len(text.split()) == 1:
            self._named_links.append((html.unescape(text), html.unescape(address)))

    def _is_hiding(self, name: str, values: dict[str, str]) -> bool:
        style = self._style(values.get("style", ""))
        background = values.get("bgcolor") or style.background
        if background and _plain(background) not in _WHITE:
            # White letters may be there to be read from here on.
            self._is_white = False
        if "hidden" in values or style.is_hiding:
            return True
        if name == "font" and values.get("size") == "0":
            return True
        return self._is_white and _plain(values.get("color") or style.color) in _WHITE

    def _style(self, text: str) -> "_Style":
        style = self._styles.get(text)
        if style is None:
            style = self._styles[text] = _style_of(text)
        return style


class _Style(NamedTuple):
    """color, background: "" where it says nothing of them."""

    is_hiding: bool
    color: str
    background: str


def _style_of(text: str) -> _Style:
    color, background = _STYLE_COLOR.search(text), _STYLE_BACKGROUND.search(text)
    return _Style(
        is_hiding=_HIDING_STYLE.search(text) is not None,
        color=color[1] if color else "",
        background=background[1] if background else "",
    )


def _plain(color: str) -> str:
    return "".join(color.split()).lower()
