"""HTML written anew, so that every parser reads it alike: only wanted tags, each closed in its turn, none nested deeper
than MOST_DEEP. Linear. What reads it next may take time by the square of its depth, as parsers of HTML do.

Not a sanitiser: what the attributes say stays.
"""

import html
import re
from collections import defaultdict
from collections.abc import Collection
from typing import NamedTuple

MOST_DEEP = 200
MOST_ATTRIBUTES = 40
MOST_AMPERSANDS = 1_000
"""In one text: parsers add what they stand for piece by piece."""
_SPACE = r"[ \t\n\f\r]"
_OPENING = re.compile(r"<(/?)([a-zA-Z][^ \t\n\f\r/>]*+)|<[!?/]")
# HTML (WHATWG) §13.2.5.32-37: a name may hold quotes and "<". A value in quotes that do not end is one without.
_ATTRIBUTE = re.compile(
    rf"(?:{_SPACE}|/)*+([^ \t\n\f\r/>][^ \t\n\f\r/>=]*+)"
    rf"(?:{_SPACE}*+={_SPACE}*+(?:\"([^\"]*+)\"|'([^']*+)'|([^ \t\n\f\r>]*+)))?"
)
_CLOSING = re.compile(rf"(?:{_SPACE}|/)*+>")
# Left out with all that is in them.
UNSEEN = frozenset(
    {
        *("iframe", "math", "noembed", "noframes", "noscript", "object"),
        *("script", "style", "svg", "template", "title"),
    }
)
_MAY_CLOSE_THEMSELVES = frozenset({"svg", "math"})
_VOID = frozenset({"br", "col", "hr", "img", "wbr"})
# HTML (WHATWG) §13.2.4.3: what ends elsewhere than it should goes on behind the end of what it began in.
_FORMATTING = frozenset(
    {"a", "b", "big", "code", "em", "font", "i", "s", "small", "span", "strike", "strong", "tt", "u"}
)
# §13.2.4.2: an end tag inside of these ends nothing outside.
_SCOPES = frozenset({"table", "td", "th", "caption"})
_OF_TABLES = frozenset({"table", "caption", "colgroup", "tbody", "thead", "tfoot", "tr", "td", "th"})
# §13.2.6.1: what stands in these and in no cell, parsers put before the table, one by one.
_BETWEEN_CELLS = frozenset({"table", "tbody", "thead", "tfoot", "tr"})
_IN_BETWEEN = _OF_TABLES - {"table"} | {"col"}
_CELLS = frozenset({"p", "td", "th"})
_ROWS = _CELLS | {"tr", "caption", "colgroup"}
_GROUPS = _ROWS | {"tbody", "thead", "tfoot"}
_ENDS_P = (
    "address article aside blockquote center details div dl figcaption figure footer h1 h2 h3 h4 h5 h6 header hr main"
    " nav ol p pre section summary ul"
)
# §13.1.2.4: what is over where another begins.
_ENDED_BY = {
    **dict.fromkeys(_ENDS_P.split(), frozenset({"p"})),
    "li": frozenset({"p", "li"}),
    **dict.fromkeys(("dt", "dd"), frozenset({"p", "dt", "dd"})),
    **dict.fromkeys(("td", "th"), _CELLS),
    "tr": _ROWS,
    **dict.fromkeys(("tbody", "thead", "tfoot"), _GROUPS),
}


_MARKS = str.maketrans({'"': "&quot;", "<": "&lt;", ">": "&gt;"})


class _Open(NamedTuple):
    name: str
    tag: str


def levelled(markup: str, *, tags: Collection[str], attributes: Collection[str]) -> str:
    """Of what is not in `tags`, the content stays."""
    writer = _Writer()
    at = 0
    while found := _OPENING.search(markup, at):
        writer.text(markup[at : found.start()])
        at = found.end()
        name = _name(found[2] or "")
        if not name:
            at = _behind_comment(markup, found.start())
            continue
        at, written = _attributes(markup, at, attributes)
        if name in UNSEEN and not found[1]:
            is_closed = name in _MAY_CLOSE_THEMSELVES and markup[at - 2 : at] == "/>"
            at = at if is_closed else _behind_unseen(markup, name, at)
        elif name in tags:
            if found[1]:
                writer.end(name)
            else:
                writer.begin(name, written)
    writer.text(markup[at:])
    return "".join(writer.pieces)


def _name(given: str) -> str:
    # §13.2.6.4.7: an "image" is an img.
    name = given.lower()
    return "img" if name == "image" else name


def _behind_comment(markup: str, at: int) -> int:
    # HTML (WHATWG) §13.2.5.42-43: "<!-->" is a whole one, and what only looks like one ends with the tag.
    if markup.startswith("<!--", at):
        end = markup.find("-->", at + 2)
        return len(markup) if end < 0 else end + 3
    end = markup.find(">", at)
    return len(markup) if end < 0 else end + 1


def _behind_unseen(markup: str, name: str, at: int) -> int:
    """An unclosed one hides all the rest, as it does in a browser."""
    end = re.compile(rf"</{name}(?![^ \t\n\f\r/>])[^>]*+>?", re.IGNORECASE).search(markup, at)
    return len(markup) if end is None else end.end()


def _attributes(markup: str, at: int, wanted: Collection[str]) -> tuple[int, str]:
    """Where the tag ends, and those that are wanted, as they are to be written."""
    found: dict[str, str] = {}
    while attribute := _ATTRIBUTE.match(markup, at):
        at = attribute.end()
        name = attribute[1].lower()
        # §13.2.5.33: of several of one name, the first counts.
        if name in wanted and name not in found and len(found) < MOST_ATTRIBUTES:
            found[name] = attribute[2] or attribute[3] or attribute[4] or ""
    closing = _CLOSING.match(markup, at)
    return len(markup) if closing is None else closing.end(), "".join(map(_written, found.items()))


def _written(attribute: tuple[str, str]) -> str:
    # Its character references stay as they are: they are read otherwise than those of text.
    name, value = attribute
    return f' {name}="{value.translate(_MARKS)}"'


class _Writer:
    def __init__(self) -> None:
        self.pieces: list[str] = []
        self._open: list[_Open] = []
        # Where in it each name stands, and where what nothing reaches out of.
        self._places: dict[str, list[int]] = defaultdict(list)
        self._scopes: list[int] = []
        self._ampersands = 0

    def text(self, text: str) -> None:
        if not text:
            return
        if not text.isspace():
            self._enter_cell()
        for at, piece in enumerate(html.unescape(text).split("&")):
            if at:
                self._ampersand()
            self.pieces.append(piece.replace("<", "&lt;").replace(">", "&gt;"))

    def begin(self, name: str, attributes: str) -> None:
        tag = f"<{name}{attributes}>"
        if name not in _IN_BETWEEN:
            self._enter_cell()
        if name in _VOID:
            self._write(tag)
            return
        ended = _ENDED_BY.get(name, frozenset())
        while self._open and self._open[-1].name in ended:
            self._end_last()
        if len(self._open) < MOST_DEEP:
            self._begin(_Open(name, tag))
        elif name not in _FORMATTING | _IN_BETWEEN:
            self._write("<br>")

    def end(self, name: str) -> None:
        """Of what is not open, nothing."""
        places, scope = self._places[name], self._scope_of(name)
        if not places or places[-1] < scope:
            return
        within = self._open[places[-1] + 1 :]
        for _ in range(len(within) + 1):
            self._end_last()
        for each in within if name in _FORMATTING else ():
            self._begin(each)

    def _enter_cell(self) -> None:
        if self._open and self._open[-1].name in _BETWEEN_CELLS:
            self._begin(_Open("td", "<td>"))

    def _scope_of(self, name: str) -> int:
        if name == "table":
            return 0
        if name in _OF_TABLES:
            return self._places["table"][-1] if self._places["table"] else 0
        return self._scopes[-1] if self._scopes else 0

    def _begin(self, element: _Open) -> None:
        self._write(element.tag)
        at = len(self._open)
        self._places[element.name].append(at)
        if element.name in _SCOPES:
            self._scopes.append(at)
        self._open.append(element)

    def _end_last(self) -> None:
        name = self._open.pop().name
        self._places[name].pop()
        if name in _SCOPES:
            self._scopes.pop()
        self._write(f"</{name}>")

    def _write(self, tag: str) -> None:
        self._ampersands = 0
        self.pieces.append(tag)

    def _ampersand(self) -> None:
        self._ampersands += 1
        if self._ampersands > MOST_AMPERSANDS:
            self._write("<wbr>")
        self.pieces.append("&amp;")
