"""Authentication-Results: what our checks found, written for those who read the mail; what others say they found, read;
and the fields that claim to be ours, found. RFC 8601.

The library reads, and raises all sorts of things for what it cannot read, which then says nothing. Writing is done
here: the library would take a tenth of a message's time for it, and lets line breaks of values through. Not the checks
themselves (mailauth).
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

import authres

from mailstack.formats.comments import without_comments
from mailstack.formats.headers import header_end, unfold
from mailstack.model.message import RawMessage
from mailstack.model.verdict import (
    ArcResult,
    Authentication,
    DkimVerdict,
    DmarcVerdict,
    SpfIdentity,
    SpfVerdict,
)

MAX_VALUE_CHARACTERS = 250
MAX_LINE_CHARACTERS = 900
MAX_READ_OCTETS = 16 * 1024

_NAME = b"authentication-results"
# Not scan_fields: it stops after so many fields, and a forged one behind the last of them would be believed.
_FIELD = re.compile(rb"^" + _NAME + rb"[ \t]*+:([^\n]*+(?:\n[ \t][^\n]*+)*+)\n?", re.IGNORECASE | re.MULTILINE)
# RFC 8601 §2.2: authres-payload = [CFWS] authserv-id [ CFWS authres-version ] …; authserv-id = value (RFC 2045 §5.1)
_AUTHSERV_ID = re.compile(rb"\s*(?:\"((?:[^\"\\]|\\.)*+)\"|([^\s;\"=]+))\s*(?:[0-9]+\s*)?(?:;|\Z)", re.DOTALL)
_QUOTED_PAIR = re.compile(rb"\\(.)", re.DOTALL)
# RFC 8601 §2.2: pvalue = [CFWS] ( ( value / [ [ local-part ] "@" ] domain-name ) ) [CFWS]; RFC 2045 §5.1: token
_PLAIN = re.compile(r"(?!\Z)[A-Za-z0-9!#$%&'*+.^_`{|}~-]*+(?:@[A-Za-z0-9_-]++(?:\.[A-Za-z0-9_-]++)*+)?")
_ODD = re.compile(r"[^ -~]|[\"\\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodResult:
    """Of one method, all lower-case but the values. properties: by `ptype.property`."""

    method: str
    result: str
    properties: Mapping[str, str]


def write_results(authserv_id: str, found: Authentication, *, peer_host: str, mail_from: str) -> bytes:
    """One whole field."""
    results = list_results(found, peer_host=peer_host, mail_from=mail_from)
    return f"Authentication-Results: {authserv_id};\r\n\t{results}\r\n".encode("ascii")


def list_results(found: Authentication, *, peer_host: str, mail_from: str) -> str:
    """What follows the authserv-id, one method a line. mail_from: as in MAIL; peer_host: who brought it."""
    results = [
        _result("iprev", found.iprev.result, found.iprev.reason, {"policy.iprev": peer_host}),
        _spf(found.mail_from, mail_from),
        _spf(found.helo, ""),
        *map(_dkim, found.dkim),
        _dmarc(found.dmarc),
    ]
    if found.arc.result is not ArcResult.NONE:
        results.append(_result("arc", found.arc.result, found.arc.reason, {}))
    return ";\r\n\t".join(results)


def read_results(text: str) -> tuple[MethodResult, ...]:
    """text: the value of a field, unfolded. Nothing where it cannot be read."""
    if len(text) > MAX_READ_OCTETS or not text.isascii():
        return ()
    try:
        header = authres.AuthenticationResultsHeader.parse(f"Authentication-Results: {text}")
    except Exception:  # noqa: BLE001  the library raises AttributeError and others for what is malformed
        return ()
    return tuple(_read(result) for result in header.results if isinstance(result, authres.AuthenticationResult))


def claimed_fields(raw: RawMessage, authserv_id: str) -> tuple[tuple[int, int], ...]:
    """The ranges of Authentication-Results fields that claim to be of that server, or that nobody can tell whose they
    are. RFC 8601 §5: they are to be removed, whatever their version."""
    header = raw[: header_end(raw)]
    if _NAME not in header.lower():
        return ()  # as most mail has it; looking at each line takes eight times as long
    own = authserv_id.rstrip(".").lower().encode()
    return tuple((found.start(), found.end()) for found in _FIELD.finditer(header) if _id_of(found[1]) in (own, b""))


def results_by(raw: RawMessage, authserv_ids: Collection[str]) -> tuple[MethodResult, ...]:
    """What the topmost field says that names one of those servers: as true as whoever brought the mail. authserv_ids:
    lower-case."""
    header = raw[: header_end(raw)]
    known = {authserv_id.encode() for authserv_id in authserv_ids}
    first = next((found[1] for found in _FIELD.finditer(header) if _id_of(found[1]) in known), b"")
    return read_results(unfold(first).decode("ascii", "replace").strip())


def _id_of(value: bytes) -> bytes:
    """b"" where there is none that can be read."""
    found = _AUTHSERV_ID.match(without_comments(unfold(value)))
    if found is None:
        return b""
    return (_QUOTED_PAIR.sub(rb"\1", found[1]) if found[1] is not None else found[2]).strip().rstrip(b".").lower()


def _spf(verdict: SpfVerdict, mail_from: str) -> str:
    if verdict.identity is SpfIdentity.HELO:
        return _result("spf", verdict.result, verdict.reason, {"smtp.helo": verdict.domain})
    # RFC 8601 §2.7.2: of a null path, the domain that was checked instead.
    return _result("spf", verdict.result, verdict.reason, {"smtp.mailfrom": mail_from or verdict.domain})


def _dkim(verdict: DkimVerdict) -> str:
    properties = {
        "header.d": verdict.domain,
        "header.i": verdict.identity,
        "header.s": verdict.selector,
        "header.a": verdict.algorithm,
        "header.b": verdict.signature_start,
    }
    return _result("dkim", verdict.result, verdict.reason, properties)


def _dmarc(verdict: DmarcVerdict) -> str:
    properties = {"header.from": verdict.from_domain}
    if verdict.policy_domain:
        properties["policy.dmarc"] = verdict.policy.value
    return _result("dmarc", verdict.result, verdict.reason, properties)


def _result(method: str, result: StrEnum, reason: str, properties: Mapping[str, str]) -> str:
    """RFC 8601 §2.2: resinfo = methodspec [ CFWS reasonspec ] [ CFWS 1*propspec ]."""
    words = [f"{method}={result.value}"]
    if reason:
        words.append(f"reason={_quoted(reason)}")
    words += [f"{name}={_value(value)}" for name, value in properties.items() if value]
    line = " ".join(words)
    # RFC 5322 §2.1.1: a line holds 998 octets.
    return line if len(line) < MAX_LINE_CHARACTERS else "\r\n\t".join(words)


def _value(text: str) -> str:
    """What would end the value, the line or the field is shown as a question mark."""
    return text if len(text) <= MAX_VALUE_CHARACTERS and _PLAIN.fullmatch(text) else _quoted(text)


def _quoted(text: str) -> str:
    return f'"{_ODD.sub("?", text[:MAX_VALUE_CHARACTERS])}"'


def _read(result: authres.AuthenticationResult) -> MethodResult:
    return MethodResult(method=result.method, result=result.result, properties=dict(_properties(result)))


def _properties(result: authres.AuthenticationResult) -> Iterator[tuple[str, str]]:
    for item in result.properties:
        yield f"{item.type}.{item.name}", str(item.value)
