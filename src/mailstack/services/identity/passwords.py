"""Password hashes: argon2id for new ones, bcrypt and sha512-crypt for those brought along from other servers.

Slow on purpose; callers on the event loop go through Login, which uses threads. RFC 9106, RFC 8265.
"""

import unicodedata
from enum import Enum

import argon2
import bcrypt

MAX_PASSWORD_OCTETS = 1024
_BCRYPT_OCTETS = 72
_BCRYPT_PREFIXES = ("$2a$", "$2b$", "$2y$")
_SHA512_LABEL = "{SHA512-CRYPT}"


class HashCost(Enum):
    """NORMAL: RFC 9106 §4, the second recommended option. LOW: for the sandbox, where nothing is worth guessing."""

    NORMAL = "normal"
    LOW = "low"


_HASHERS = {
    HashCost.NORMAL: argon2.PasswordHasher(time_cost=3, memory_cost=65_536, parallelism=4),
    HashCost.LOW: argon2.PasswordHasher(time_cost=1, memory_cost=1_024, parallelism=1),
}


def hash_password(plain: str, *, cost: HashCost) -> str:
    """`$argon2id$…`, with a random salt."""
    return _HASHERS[cost].hash(_prepared(plain))


def verify_password(password_hash: str, plain: str) -> bool:
    """False as well for a hash that is empty, of an unknown kind or damaged."""
    password = _prepared(plain)
    if len(password) > MAX_PASSWORD_OCTETS:
        return False
    if password_hash.startswith("$argon2id$"):
        return _verify_argon2(password_hash, password)
    if password_hash.startswith(_BCRYPT_PREFIXES):
        return _verify_bcrypt(password_hash, password)
    if password_hash.startswith("$6$") or password_hash.upper().startswith(_SHA512_LABEL):
        return _verify_sha512(password_hash, password)
    return False


def _prepared(plain: str) -> bytes:
    # RFC 8265 §4.2.2: spaces beyond ASCII become U+0020, then NFC; so a password typed on two keyboards is the same.
    spaced = "".join(" " if unicodedata.category(c) == "Zs" else c for c in plain)
    return unicodedata.normalize("NFC", spaced).encode("utf-8", "surrogatepass")


def _verify_argon2(password_hash: str, password: bytes) -> bool:
    try:
        return _HASHERS[HashCost.NORMAL].verify(password_hash, password)
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return False


def _verify_bcrypt(password_hash: str, password: bytes) -> bool:
    try:
        # The algorithm sees 72 octets; hashes made where the rest was dropped silently must go on working.
        return bcrypt.checkpw(password[:_BCRYPT_OCTETS], password_hash.encode())
    except ValueError:
        return False


def _verify_sha512(password_hash: str, password: bytes) -> bool:
    from passlib.hash import sha512_crypt  # slow to import, and few servers have such hashes

    text = password_hash[len(_SHA512_LABEL) :] if password_hash.startswith("{") else password_hash
    try:
        return bool(sha512_crypt.verify(password, text))
    except (ValueError, TypeError):
        return False
