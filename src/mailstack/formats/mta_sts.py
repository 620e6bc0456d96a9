"""MTA-STS: the record in DNS that says that there is a policy, and the policy itself, as text behind HTTPS.

Ours are written, those of others are read. Where they come from, and how long they count, is not said here. RFC 8461
§3.1, §3.2.
"""

import hashlib
import re
from collections.abc import Sequence

from mailstack.model.address import domain_key
from mailstack.model.errors import Invalid
from mailstack.model.tls_policy import StsMode, StsPolicy

MOST_POLICY_OCTETS = 64 << 10  # RFC 8461 §3.3: a bound of about that is suggested
MOST_MX = 1_000
MOST_MAX_AGE_S = 31_557_600  # RFC 8461 §3.2: a year

_VERSION = "STSv1"
_RECORD = re.compile(r"v=STSv1[ \t]*;")
# RFC 8461 §3.1: sts-id = "id" "=" 1*32(ALPHA / DIGIT)
_ID = re.compile(r"id=([A-Za-z0-9]{1,32})")
# sts-extension = sts-ext-name "=" sts-ext-value; sts-ext-value = 1*(%x21-3A / %x3C / %x3E-7E)
_EXTENSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,31}=[\x21-\x3a\x3c\x3e-\x7e]+")
# RFC 8461 §3.2: sts-policy-field-delim = ":" *WSP; what is white space is cut off of the value afterwards
_FIELD = re.compile(r"([A-Za-z0-9][A-Za-z0-9_.\-]{0,31}):([^\r\n]*)")
_MAX_AGE = re.compile(r"[0-9]{1,10}")
_WHITE_SPACE = " \t"


def write_policy(policy: StsPolicy) -> bytes:
    # RFC 8461 §3.2: one field a line, the version first, lines end with CRLF or LF.
    fields = [("version", _VERSION), ("mode", policy.mode), *(("mx", host) for host in policy.mx)]
    fields.append(("max_age", str(policy.max_age_s)))
    return "".join(f"{name}: {value}\r\n" for name, value in fields).encode("ascii")


def policy_id(policy: StsPolicy) -> str:
    # RFC 8461 §3.1: at most 32 letters and digits; another one whenever the policy changes.
    told = f"{policy.mode} {policy.max_age_s} {' '.join(policy.mx)}"
    return hashlib.sha256(told.encode("ascii")).hexdigest()[:20]


def write_record(policy: StsPolicy) -> str:
    return f"v={_VERSION}; id={policy_id(policy)}"


def parse_records(texts: Sequence[str]) -> str | None:
    """The id, of the TXT records at `_mta-sts`; None where they do not say that there is a policy."""
    # RFC 8461 §3.1: what does not begin with the version is no such record. Where one is left, and can be read, there
    # is a policy.
    records = [_fields(text) for text in texts if _RECORD.match(text)]
    if len(records) != 1:
        return None
    fields = records[0][1:]
    # sts-text-record = sts-version 1*(sts-field-delim sts-field) [sts-field-delim]
    if not all(_ID.fullmatch(field) or _EXTENSION.fullmatch(field) for field in fields):
        return None
    # RFC 8461 §3.2: of fields that are there twice, the first counts.
    match = _ID.fullmatch(next((field for field in fields if field.startswith("id=")), ""))
    return match[1] if match else None


def _fields(text: str) -> list[str]:
    fields = [field.strip(_WHITE_SPACE) for field in text.split(";")]
    return fields[:-1] if len(fields) > 1 and not fields[-1] else fields


def parse_policy(octets: bytes) -> StsPolicy:
    """Raises Invalid."""
    fields, mx = _policy_fields(octets)
    if fields.get("version") != _VERSION:
        raise Invalid(f"the policy is of another version than {_VERSION}")
    mode = next((mode for mode in StsMode if mode.value == fields.get("mode")), None)
    if mode is None:
        raise Invalid("the policy has no mode that is known")
    if not _MAX_AGE.fullmatch(fields.get("max_age", "")):
        raise Invalid("the policy does not say for how long it counts")
    # RFC 8461 §3.2: hosts may only be absent where the mode is none.
    if not mx and mode is not StsMode.NONE:
        raise Invalid("the policy names no host")
    return StsPolicy(
        mode=mode, max_age_s=min(int(fields["max_age"]), MOST_MAX_AGE_S), mx=tuple(_pattern(value) for value in mx)
    )


def _policy_fields(octets: bytes) -> tuple[dict[str, str], list[str]]:
    """Those that are there once, and the values of mx."""
    if len(octets) > MOST_POLICY_OCTETS:
        raise Invalid(f"the policy has more than {MOST_POLICY_OCTETS} octets")
    try:
        text = octets.decode("utf-8")
    except UnicodeDecodeError:
        raise Invalid("the policy is not UTF-8") from None
    fields: dict[str, str] = {}
    mx: list[str] = []
    for line in text.split("\n"):
        match = _FIELD.fullmatch(line.removesuffix("\r"))
        if match is None:
            if line.strip():
                raise Invalid("the policy has a line that is no field")
            continue  # Deviates: RFC 8461 §3.2 has no empty lines; editors leave them at the end.
        name, value = match[1], match[2].strip(_WHITE_SPACE)
        if name == "mx":
            mx.append(value)
        else:
            fields.setdefault(name, value)  # RFC 8461 §3.2: all but the first of one name are ignored
    if len(mx) > MOST_MX:
        raise Invalid(f"the policy names more than {MOST_MX} hosts")
    return fields, mx


def _pattern(value: str) -> str:
    # RFC 8461 §3.2: sts-policy-mx-value = ["*."] Domain
    wildcard = "*." if value.startswith("*.") else ""
    try:
        host = domain_key(value.removeprefix(wildcard))
    except Invalid:
        host = "["
    if host.startswith("["):
        raise Invalid("the policy names a host that is none")
    return wildcard + host
