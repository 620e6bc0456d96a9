"""What an authority answers when it does not issue, as one sentence that says what to do about it. Pure.

RFC 8555 §6.7 has the problem types. The authority's own words are quoted, shortened: they come from outside.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from mailstack.model.issuance import ProofMethod

LONGEST_DETAIL = 300

_CANNOT_CONNECT: Mapping[ProofMethod, str] = {
    ProofMethod.HTTP_01: "the authority cannot connect to port 80 of {host}: open it to the world, or prove by dns-01",
    ProofMethod.TLS_ALPN_01: (
        "the authority cannot connect to port 443 of {host}: open it to the world, or prove by dns-01"
    ),
    ProofMethod.DNS_01: "the authority cannot ask the name servers of {host}: check that the world can reach them",
}
_WRONG_ANSWER: Mapping[ProofMethod, str] = {
    ProofMethod.HTTP_01: (
        "somebody else answers at port 80 of {host}: its A and AAAA records must lead to this server, and to no other"
    ),
    ProofMethod.TLS_ALPN_01: (
        "somebody else answers at port 443 of {host}: its A and AAAA records must lead to this server, with no proxy"
        " that ends TLS before it"
    ),
    ProofMethod.DNS_01: (
        "the authority sees another TXT record at _acme-challenge.{host}: its name servers must be the zone's own"
    ),
}
_ABOUT_A_NAME = {
    "dns": "the authority finds no address for {host}: publish its A or AAAA record, or wait until it is seen",
    "dnssec": "the DNSSEC signatures of {host} are not valid: repair the zone",
    "caa": "a CAA record forbids this authority to issue for {host}: allow it there, or remove the record",
    "rejectedIdentifier": "the authority does not issue for {host}",
    "unsupportedIdentifier": "the authority does not issue for {host}",
}
_ABOUT_THE_ACCOUNT = {
    "accountRefused": "the authority lets this server's account order nothing for {host}",
    "externalAccountRequired": "the authority wants an account it knows already: set tls.acme.eab",
    "userActionRequired": "the authority wants its new terms agreed to",
    "invalidContact": "the authority does not take the address in tls.acme.email",
    "unsupportedContact": "the authority does not take the address in tls.acme.email",
    "badCSR": "the authority does not take this kind of key: change tls.acme.key",
    "badPublicKey": "the authority does not take this kind of key: change tls.acme.key",
}
_CODES_OF_A_WRONG_ANSWER = frozenset({"unauthorized", "incorrectResponse", "tls"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """code: the problem type without its prefix. host: the name it is about, "" where the authority does not say."""

    code: str
    detail: str
    host: str = ""


def of_request(problem: Problem) -> Problem:
    """A request that is refused says nothing of a proof: RFC 8555 §7.3.6 has `unauthorized` for an account as well."""
    return replace(problem, code="accountRefused") if problem.code in _CODES_OF_A_WRONG_ANSWER else problem


def sentence(problem: Problem, *, host: str, method: ProofMethod, until: datetime | None = None) -> str:
    """host: the name it is about where the problem itself names none. until: when to ask again."""
    code, detail, host = problem.code, problem.detail, problem.host or host
    if code == "rateLimited":
        when = f" until {until:%Y-%m-%d %H:%M} UTC" if until else " for now"
        return f"the authority issues no more for {host}{when}: its rate limit is reached{_quoted(detail)}"
    if code == "connection":
        told = _CANNOT_CONNECT[method]
    elif code in _CODES_OF_A_WRONG_ANSWER:
        told = _WRONG_ANSWER[method]
    else:
        told = _ABOUT_A_NAME.get(code) or _ABOUT_THE_ACCOUNT.get(code) or "the authority refuses {host}"
    return f"{told.format(host=host)}{_quoted(detail)}"


def _quoted(detail: str) -> str:
    text = " ".join("".join(c if c.isprintable() else " " for c in detail).split())
    if not text:
        return ""
    return f" (it says: {text[:LONGEST_DETAIL]}{'…' if len(text) > LONGEST_DETAIL else ''})"
