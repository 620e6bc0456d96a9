"""Telling a stored password hash from anything else, and a strong one from a weak one. Nothing is hashed here."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Scheme(StrEnum):
    """Hashes that a login can be checked against."""

    ARGON2ID = "argon2id"
    BCRYPT = "bcrypt"
    SHA512_CRYPT = "sha512-crypt"


MIN_ARGON2_MEMORY_KIB = 8 * 1024
MIN_BCRYPT_COST = 10
MIN_SHA512_ROUNDS = 5_000
SHA512_DEFAULT_ROUNDS = 5_000
"""What `$6$salt$hash` without `rounds=` means."""

_SHA512_PREFIX = "{SHA512-CRYPT}"

# RFC 9106 §3.1: m at least 8*p KiB, t at least 1; the PHC string form has base64 without padding.
_ARGON2ID = re.compile(
    r"\$argon2id\$v=19\$m=(\d{1,10}),t=(\d{1,10}),p=(\d{1,8})\$[A-Za-z0-9+/]{11,86}\$[A-Za-z0-9+/]{16,128}"
)
_BCRYPT = re.compile(r"\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}")
_SHA512_CRYPT = re.compile(r"\$6\$(?:rounds=(\d{1,9})\$)?[^$:\s]{1,16}\$[./A-Za-z0-9]{86}")


@dataclass(frozen=True, slots=True)
class _Form:
    scheme: Scheme
    pattern: re.Pattern[str]
    weakness: Callable[[re.Match[str]], str]


def scheme_of(text: str) -> Scheme | None:
    """None: no hash that mailstack can check a password against."""
    found = _match(text)
    return found[0].scheme if found else None


def weakness_of(text: str) -> str:
    """Why a hash is too cheap to guess against, "" for a sound one or for text that is no hash."""
    found = _match(text)
    return found[0].weakness(found[1]) if found else ""


def crypt_form(text: str) -> str:
    """The hash as crypt(3) writes it, without the prefix that Dovecot puts before it."""
    return text.removeprefix(_SHA512_PREFIX)


def _match(text: str) -> tuple[_Form, re.Match[str]] | None:
    plain = crypt_form(text)
    for form in _FORMS:
        found = form.pattern.fullmatch(plain)
        if found and (plain is text or form.scheme is Scheme.SHA512_CRYPT):
            return form, found
    return None


def _argon2_weakness(found: re.Match[str]) -> str:
    memory, passes = int(found[1]), int(found[2])
    if memory < MIN_ARGON2_MEMORY_KIB or passes < 1:
        return f"argon2id with m={memory},t={passes} is weak; at least m={MIN_ARGON2_MEMORY_KIB},t=1"
    return ""


def _bcrypt_weakness(found: re.Match[str]) -> str:
    cost = int(found[1])
    return f"bcrypt with cost {cost} is weak; at least {MIN_BCRYPT_COST}" if cost < MIN_BCRYPT_COST else ""


def _sha512_weakness(found: re.Match[str]) -> str:
    rounds = int(found[1] or SHA512_DEFAULT_ROUNDS)
    if rounds < MIN_SHA512_ROUNDS:
        return f"sha512-crypt with {rounds} rounds is weak; at least {MIN_SHA512_ROUNDS}"
    return ""


_FORMS = (
    _Form(Scheme.ARGON2ID, _ARGON2ID, _argon2_weakness),
    _Form(Scheme.BCRYPT, _BCRYPT, _bcrypt_weakness),
    _Form(Scheme.SHA512_CRYPT, _SHA512_CRYPT, _sha512_weakness),
)
