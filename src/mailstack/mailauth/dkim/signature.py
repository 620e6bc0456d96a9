"""DKIM-Signature fields, read: what was signed, by whom, how. RFC 6376 §3.5, §6.1.1; RFC 8301; RFC 8463; RFC 8616.

ARC-Message-Signature is the same but for a few tags, so mailauth.arc reads it here too. Nothing is checked against the
message or a key.
"""

import base64
import binascii
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import Enum

from mailstack.formats.tagvalue import Tag, parse_tags, without_white_space
from mailstack.mailauth.dkim.unverifiable import malformed, permanent, unacceptable
from mailstack.model.address import domain_key
from mailstack.model.errors import Invalid
from mailstack.model.instant import HOUR_MS, SECOND_MS, Instant

ALGORITHMS = frozenset({"rsa-sha256", "ed25519-sha256"})  # RFC 8301 §3.1, RFC 8463 §3
CLOCK_SKEW_MS = HOUR_MS  # how far a signer's clock may be from ours
SIGNATURE_START_CHARACTERS = 8  # RFC 6008 §4
MOST_SHOWN_OCTETS = 320

_REQUIRED = (b"v", b"a", b"b", b"bh", b"d", b"h", b"s")
# RFC 6376 §3.5: x= and t= are unsigned decimal integers of up to 12 digits, l= of up to 76.
_INSTANT = re.compile(rb"[0-9]{1,12}")
_LENGTH = re.compile(rb"[0-9]{1,76}")
_ALGORITHM = re.compile(rb"[A-Za-z][A-Za-z0-9-]{0,31}")

Tags = Mapping[bytes, Tag]


class Form(Enum):
    """Canonicalization. RFC 6376 §3.4."""

    SIMPLE = b"simple"
    RELAXED = b"relaxed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """domain, selector: A-labels. algorithm: one of ALGORITHMS. signature: the octets of b=."""

    domain: str
    selector: str
    algorithm: str
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """names: of the signed fields, lower-case, in the order of h=. length: l=. unsigned_value: the field's value as it
    was hashed, b= empty. is_subdomain: i= is below d= (RFC 6376 §3.6.1, t=s).
    """

    signer: Signer
    names: tuple[bytes, ...]
    header_form: Form
    body_form: Form
    body_hash: bytes
    length: int | None
    unsigned_value: bytes
    is_subdomain: bool


def read_tags(value: bytes) -> dict[bytes, Tag]:
    """Raises Unverifiable."""
    try:
        return parse_tags(value)
    except Invalid as fault:
        raise malformed(f"the signature cannot be read: {fault}") from None


def read_signature(value: bytes, tags: Tags, *, now: Instant) -> Signature:
    """A DKIM-Signature. Raises Unverifiable."""
    _demand(tags, _REQUIRED)
    if tags[b"v"].value != b"1":
        raise malformed("the signature is of another version than 1")
    signer = read_signer(tags)
    if tags.get(b"q") and b"dns/txt" not in without_white_space(tags[b"q"].value).split(b":"):
        raise malformed("the key is not said to be in DNS")
    below = _is_subdomain(tags, signer.domain)
    signature = read_coverage(value, tags, signer, default_form=b"simple/simple", is_subdomain=below)
    # RFC 6376 §5.4, §6.1.1: a signature that does not cover From says nothing about the message.
    if b"from" not in signature.names:
        raise permanent("the From field is not signed")
    check_times(tags, now)
    return signature


def read_signer(tags: Tags) -> Signer:
    """The tags that every sort of signature has. Raises Unverifiable."""
    _demand(tags, (b"a", b"b", b"d", b"s"))
    algorithm = tags[b"a"].value.decode("ascii", "replace")
    if algorithm == "rsa-sha1":
        # RFC 8301 §3.1: rsa-sha1 MUST NOT be used for verifying.
        raise unacceptable("signatures with SHA-1 do not count any more")
    if algorithm not in ALGORITHMS:
        raise malformed("the algorithm of the signature is unknown")
    signature = _base64(tags[b"b"].value)
    if not signature:
        raise malformed("the signature has no value")
    domain = _domain(tags[b"d"].value)
    return Signer(domain=domain, selector=_selector(tags[b"s"].value), algorithm=algorithm, signature=signature)


def read_coverage(
    value: bytes, tags: Tags, signer: Signer, *, default_form: bytes, is_subdomain: bool = False
) -> Signature:
    """What of the message is signed. default_form: of a signature without c=. Raises Unverifiable."""
    _demand(tags, (b"bh", b"h"))
    header_form, body_form = _forms(tags[b"c"].value if b"c" in tags else default_form)
    length = tags.get(b"l")
    if length is not None and not _LENGTH.fullmatch(length.value):
        raise malformed("the length of the signed body is no number")
    return Signature(
        signer=signer,
        names=tuple(without_white_space(tags[b"h"].value).lower().split(b":")),
        header_form=header_form,
        body_form=body_form,
        body_hash=_base64(tags[b"bh"].value),
        length=None if length is None else int(length.value),
        unsigned_value=without_signature(value, tags),
        is_subdomain=is_subdomain,
    )


def check_times(tags: Tags, now: Instant) -> None:
    signed_at = read_time(tags, b"t")
    expires_at = read_time(tags, b"x")
    if signed_at is not None and signed_at > now + CLOCK_SKEW_MS:
        raise permanent("the signature is from the future")
    if expires_at is None:
        return
    if signed_at is not None and expires_at <= signed_at:
        raise malformed("the signature expires before it was made")  # RFC 6376 §3.5: x= MUST be greater than t=
    if expires_at < now - CLOCK_SKEW_MS:
        raise permanent("the signature has expired")


def read_time(tags: Tags, name: bytes) -> Instant | None:
    """Raises Unverifiable."""
    if name not in tags:
        return None
    if not _INSTANT.fullmatch(tags[name].value):
        raise malformed("a time in the signature is no number")
    return Instant(int(tags[name].value) * SECOND_MS)


def without_signature(value: bytes, tags: Tags) -> bytes:
    """RFC 6376 §3.7: the value of b= taken out, with the white space around it."""
    signature = tags[b"b"]
    return value[: signature.start] + value[signature.end :]


def identity(tags: Tags) -> str:
    """i=, fit to be shown: printable, at most 320 characters."""
    domain = tags[b"d"].value if b"d" in tags else b""
    text = tags[b"i"].value if b"i" in tags else b"@" + domain  # RFC 6376 §3.5: the default of i=
    return shown(text)


def algorithm(tags: Tags) -> str:
    """a=, fit to be shown; "" where it is no such word."""
    found = tags.get(b"a")
    return found.value.decode("ascii") if found and _ALGORITHM.fullmatch(found.value) else ""


def signature_start(tags: Tags) -> str:
    """RFC 6008 §4: as many characters of b= as tell one signature from the other."""
    found = tags.get(b"b")
    return shown(without_white_space(found.value)[:SIGNATURE_START_CHARACTERS]) if found else ""


def shown(text: bytes) -> str:
    """What others wrote, fit for a line of a log or a header field."""
    shortened = text[:MOST_SHOWN_OCTETS].decode("utf-8", "replace")
    if shortened.isprintable() and " " not in shortened:
        return shortened
    return "".join(character if character.isprintable() and character != " " else "?" for character in shortened)


def _demand(tags: Tags, names: Collection[bytes]) -> None:
    missing = [name.decode("ascii") for name in names if name not in tags]
    if missing:
        raise malformed(f"the signature lacks {', '.join(f'{name}=' for name in missing)}")


def _base64(value: bytes) -> bytes:
    try:
        return base64.b64decode(without_white_space(value), validate=True)
    except binascii.Error:
        raise malformed("the signature is not in base64") from None


def _domain(value: bytes) -> str:
    # RFC 8616 §4: U-labels may stand in the field, DNS is asked for A-labels.
    try:
        domain = domain_key(value.decode("utf-8"))
    except (Invalid, UnicodeDecodeError):
        raise malformed("the signature's domain is no domain name") from None
    # RFC 6376 §3.5: domain-name = sub-domain 1*("." sub-domain)
    if domain.startswith("[") or "." not in domain:
        raise malformed("the signature's domain is no domain name")
    return domain


def _selector(value: bytes) -> str:
    try:
        selector = domain_key(value.decode("utf-8"))
    except (Invalid, UnicodeDecodeError):
        raise malformed("the signature's selector is no name in DNS") from None
    if selector.startswith("["):
        raise malformed("the signature's selector is no name in DNS")
    return selector


def _forms(value: bytes) -> tuple[Form, Form]:
    header, _, body = value.partition(b"/")
    try:
        # RFC 6376 §3.5: where only one is named, it is the header's, and the body's is simple.
        return Form(header), Form(body if b"/" in value else b"simple")
    except ValueError:
        raise malformed("the canonical form of the signature is unknown") from None


def _is_subdomain(tags: Tags, domain: str) -> bool:
    if b"i" not in tags:
        return False
    # RFC 6376 §3.5: the domain part of i= is that of d= or below it.
    of_identity = tags[b"i"].value.rpartition(b"@")
    if not of_identity[1]:
        raise malformed("the signature's identity is no address")
    below = _domain(of_identity[2])
    if below != domain and not below.endswith(f".{domain}"):
        raise permanent("the signature's identity is of another domain than the signature")
    return below != domain
