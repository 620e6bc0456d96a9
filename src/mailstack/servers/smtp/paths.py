"""The arguments of MAIL and RCPT: a path in angle brackets, then parameters.

Grammar only: whether a parameter means anything, and whose an address is, others say. RFC 5321 §4.1.1.2, §4.1.1.3,
§4.1.2; RFC 6531 §3.3.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address

from mailstack.model.address import Address, domain_key
from mailstack.model.errors import Invalid


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """text: as written, without brackets and source route; "" for the null path. address: None for the null path."""

    text: str
    address: Address | None
    parameters: Mapping[str, str | None]


# RFC 6531 §3.3: UTF8-non-ascii joins atext, qtextSMTP, sub-domain and esmtp-value; no control and no space among it.
_UTF8 = r"[^\x00-\x9f\s]"
# atext = ALPHA / DIGIT / "!" / "#" … "~"
_ATEXT = rf"(?:[A-Za-z0-9!#$%&'*+\-/=?^_`{{|}}~]|{_UTF8})"
_DOT_STRING = rf"{_ATEXT}++(?:\.{_ATEXT}++)*+"
# QcontentSMTP = qtextSMTP / quoted-pairSMTP; qtextSMTP = %d32-33 / %d35-91 / %d93-126; quoted-pairSMTP = %d92 %d32-126
_QUOTED_STRING = rf'"(?:[ !#-\[\]-~]|\\[ -~]|{_UTF8})*+"'
# Domain = sub-domain *("." sub-domain); which letters a label may have is model.address's question.
_DOMAIN = rf"(?:[A-Za-z0-9_\-.]|{_UTF8})++"
_LITERAL = r"\[[!-Z^-~]++\]"
# A-d-l = At-domain *("," At-domain) ":"; RFC 5321 §3.3, Appendix C: source routes must be taken and are to be ignored.
_SOURCE_ROUTE = rf"(?:@{_DOMAIN}(?:,@{_DOMAIN})*+:)?"
_PATH = re.compile(
    rf"<{_SOURCE_ROUTE}(?P<text>(?P<local>{_DOT_STRING}|{_QUOTED_STRING})@(?P<domain>{_DOMAIN}|{_LITERAL}))>(?P<rest>.*+)"
)
_NULL_PATH = re.compile(r"<>(?P<rest>.*+)")
# RFC 5321 §4.5.1: the only address that needs no domain, in any case.
_POSTMASTER = re.compile(r"<(?P<text>postmaster)>(?P<rest>.*+)", re.IGNORECASE)
# esmtp-param = esmtp-keyword ["=" esmtp-value]; esmtp-value = 1*(%d33-60 / %d62-126)
_PARAMETER = re.compile(r"([A-Za-z0-9][A-Za-z0-9-]*+)(?:=((?:[!-<>-~]|[^\x00-\x9f\s])++))?")
_QUOTED_PAIR = re.compile(r"\\(.)")


def parse_reverse_path(text: str, *, limit: int) -> Path:
    """text: what follows `FROM:`. limit: octets of the path. Raises Invalid."""
    null = _NULL_PATH.fullmatch(text)
    if null:
        return Path(text="", address=None, parameters=_parameters(null["rest"]))
    return _parse_path(text, limit)


def parse_forward_path(text: str, *, limit: int) -> Path:
    """text: what follows `TO:`. Raises Invalid."""
    bare = _POSTMASTER.fullmatch(text)
    if bare:
        address = Address(local_part=bare["text"], domain="")
        return Path(text=bare["text"], address=address, parameters=_parameters(bare["rest"]))
    return _parse_path(text, limit)


def _parse_path(text: str, limit: int) -> Path:
    found = _PATH.fullmatch(text)
    if found is None:
        raise Invalid("no path in angle brackets")
    path = found["text"]
    try:
        size = len(path.encode())
    except UnicodeEncodeError:  # octets that are no UTF-8 come as surrogates
        raise Invalid("an address that is not UTF-8") from None
    if size > limit:
        raise Invalid("an overlong address")
    address = Address(local_part=_unquoted(found["local"]), domain=_domain(found["domain"]))
    return Path(text=path, address=address, parameters=_parameters(found["rest"]))


def _unquoted(local_part: str) -> str:
    # RFC 5321 §4.1.2: "quoted" and plain forms of the same characters are the same local part.
    return _QUOTED_PAIR.sub(r"\1", local_part[1:-1]) if local_part.startswith('"') else local_part


def _domain(domain: str) -> str:
    if not domain.startswith("["):
        if domain.endswith("."):
            raise Invalid("a domain with a dot at its end")
        return domain_key(domain)
    # RFC 5321 §4.1.3: address-literal = "[" ( IPv4-address-literal / IPv6-address-literal ) "]"
    inner = domain[1:-1]
    try:
        if inner[:5].casefold() == "ipv6:":
            return f"[IPv6:{IPv6Address(inner[5:])}]"
        return f"[{IPv4Address(inner)}]"
    except AddressValueError:
        raise Invalid("an address literal that is none") from None


def _parameters(rest: str) -> Mapping[str, str | None]:
    """By upper-case keyword; None where there is no value."""
    if rest and not rest.startswith(" "):
        raise Invalid("something behind the path")
    found: dict[str, str | None] = {}
    for word in rest.split(" "):
        if not word:
            continue
        match = _PARAMETER.fullmatch(word)
        if match is None or match[1].upper() in found:
            raise Invalid("a malformed or repeated parameter")
        found[match[1].upper()] = match[2]
    return found
