"""A script's text to tokens. RFC 5228 §2.1-§2.6, §8.1.

One expression finds each token, so the time is linear. Line ends are CRLF by now: `parser.parse` sees to it.
"""

import re
from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

from mailstack.sieve.faults import Misplaced

MAX_NUMBER = 2**64 - 1
"""RFC 5228 §2.4.1 asks for 2^31 - 1 at least."""


class Kind(Enum):
    NAME = "name"
    TAG = "tag"
    NUMBER = "number"
    TEXT = "text"
    SPECIAL = "special"
    BROKEN = "what is no token"
    END = "end"


class Token(NamedTuple):
    """value: lower-case of a name or a tag, without its colon; the text of a string; the figure of a number."""

    kind: Kind
    value: str
    at: int


# white-space = 1*(SP / CRLF / HTAB) / comment; comment = bracket-comment / hash-comment
# bracket-comment = "/*" *not-star 1*STAR *(not-star-slash *not-star 1*STAR) "/"
# identifier = (ALPHA / "_") *(ALPHA / DIGIT / "_"); tag = ":" identifier; number = 1*DIGIT [ QUANTIFIER ]
# quoted-string = DQUOTE quoted-text DQUOTE; quoted-text = *(quoted-safe / quoted-special / quoted-other)
# multi-line = "text:" *(SP / HTAB) (hash-comment / CRLF) *(multiline-literal / multiline-dotstart) "." CRLF
_TOKEN = re.compile(
    r"(?P<space>(?:[ \t\r\n]++|\#[^\n]*+(?:\n|\Z)|/\*(?:[^*]++|\*(?!/))*+\*/)++)"
    r"|(?P<multiline>[tT][eE][xX][tT]:[ \t]*+(?:\#[^\n]*+)?\r?\n"
    r"(?P<lines>(?:(?!\.\r?(?:\n|\Z))[^\n]*+\n)*+)\.\r?(?:\n|\Z))"
    r"|(?P<name>(?![tT][eE][xX][tT]:[ \t]*+(?:\#|\r?\n))[A-Za-z_][A-Za-z0-9_]*+)"
    r"|:(?P<tag>[A-Za-z_][A-Za-z0-9_]*+)"
    r"|(?P<number>[0-9]++[KMGkmg]?+(?![A-Za-z0-9_]))"
    r"|\"(?P<text>(?:[^\"\\]++|\\.)*+)\""
    r"|(?P<special>[\[\](){},;])",
    re.DOTALL,
)
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)
_STUFFED = re.compile(r"^\.\.", re.MULTILINE)
_QUANTIFIERS = {"k": 2**10, "m": 2**20, "g": 2**30}
_OPEN = {
    '"': "a string without its closing quote",
    "/*": "a comment without its closing */",
    "text:": "a text: block without the line of one dot that ends it",
}
_PASSED = re.compile(r"[A-Za-z0-9_]++|[^\sA-Za-z0-9_\"\[\](){},;]++")


def tokens(text: str, faults: list[Misplaced]) -> Iterator[Token]:
    """All tokens, and one of Kind.END. faults: is given why each of Kind.BROKEN is so."""
    at = 0
    end = len(text)
    match = _TOKEN.match
    while at < end:
        found = match(text, at)
        if found is None:
            fault = _unreadable(text, at)
            faults.append(fault)
            yield Token(Kind.BROKEN, "", at)
            # What has no end goes on to the end.
            found = None if fault.text in _OPEN.values() else _PASSED.match(text, at)
            at = end if found is None else found.end()
            continue
        kind = found.lastgroup
        if kind == "name":
            yield Token(Kind.NAME, found["name"].lower(), at)
        elif kind == "special":
            yield Token(Kind.SPECIAL, found["special"], at)
        elif kind == "text":
            yield Token(Kind.TEXT, _unquoted(found["text"]), at)
        elif kind == "tag":
            yield Token(Kind.TAG, found["tag"].lower(), at)
        elif kind == "number":
            yield _number(found["number"], at, faults)
        elif kind in ("multiline", "lines"):
            # RFC 5228 §8.1: multiline-dotstart = "." 1*octet-not-crlf CRLF, whose first dot is not part of the text.
            yield Token(Kind.TEXT, _STUFFED.sub(".", found["lines"]), at)
        at = found.end()
    yield Token(Kind.END, "", end)


def _unquoted(text: str) -> str:
    # RFC 5228 §2.4.2: a backslash before any other character is nothing.
    return _QUOTED_PAIR.sub(r"\1", text) if "\\" in text else text


def _number(text: str, at: int, faults: list[Misplaced]) -> Token:
    factor = _QUANTIFIERS.get(text[-1].lower(), 1)
    digits = text if factor == 1 else text[:-1]
    # Not int() of a thousand digits: that takes time for nothing.
    if len(digits.lstrip("0")) > len(str(MAX_NUMBER)) or (value := int(digits) * factor) > MAX_NUMBER:
        faults.append(Misplaced(at, "a number that is too large", f"the largest is {MAX_NUMBER}"))
        return Token(Kind.BROKEN, "", at)
    return Token(Kind.NUMBER, str(value), at)


def _unreadable(text: str, at: int) -> Misplaced:
    beginning = text[at : at + 5].lower()
    for opening, said in _OPEN.items():
        if beginning.startswith(opening):
            return Misplaced(at, said)
    if text[at].isdigit():
        return Misplaced(at, "a number goes on with a letter", "K, M or G may follow it, and nothing else")
    return Misplaced(at, f"nothing begins with {text[at]!r} here")
