"""What a server keeps of a password for SCRAM-SHA-256, and the arithmetic between a password and that.

A verifier proves a password without holding it; who steals one can guess against it, at the price of its iterations.
Written as PostgreSQL writes it. Not the exchange itself: wire/sasl/scram. RFC 5802 §3, RFC 7677, RFC 5803.
"""

import hashlib
import hmac
import re
from binascii import Error, a2b_base64, b2a_base64
from dataclasses import dataclass

from mailstack.model.errors import Invalid

DIGEST = "sha256"
DIGEST_OCTETS = 32
SALT_OCTETS = 16
MIN_ITERATIONS = 4_096
"""RFC 7677 §4."""
MAX_ITERATIONS = 1_000_000
NORMAL_ITERATIONS = 60_000
"""Cyrus SASL, and with it many mail programs, refuses more than 65,536."""

_PREFIX = "SCRAM-SHA-256$"
# RFC 5803 §2 has the same parts: iterations, salt, StoredKey, ServerKey; 32 octets are 43 letters and one "=".
VERIFIER = re.compile(
    r"SCRAM-SHA-256\$([1-9][0-9]{0,9})"
    r":((?:[A-Za-z0-9+/]{4}){1,40}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)"
    r"\$([A-Za-z0-9+/]{43}=):([A-Za-z0-9+/]{43}=)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScramVerifier:
    """RFC 5802 §3: StoredKey is H(ClientKey), ServerKey is what the server proves itself with."""

    iterations: int
    salt: bytes
    stored_key: bytes
    server_key: bytes

    def __repr__(self) -> str:
        return f"ScramVerifier(iterations={self.iterations})"

    def __str__(self) -> str:
        salt, stored_key, server_key = (
            b2a_base64(part, newline=False).decode() for part in (self.salt, self.stored_key, self.server_key)
        )
        return f"{_PREFIX}{self.iterations}:{salt}${stored_key}:{server_key}"


def parse_verifier(text: str) -> ScramVerifier:
    """Raises Invalid."""
    found = VERIFIER.fullmatch(text)
    if found is None:
        raise Invalid("no SCRAM-SHA-256 verifier")
    try:
        salt, stored_key, server_key = (a2b_base64(part, strict_mode=True) for part in found.groups()[1:])
    except Error as fault:
        raise Invalid("a SCRAM-SHA-256 verifier that is not base64") from fault
    return ScramVerifier(iterations=int(found[1]), salt=salt, stored_key=stored_key, server_key=server_key)


def derive_verifier(password: bytes, *, salt: bytes, iterations: int) -> ScramVerifier:
    """password: prepared. Takes as long as its iterations ask for."""
    salted = salted_password(password, salt=salt, iterations=iterations)
    return ScramVerifier(
        iterations=iterations,
        salt=salt,
        stored_key=hashlib.sha256(client_key(salted)).digest(),
        server_key=server_key(salted),
    )


def is_password_of(verifier: ScramVerifier, password: bytes) -> bool:
    """password: prepared. Takes as long as the verifier's iterations ask for."""
    found = derive_verifier(password, salt=verifier.salt, iterations=verifier.iterations)
    return hmac.compare_digest(found.stored_key, verifier.stored_key)


def salted_password(password: bytes, *, salt: bytes, iterations: int) -> bytes:
    """RFC 5802 §2.2: Hi() is PBKDF2 with an output of one digest."""
    return hashlib.pbkdf2_hmac(DIGEST, password, salt, iterations)


def client_key(salted: bytes) -> bytes:
    return hmac.digest(salted, b"Client Key", DIGEST)


def server_key(salted: bytes) -> bytes:
    return hmac.digest(salted, b"Server Key", DIGEST)
