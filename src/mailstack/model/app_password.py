"""App passwords: one more password of an account, for one program or device, that can be ended alone. The same text is
a bearer token. Who makes and checks them is services.identity.app_passwords.

For secret scanners to recognise: a fixed prefix, and a checksum; in groups, and without letters that are taken for each
other, for people to type. Only the hash of it is ever stored.
"""

import hashlib
import re
import zlib
from dataclasses import dataclass, field
from enum import StrEnum

from mailstack.model.errors import Invalid
from mailstack.model.ids import AccountId, AppPasswordId
from mailstack.model.instant import Instant
from mailstack.model.scram import ScramVerifier

PREFIX = "mailstack_app"
GROUP = 4
SECRET_GROUPS = 7
"""140 bits."""
ID_LETTERS = 8
RANDOM_OCTETS = 32
"""More than the letters can hold, so that each of them is as likely as any other."""

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
# Nothing that is an address looks like that: no domain has a slash.
_NAMED = re.compile(f"(.+@[^/@]+)/([{_ALPHABET}]{{{ID_LETTERS}}})")
_TEXT = re.compile(f"{PREFIX}(?:_[{_ALPHABET}]{{{GROUP}}}){{{SECRET_GROUPS + 1}}}")


class AppService(StrEnum):
    """What an app password may be used for."""

    IMAP = "imap"
    SUBMISSION = "submission"
    JMAP = "jmap"
    MANAGESIEVE = "managesieve"


ALL_SERVICES = frozenset(AppService)


@dataclass(frozen=True, slots=True, kw_only=True)
class AppPassword:
    """digest: as digest_of gives it; verifier: of the same text. name: for people. expires_at: None for never. used_at:
    about when it was used last."""

    app_password_id: AppPasswordId
    account_id: AccountId
    name: str
    digest: bytes = field(repr=False)
    verifier: ScramVerifier
    services: frozenset[AppService]
    created_at: Instant
    expires_at: Instant | None
    used_at: Instant | None = None

    def has_ended(self, now: Instant) -> bool:
        return self.expires_at is not None and self.expires_at <= now


def app_password_text(random: bytes) -> tuple[AppPasswordId, str]:
    """An id, and what only its owner ever knows. random: RANDOM_OCTETS of them."""
    letters = _base32(int.from_bytes(random), ID_LETTERS + SECRET_GROUPS * GROUP)
    secret = letters[ID_LETTERS:]
    body = "_".join((PREFIX, *(secret[start : start + GROUP] for start in range(0, len(secret), GROUP))))
    return AppPasswordId(letters[:ID_LETTERS]), f"{body}_{_checksum(body)}"


def parted_name(username: str) -> tuple[str, AppPasswordId | None]:
    """A name, and the app password that it says it is proved by: `alice@example.com/k3f9x2m7`; None: it says none."""
    found = _NAMED.fullmatch(username)
    return (username, None) if found is None else (found[1], AppPasswordId(found[2]))


def digest_of(text: str) -> bytes:
    """One fast hash is enough: nobody guesses 140 random bits, whatever a guess costs. Raises Invalid for what is no
    app password, whoever made it."""
    if _TEXT.fullmatch(text) is None or _checksum(text[: -GROUP - 1]) != text[-GROUP:]:
        raise Invalid("not an app password, or not all of one")
    return hashlib.sha256(text.encode("ascii")).digest()


def _checksum(body: str) -> str:
    return _base32(zlib.crc32(body.encode("ascii")), GROUP)


def _base32(number: int, length: int) -> str:
    letters = []
    for _ in range(length):
        number, digit = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[digit])
    return "".join(reversed(letters))
