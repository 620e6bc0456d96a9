"""Tokens: what a program shows the API in place of a login. Who makes and checks them is services.identity.tokens.

A token's text is for secret scanners to recognise: a fixed prefix, letters and digits only, and a checksum, so that a
scanner can tell a real one without asking the server. Only the hash of it is ever stored.
"""

import hashlib
import re
import zlib
from dataclasses import dataclass, field
from enum import StrEnum

from mailstack.model.errors import Invalid
from mailstack.model.ids import TokenId
from mailstack.model.instant import Instant

PREFIX = "mst_"
ID_LENGTH = 10
SECRET_LENGTH = 32
CHECKSUM_LENGTH = 6
RANDOM_OCTETS = 48
"""More than the letters can hold, so that each of them is as likely as any other to within 2**-100."""

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_TEXT = re.compile(f"{PREFIX}(?P<id>[0-9A-Za-z]{{{ID_LENGTH}}})[0-9A-Za-z]{{{SECRET_LENGTH + CHECKSUM_LENGTH}}}")


class Scope(StrEnum):
    """What a token is good for; more will come."""

    STATE = "state"  # read what is applied and running
    PLAN = "plan"  # see what a spec would change
    APPLY = "apply"  # change it
    TOKENS = "tokens"  # make tokens that hold no more than itself, list and revoke those


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """secret_hash: SHA-256 of the whole text. maker: the token that made it, "" for the machine's own shell.
    expires_at: None for never."""

    token_id: TokenId
    name: str
    secret_hash: bytes = field(repr=False)
    scopes: frozenset[Scope]
    maker: TokenId
    created_at: Instant
    expires_at: Instant | None
    used_at: Instant | None = None
    revoked_at: Instant | None = None


def token_text(random: bytes) -> str:
    """random: RANDOM_OCTETS of them."""
    number = int.from_bytes(random)
    body = PREFIX + _base62(number, ID_LENGTH + SECRET_LENGTH)
    return body + _checksum(body)


def token_id_of(text: str) -> TokenId:
    """Which token the text claims to be. Raises Invalid for what cannot be one."""
    found = _TEXT.fullmatch(text)
    if found is None or _checksum(text[:-CHECKSUM_LENGTH]) != text[-CHECKSUM_LENGTH:]:
        raise Invalid("not a token of mailstack, or not all of one")
    return TokenId(found["id"])


def hash_of(text: str) -> bytes:
    """One fast hash is enough: nobody guesses 190 random bits, whatever a guess costs."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode("ascii")), CHECKSUM_LENGTH)


def _base62(number: int, length: int) -> str:
    letters = []
    for _ in range(length):
        number, digit = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[digit])
    return "".join(reversed(letters))
