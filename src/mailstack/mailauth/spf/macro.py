"""Macros of SPF records: read once, written out for one check. RFC 7208 §7.

What a stranger publishes may ask for megabytes; writing out stops where more could not be used.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import quote

from mailstack.model.errors import Invalid

MOST_NAME_OCTETS = 253  # RFC 7208 §7.3
MOST_LABEL_OCTETS = 63  # RFC 1035 §2.3.4

_EXPANDS = re.compile(
    # RFC 7208 §7.1: macro-expand = ( "%{" macro-letter transformers *delimiter "}" ) / "%%" / "%_" / "%-"
    r"%(?:\{([slodiphcrtv])([0-9]*)(r?)([.\-+,/_=]*)\}|([%_-]))",
    re.IGNORECASE,
)
_FIXED = {"%": "%", "_": " ", "-": "%20"}
_EXPLANATION_ONLY = frozenset("crt")  # RFC 7208 §7.2
_UNRESERVED = "-._~"  # RFC 3986 §2.3, beside letters and digits
_TOP_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?")
_ALL_PARTS = 1_000  # RFC 7208 §7.3: at least 128 must be possible; no name has more


@dataclass(frozen=True, slots=True, kw_only=True)
class Macro:
    """letter: lower-case. parts: how many are kept from the right, 0 for all. is_escaped: written in upper case."""

    letter: str
    parts: int
    is_reversed: bool
    delimiters: str
    is_escaped: bool


MacroString: TypeAlias = str | tuple[str | Macro, ...]
"""Text where no macro stands in it, as in nearly all records."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MacroValues:
    """What the letters stand for, RFC 7208 §7.2. validated_name: of %{p}, asked for only where has_validated_name says
    that it is used."""

    sender: str
    local_part: str
    sender_domain: str
    domain: str
    dotted_ip: str
    readable_ip: str
    ip_zone: str
    helo: str
    receiver: str
    seconds: int
    validated_name: str = "unknown"

    def of(self, letter: str) -> str:
        match letter:
            case "s":
                return self.sender
            case "l":
                return self.local_part
            case "o":
                return self.sender_domain
            case "d":
                return self.domain
            case "i":
                return self.dotted_ip
            case "p":
                return self.validated_name
            case "v":
                return self.ip_zone
            case "h":
                return self.helo
            case "c":
                return self.readable_ip
            case "r":
                return self.receiver
            case _:
                return str(self.seconds)


def domain_spec(text: str) -> MacroString:
    """Of a term: printable ASCII without spaces. Raises Invalid."""
    parts = _parts(text)
    for letter in _letters(parts):
        if letter in _EXPLANATION_ONLY:
            raise Invalid(f"%{{{letter}}} is for explanations only")
    # RFC 7208 §7.1: domain-end = ( "." toplabel [ "." ] ) / macro-expand
    if not _ends_in_macro(text) and not _ends_in_top_label(parts):
        raise Invalid(f"{text[:60]!r} does not end like a domain name")
    return parts


def macro_string(text: str) -> MacroString:
    """Of an explanation, or of a modifier that nobody knows. Raises Invalid."""
    return _parts(text)


def has_validated_name(parts: MacroString) -> bool:
    """RFC 7208 §7.2: %{p} costs DNS questions."""
    return "p" in _letters(parts)


def end_of_name(parts: MacroString, values: MacroValues) -> str:
    """The name to ask DNS for; is_name tells whether it is one."""
    name = ""
    # From the right, for of too long a name only the end is kept.
    for part in reversed(_pieces(parts)):
        name = (part if isinstance(part, str) else _expanded(part, values)) + name
        if len(name) > MOST_NAME_OCTETS + 1:
            break
    name = name.removesuffix(".")
    if len(name) <= MOST_NAME_OCTETS:
        return name
    # RFC 7208 §7.3: labels are taken from the left until the rest fits.
    return name[-MOST_NAME_OCTETS - 1 :].partition(".")[2]


def is_name(name: str) -> bool:
    """RFC 1035 §2.3.4. RFC 8616 §4: what is not ASCII matches nothing."""
    if not name or len(name) > MOST_NAME_OCTETS or not name.isascii():
        return False
    return all(0 < len(label) <= MOST_LABEL_OCTETS for label in name.split("."))


def explanation(parts: MacroString, values: MacroValues, most: int) -> str:
    """Cut at most characters, the printable ASCII of it; others as question marks."""
    text = ""
    for part in _pieces(parts):
        text += part if isinstance(part, str) else _expanded(part, values)
        if len(text) >= most:
            break
    return re.sub(r"[^ -~]", "?", text[:most])


def _parts(text: str) -> MacroString:
    if "%" not in text:
        return text
    parts = tuple(_scan(text))
    return parts if any(isinstance(part, Macro) for part in parts) else "".join(map(str, parts))


def _pieces(parts: MacroString) -> tuple[str | Macro, ...]:
    return (parts,) if isinstance(parts, str) else parts


def _letters(parts: MacroString) -> set[str]:
    return set() if isinstance(parts, str) else {part.letter for part in parts if isinstance(part, Macro)}


def _scan(text: str) -> Iterator[str | Macro]:
    at = 0
    for found in _EXPANDS.finditer(text):
        if found.start() > at:
            yield _literal(text[at : found.start()])
        yield _FIXED[found[5]] if found[5] else _macro(found)
        at = found.end()
    if at < len(text):
        yield _literal(text[at:])


def _literal(text: str) -> str:
    if "%" in text:
        raise Invalid(f"a % that starts no macro: {text[text.index('%') :][:20]!r}")  # RFC 7208 §7.1
    return text


def _macro(found: re.Match[str]) -> Macro:
    digits = found[2].lstrip("0")
    if found[2] and not digits:
        raise Invalid(f"{found[0]!r} keeps nothing")  # RFC 7208 §7.3: the number must not be zero
    parts = 0 if not digits else int(digits) if len(digits) <= 3 else _ALL_PARTS
    return Macro(
        letter=found[1].lower(),
        parts=parts,
        is_reversed=bool(found[3]),
        delimiters=found[4],
        is_escaped=found[1].isupper(),
    )


def _ends_in_macro(text: str) -> bool:
    """text: that was read without a fault, so that a brace after a % closes a macro, and "%%-" ends in a hyphen."""
    if text.endswith("}"):
        return text.rfind("%{") > text.rfind("}", 0, -1)
    stem = text[:-1]
    return text[-1:] in ("%", "_", "-") and (len(stem) - len(stem.rstrip("%"))) % 2 == 1


def _ends_in_top_label(parts: MacroString) -> bool:
    """RFC 7208 §7.1: toplabel is of letters, digits and hyphens, and not a number."""
    last = _pieces(parts)[-1]
    if not isinstance(last, str):
        return False
    _, dot, label = last.removesuffix(".").rpartition(".")
    return bool(dot) and _TOP_LABEL.fullmatch(label) is not None and not label.isdigit()


def _expanded(macro: Macro, values: MacroValues) -> str:
    value = values.of(macro.letter)
    if macro.parts or macro.is_reversed or macro.delimiters:
        value = ".".join(_kept(_split(value, macro.delimiters or "."), macro))
    # RFC 7208 §7.3: upper case is for URLs.
    return quote(value, safe=_UNRESERVED, errors="surrogateescape") if macro.is_escaped else value


def _split(value: str, delimiters: str) -> list[str]:
    for other in delimiters[1:]:
        value = value.replace(other, delimiters[0])
    return value.split(delimiters[0])


def _kept(pieces: list[str], macro: Macro) -> Sequence[str]:
    """RFC 7208 §7.3: reversed first, then counted from the right."""
    if macro.is_reversed:
        pieces.reverse()
    return pieces[-macro.parts :] if macro.parts else pieces
