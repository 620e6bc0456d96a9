"""The readable text of an HTML part, for previews and searching. Linear, and no sanitiser: its result is text, never
shown as markup.
"""

import html
import re

# A tag never runs over the next "<": so unclosed ones cost nothing.
TAG = re.compile(r"<!--|<(/?)([a-zA-Z][a-zA-Z0-9:-]{0,40}+)[^<>]*+>?|<[!?][^<>]*+>?")
SILENT = frozenset({"style", "script", "head", "title", "template", "noscript"})
INLINE = frozenset(
    {
        "a",
        "b",
        "i",
        "u",
        "s",
        "em",
        "strong",
        "span",
        "font",
        "small",
        "big",
        "sub",
        "sup",
        "code",
        "tt",
        "abbr",
        "mark",
        "wbr",
    }
)


def html_to_text(markup: str) -> str:
    kept: list[str] = []
    at = 0
    while tag := TAG.search(markup, at):
        kept.append(markup[at : tag.start()])
        at = tag.end()
        name = (tag[2] or "").lower()
        if tag[0] == "<!--":
            end = markup.find("-->", at)
            at = len(markup) if end < 0 else end + 3
        elif name in SILENT and not tag[1] and not tag[0].endswith("/>"):
            at = closing(markup, name, at)
        elif name not in INLINE:
            kept.append(" ")
    kept.append(markup[at:])
    return html.unescape("".join(kept))


def closing(markup: str, name: str, at: int) -> int:
    """Where the element ends; an unclosed one hides all the rest, as it does in a browser."""
    while (at := markup.find("</", at)) >= 0:
        at += 2
        if markup[at : at + len(name)].lower() == name:
            return at - 2
    return len(markup)
