"""Password hashes: argon2id with a SCRAM verifier for new ones; bcrypt, sha512-crypt and verifiers alone for those
brought along from other servers.

Slow on purpose; callers on the event loop go through Login, which uses threads. RFC 9106, RFC 8265, RFC 7677.
"""

import secrets
from enum import Enum

import argon2
import bcrypt

from mailstack.model.errors import Invalid
from mailstack.model.password import main_hash, opaque_string, with_verifier
from mailstack.model.scram import (
    MIN_ITERATIONS,
    NORMAL_ITERATIONS,
    SALT_OCTETS,
    ScramVerifier,
    derive_verifier,
    is_password_of,
    parse_verifier,
)

MAX_PASSWORD_OCTETS = 1024
_BCRYPT_OCTETS = 72
_BCRYPT_PREFIXES = ("$2a$", "$2b$", "$2y$")
_SHA512_LABEL = "{SHA512-CRYPT}"
_SCRAM_PREFIX = "SCRAM-SHA-256$"


class HashCost(Enum):
    """NORMAL: RFC 9106 §4, the second recommended option. LOW: for the sandbox, where nothing is worth guessing."""

    NORMAL = "normal"
    LOW = "low"


_HASHERS = {
    HashCost.NORMAL: argon2.PasswordHasher(time_cost=3, memory_cost=65_536, parallelism=4),
    HashCost.LOW: argon2.PasswordHasher(time_cost=1, memory_cost=1_024, parallelism=1),
}
_ITERATIONS = {HashCost.NORMAL: NORMAL_ITERATIONS, HashCost.LOW: MIN_ITERATIONS}


def hash_password(plain: str, *, cost: HashCost) -> str:
    """`$argon2id$… SCRAM-SHA-256$…`, with random salts."""
    return with_verifier(_HASHERS[cost].hash(opaque_string(plain)), make_verifier(plain, cost=cost))


def make_verifier(plain: str, *, cost: HashCost) -> ScramVerifier:
    salt = secrets.token_bytes(SALT_OCTETS)
    return derive_verifier(opaque_string(plain), salt=salt, iterations=_ITERATIONS[cost])


def verify_password(password_hash: str, plain: str) -> bool:
    """password_hash: as an account has it. False as well for one that is empty, of an unknown kind or damaged."""
    password = opaque_string(plain)
    if len(password) > MAX_PASSWORD_OCTETS:
        return False
    return _verify(main_hash(password_hash), password)


def _verify(password_hash: str, password: bytes) -> bool:
    if password_hash.startswith("$argon2id$"):
        return _verify_argon2(password_hash, password)
    if password_hash.startswith(_BCRYPT_PREFIXES):
        return _verify_bcrypt(password_hash, password)
    if password_hash.startswith("$6$") or password_hash.upper().startswith(_SHA512_LABEL):
        return _verify_sha512(password_hash, password)
    if password_hash.startswith(_SCRAM_PREFIX):
        return _verify_scram(password_hash, password)
    return False


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


def _verify_scram(verifier: str, password: bytes) -> bool:
    try:
        return is_password_of(parse_verifier(verifier), password)
    except Invalid:
        return False
