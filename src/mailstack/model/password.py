"""Telling a stored password hash from anything else, and a sound one from one too cheap to guess against or so dear
that checking it would stop the server. Nothing is hashed here.

What is stored of a password is one text: a hash, a SCRAM verifier, or a hash and a verifier after a space. So both
change together, and a verifier never outlives the password that it is of. RFC 8265.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from mailstack.model.errors import Invalid
from mailstack.model.scram import MAX_ITERATIONS, MIN_ITERATIONS, VERIFIER, ScramVerifier, parse_verifier


class Scheme(StrEnum):
    """Hashes that a login can be checked against."""

    ARGON2ID = "argon2id"
    BCRYPT = "bcrypt"
    SHA512_CRYPT = "sha512-crypt"
    SCRAM_SHA_256 = "scram-sha-256"


SHORTEST_PASSWORD = 8
"""Letters of one that somebody chooses."""
MIN_ARGON2_MEMORY_KIB = 8 * 1024
MIN_BCRYPT_COST = 10
MIN_SHA512_ROUNDS = 5_000
SHA512_DEFAULT_ROUNDS = 5_000
"""What `$6$salt$hash` without `rounds=` means."""

MAX_ARGON2_MEMORY_KIB = 1024 * 1024
MAX_ARGON2_PASSES = 64
MAX_ARGON2_LANES = 64
MAX_BCRYPT_COST = 16
MAX_SHA512_ROUNDS = 1_000_000

_SHA512_PREFIX = "{SHA512-CRYPT}"

# RFC 9106 §3.1: m at least 8*p KiB, t at least 1; the PHC string form has base64 without padding.
_ARGON2ID = re.compile(
    r"\$argon2id\$v=19\$m=([0-9]{1,10}),t=([0-9]{1,10}),p=([0-9]{1,8})\$[A-Za-z0-9+/]{11,86}\$[A-Za-z0-9+/]{16,128}"
)
_BCRYPT = re.compile(r"\$2[aby]\$([0-9]{2})\$[./A-Za-z0-9]{53}")
_SHA512_CRYPT = re.compile(r"\$6\$(?:rounds=([0-9]{1,9})\$)?[^$:\s]{1,16}\$[./A-Za-z0-9]{86}")

# What crypt(3) and other mail servers write and a login here cannot be checked against: yescrypt, MD5, {SSHA} and more.
_OTHER_HASH = re.compile(
    r"\$(?:[1-7]|2[abxy]|y|gy|apr1|md5|sha1|scrypt|pbkdf2[a-z0-9-]*|argon2(?:i|d|id))\$.{8}|\{[A-Z0-9.-]{3,}\}.{8}"
    r"|SCRAM-SHA-[0-9]+\$.{8}"
)


@dataclass(frozen=True, slots=True)
class _Form:
    scheme: Scheme
    pattern: re.Pattern[str]
    weakness: Callable[[re.Match[str]], str]


def opaque_string(plain: str) -> bytes:
    """A password as it is hashed: the same, whatever keyboard it was typed on.

    RFC 8265 §4.2.2: spaces beyond ASCII become U+0020, then NFC. RFC 7677 asks SCRAM for SASLprep, which also folds
    compatible letters; for what people type the two agree, and one password has one form here.
    """
    spaced = "".join(" " if unicodedata.category(c) == "Zs" else c for c in plain)
    return unicodedata.normalize("NFC", spaced).encode("utf-8", "surrogatepass")


def scheme_of(text: str) -> Scheme | None:
    """What a password is checked against. None: no hash that mailstack can check a password against."""
    found = _matches(text)
    return found[0][0].scheme if found else None


def weakness_of(text: str) -> str:
    """Why a hash is too cheap or too dear, "" for a sound one or for text that is no hash."""
    return next(filter(None, (form.weakness(found) for form, found in _matches(text))), "")


def main_hash(text: str) -> str:
    """What a password is checked against: the hash, or the verifier where it stands alone. A verifier that comes to a
    hash later leaves it as it is."""
    return text.partition(" ")[0]


def verifier_of(text: str) -> ScramVerifier | None:
    try:
        return parse_verifier(text.rpartition(" ")[2])
    except Invalid:
        return None


def with_verifier(password_hash: str, verifier: ScramVerifier) -> str:
    return f"{main_hash(password_hash)} {verifier}"


def is_other_hash(text: str) -> bool:
    """A hash of a kind that cannot be used, or a damaged one: taken for a password it would be one that leaked."""
    return scheme_of(text) is None and _OTHER_HASH.match(text) is not None


def crypt_form(text: str) -> str:
    """The hash as crypt(3) writes it, without the prefix that Dovecot puts before it."""
    return text.removeprefix(_SHA512_PREFIX)


_Match = tuple[_Form, re.Match[str]]


def _matches(text: str) -> tuple[_Match, ...]:
    """Of the hash, and of the verifier beside it. None at all where anything is something else."""
    first, _, second = text.partition(" ")
    found = _match(first)
    if found is None or not second:
        return (found,) if found and first == text else ()
    beside = _match(second)
    is_pair = beside is not None and beside[0].scheme is Scheme.SCRAM_SHA_256 is not found[0].scheme
    return (found, beside) if beside is not None and is_pair else ()


def _match(text: str) -> _Match | None:
    plain = crypt_form(text)
    for form in _FORMS:
        found = form.pattern.fullmatch(plain)
        if found and (plain is text or form.scheme is Scheme.SHA512_CRYPT):
            return form, found
    return None


def _argon2_weakness(found: re.Match[str]) -> str:
    memory, passes, lanes = int(found[1]), int(found[2]), int(found[3])
    if memory > MAX_ARGON2_MEMORY_KIB or passes > MAX_ARGON2_PASSES or not 1 <= lanes <= MAX_ARGON2_LANES:
        most = f"m={MAX_ARGON2_MEMORY_KIB},t={MAX_ARGON2_PASSES},p={MAX_ARGON2_LANES}"
        return f"argon2id with m={memory},t={passes},p={lanes} cannot be checked; at most {most}"
    if memory < MIN_ARGON2_MEMORY_KIB or passes < 1:
        return f"argon2id with m={memory},t={passes} is weak; at least m={MIN_ARGON2_MEMORY_KIB},t=1"
    return ""


def _bcrypt_weakness(found: re.Match[str]) -> str:
    cost = int(found[1])
    if cost > MAX_BCRYPT_COST:
        return f"bcrypt with cost {cost} takes too long to check; at most {MAX_BCRYPT_COST}"
    return f"bcrypt with cost {cost} is weak; at least {MIN_BCRYPT_COST}" if cost < MIN_BCRYPT_COST else ""


def _sha512_weakness(found: re.Match[str]) -> str:
    rounds = int(found[1] or SHA512_DEFAULT_ROUNDS)
    if rounds < MIN_SHA512_ROUNDS:
        return f"sha512-crypt with {rounds} rounds is weak; at least {MIN_SHA512_ROUNDS}"
    if rounds > MAX_SHA512_ROUNDS:
        return f"sha512-crypt with {rounds} rounds takes too long to check; at most {MAX_SHA512_ROUNDS}"
    return ""


def _scram_weakness(found: re.Match[str]) -> str:
    iterations = int(found[1])
    if iterations < MIN_ITERATIONS:
        return f"scram-sha-256 with {iterations} iterations is weak; at least {MIN_ITERATIONS}"
    if iterations > MAX_ITERATIONS:
        return f"scram-sha-256 with {iterations} iterations takes too long to check; at most {MAX_ITERATIONS}"
    return ""


_FORMS = (
    _Form(Scheme.ARGON2ID, _ARGON2ID, _argon2_weakness),
    _Form(Scheme.BCRYPT, _BCRYPT, _bcrypt_weakness),
    _Form(Scheme.SHA512_CRYPT, _SHA512_CRYPT, _sha512_weakness),
    _Form(Scheme.SCRAM_SHA_256, VERIFIER, _scram_weakness),
)
