"""SPF records: which TXT is one, and what it says. Strict: one fault anywhere, and nothing of it counts.

Reading only; what terms match is evaluate's. RFC 7208 §4.5, §4.6, §5, §6, §12.
"""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from mailstack.mailauth.spf.macro import MacroString, domain_spec, macro_string
from mailstack.model.errors import Invalid
from mailstack.model.verdict import SpfResult

# Deviates: RFC 7208 §3.4 recommends 512 and sets no limit. Eleven records of 64 KB each would take seconds to read.
MOST_RECORD_OCTETS = 4_096
_KEPT_RECORD_OCTETS = 1_024

_VERSION = "v=spf1"
_PRINTABLE = re.compile(r"[ -~]*")
# RFC 7208 §4.6.1: a modifier has "=" after its name, before any ":" or "/".
_MODIFIER = re.compile(r"([A-Za-z][A-Za-z0-9\-_.]*)=(.*)")
_DIRECTIVE = re.compile(r"([+\-?~]?)([A-Za-z][A-Za-z0-9\-_.]*)(.*)")
# RFC 7208 §5.6: 0 to 32 and 0 to 128; leading zeros are no part of that.
_LENGTH = r"(0|[1-9][0-9]{0,2})"
_TARGET = re.compile(rf"(?::(.+?))?(?:/{_LENGTH})?(?://{_LENGTH})?")
_OCTET = r"(0|[1-9][0-9]{0,2})"
_IP4 = re.compile(rf":{_OCTET}\.{_OCTET}\.{_OCTET}\.{_OCTET}(?:/{_LENGTH})?")
_IP6 = re.compile(rf":([0-9A-Fa-f:.]+)(?:/{_LENGTH})?")

_RESULTS = {
    "": SpfResult.PASS,
    "+": SpfResult.PASS,
    "-": SpfResult.FAIL,
    "~": SpfResult.SOFTFAIL,
    "?": SpfResult.NEUTRAL,
}
_IP4_BITS = 32
_IP6_BITS = 128


@dataclass(frozen=True, slots=True)
class All:
    """RFC 7208 §5.1."""


@dataclass(frozen=True, slots=True)
class Include:
    """RFC 7208 §5.2."""

    target: MacroString


@dataclass(frozen=True, slots=True)
class Hosts:
    """`a`, `mx`: RFC 7208 §5.3, §5.4. target: empty for the domain itself."""

    is_mx: bool
    target: MacroString
    ip4_bits: int
    ip6_bits: int


@dataclass(frozen=True, slots=True)
class Ptr:
    """RFC 7208 §5.5."""

    target: MacroString


@dataclass(frozen=True, slots=True)
class Network:
    """`ip4`, `ip6`: RFC 7208 §5.6. Addresses match whose first bits, after `shift` others, are prefix."""

    version: int
    prefix: int
    shift: int


@dataclass(frozen=True, slots=True)
class Exists:
    """RFC 7208 §5.7."""

    target: MacroString


Mechanism = All | Include | Hosts | Ptr | Network | Exists


@dataclass(frozen=True, slots=True)
class Directive:
    """text: as published."""

    result: SpfResult
    mechanism: Mechanism
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """RFC 7208 §6: redirect counts when nothing matched, explanation when the result is fail."""

    directives: tuple[Directive, ...]
    redirect: MacroString | None
    explanation: MacroString | None


def select(texts: Iterable[str]) -> str | None:
    """The one that is an SPF record, or None. Raises Invalid for several."""
    # RFC 7208 §4.5: "v=spf1" in any case, and then a space or the end.
    found = [text for text in texts if text[:6].lower() == _VERSION and text[6:7] in ("", " ")]
    if len(found) > 1:
        raise Invalid("there are several SPF records")
    return found[0] if found else None


def parse_record(text: str) -> Record:
    """text: one that `select` chose. Raises Invalid with what is wrong."""
    if len(text) > MOST_RECORD_OCTETS:
        raise Invalid(f"the record is longer than {MOST_RECORD_OCTETS} characters")
    # The records of large senders come with every second mail. Longer ones would let strangers fill the memory.
    return _read_again(text) if len(text) <= _KEPT_RECORD_OCTETS else _read(text)


@lru_cache(maxsize=512)
def _read_again(text: str) -> Record:
    return _read(text)


def _read(text: str) -> Record:
    directives: list[Directive] = []
    modifiers: dict[str, MacroString] = {}
    # RFC 7208 §3.1: ASCII; §12: visible.
    if not _PRINTABLE.fullmatch(text):
        raise Invalid("the record holds other characters than visible ASCII")
    # RFC 7208 §4.6.1: terms are parted by spaces, one or more.
    for term in filter(None, text[len(_VERSION) :].split(" ")):
        modifier = _MODIFIER.fullmatch(term) if "=" in term else None
        if modifier:
            _take_modifier(modifiers, modifier[1].lower(), modifier[2])
        else:
            directives.append(_directive(term))
    return Record(directives=tuple(directives), redirect=modifiers.get("redirect"), explanation=modifiers.get("exp"))


def _take_modifier(modifiers: dict[str, MacroString], name: str, value: str) -> None:
    if name not in ("redirect", "exp"):
        macro_string(value)  # RFC 7208 §6: ignored, but its grammar is not
        return
    if name in modifiers:
        raise Invalid(f"{name}= stands there twice")  # RFC 7208 §6
    modifiers[name] = domain_spec(value)


def _directive(term: str) -> Directive:
    found = _DIRECTIVE.fullmatch(term)
    if not found:
        raise Invalid(f"{_shown(term)} is no mechanism")
    return Directive(_RESULTS[found[1]], _mechanism(found[2].lower(), found[3], term), term)


def _mechanism(name: str, rest: str, term: str) -> Mechanism:
    match name:
        case "all" if not rest:
            return All()
        case "include" | "exists" if rest[:1] == ":":
            target = domain_spec(rest[1:])
            return Include(target) if name == "include" else Exists(target)
        case "a" | "mx":
            return _hosts(name, rest, term)
        case "ptr" if not rest:
            return Ptr("")
        case "ptr" if rest[0] == ":":
            return Ptr(domain_spec(rest[1:]))
        case "ip4":
            return _ip4(rest, term)
        case "ip6":
            return _ip6(rest, term)
    raise Invalid(f"{_shown(term)} is no mechanism")


def _hosts(name: str, rest: str, term: str) -> Hosts:
    # RFC 7208 §5.6: dual-cidr-length = [ ip4-cidr-length ] [ "/" ip6-cidr-length ]
    found = _TARGET.fullmatch(rest)
    if not found:
        raise Invalid(f"{_shown(term)} cannot be read")
    target = domain_spec(found[1]) if found[1] is not None else ""
    return Hosts(name == "mx", target, _bits(found[2], _IP4_BITS, term), _bits(found[3], _IP6_BITS, term))


def _ip4(rest: str, term: str) -> Network:
    found = _IP4.fullmatch(rest)
    octets = [int(found[number]) for number in range(1, 5)] if found else [256]
    if not found or max(octets) > 255:
        raise Invalid(f"{_shown(term)} is no IPv4 network")
    shift = _IP4_BITS - _bits(found[5], _IP4_BITS, term)
    return Network(4, int.from_bytes(octets, "big") >> shift, shift)


def _ip6(rest: str, term: str) -> Network:
    found = _IP6.fullmatch(rest)
    if not found:
        raise Invalid(f"{_shown(term)} is no IPv6 network")
    try:
        address = int(ipaddress.IPv6Address(found[1]))
    except ValueError:
        raise Invalid(f"{_shown(term)} is no IPv6 network") from None
    shift = _IP6_BITS - _bits(found[2], _IP6_BITS, term)
    return Network(6, address >> shift, shift)


def _bits(text: str | None, most: int, term: str) -> int:
    bits = most if text is None else int(text)
    if bits > most:
        raise Invalid(f"{_shown(term)}: no address has more than {most} bits")
    return bits


def _shown(term: str) -> str:
    """A stranger's words, in a reason that goes into headers and logs."""
    return ascii(term[:60])
