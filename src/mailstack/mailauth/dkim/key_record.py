"""Public keys as domains publish them: found in DNS, read, tried. RFC 6376 §3.6, §6.1.2; RFC 8301 §3.2; RFC 8463 §4."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from mailstack.formats.tagvalue import Tag, parse_tags, without_white_space
from mailstack.mailauth.dkim.signature import Signer
from mailstack.mailauth.dkim.unverifiable import Unverifiable, permanent, unacceptable
from mailstack.model.errors import Invalid, TryAgainLater
from mailstack.model.verdict import DkimResult
from mailstack.ports.resolver import Resolver

LEAST_RSA_BITS = 1024  # RFC 8301 §3.2: signatures with shorter keys MUST NOT be considered valid
# RFC 8301 §3.2: up to 4096 MUST be supported. What is far longer only costs the verifier time.
MOST_RSA_BITS = 8192
# 65537 nearly everywhere. A verification takes as long as the exponent is: of 3,072 bits, as long as a hundred others.
MOST_RSA_EXPONENT = 2**32
MOST_RECORDS = 4  # of one name; RFC 6376 §3.6.2.2: what follows from several is undefined
MOST_RECORD_CHARACTERS = 4_096  # an RSA key of 8192 bits has 1,400
KEYS_KEPT = 1_024

_PADDING = PKCS1v15()
_DIGEST = Prehashed(SHA256())


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKey:
    """rsa_bits: 0 of an Ed25519 key. is_testing: t=y. is_strict: t=s, no subdomains in i=."""

    key: RSAPublicKey | Ed25519PublicKey
    rsa_bits: int
    is_testing: bool
    is_strict: bool

    def verifies(self, signature: bytes, digest: bytes) -> bool:
        """digest: SHA-256 of the header fields."""
        try:
            if isinstance(self.key, RSAPublicKey):
                self.key.verify(signature, digest, _PADDING, _DIGEST)
            else:
                self.key.verify(signature, digest)  # RFC 8463 §3: PureEdDSA over the hash
        except InvalidSignature:
            return False
        return True


async def find_keys(resolver: Resolver, signer: Signer) -> Sequence[PublicKey]:
    """Those that this signer may have used, at least one. Raises Unverifiable."""
    name = f"{signer.selector}._domainkey.{signer.domain}"
    try:
        records = await resolver.texts(name)
    except TryAgainLater:
        raise Unverifiable(DkimResult.TEMPERROR, f"DNS did not answer for the key at {name}") from None
    if not records:
        raise permanent(f"there is no key at {name}")
    keys: list[PublicKey] = []
    faults: list[Unverifiable] = []
    for record in records[:MOST_RECORDS]:
        try:
            keys.append(_read_bounded(record, signer.algorithm))
        except Unverifiable as fault:
            faults.append(fault)
    if not keys:
        raise faults[0]
    return keys


def _read_bounded(record: str, algorithm: str) -> PublicKey:
    if len(record) > MOST_RECORD_CHARACTERS:
        raise permanent("the key record is too long")
    return read_key(record, algorithm)


@lru_cache(maxsize=KEYS_KEPT)
def read_key(record: str, algorithm: str) -> PublicKey:
    """record: as the resolver gives it. algorithm: a= of the signature. Raises Unverifiable."""
    tags = _read_tags(record)
    # RFC 6376 §3.6.1: records of another version MUST be discarded.
    if tags.get(b"v", _DKIM1).value != b"DKIM1":
        raise permanent("the key record is of another version than DKIM1")
    if b"p" not in tags:
        raise permanent("the key record holds no key")
    # RFC 6376 §3.6.1: an empty value means that this public key has been revoked.
    if not tags[b"p"].value:
        raise permanent("the key has been revoked")
    if b"h" in tags and b"sha256" not in _listed(tags[b"h"]):
        raise permanent("the key is not for SHA-256")
    if b"s" in tags and not _listed(tags[b"s"]) & {b"*", b"email"}:
        raise permanent("the key is not for mail")
    key_type = tags[b"k"].value if b"k" in tags else b"rsa"
    # RFC 6376 §6.1.2: the key's type must be that of the signature's algorithm.
    if key_type + b"-sha256" != algorithm.encode("ascii"):
        raise permanent("the key is of another sort than the signature")
    key = _read_public_key(key_type, tags[b"p"].value)
    flags = _listed(tags[b"t"]) if b"t" in tags else frozenset()
    return PublicKey(
        key=key,
        rsa_bits=key.key_size if isinstance(key, RSAPublicKey) else 0,
        is_testing=b"y" in flags,
        is_strict=b"s" in flags,
    )


_DKIM1 = Tag(b"DKIM1", 0, 0)


def _read_tags(record: str) -> dict[bytes, Tag]:
    try:
        return parse_tags(record.encode("ascii", "surrogateescape"))
    except (Invalid, UnicodeEncodeError):
        raise permanent("the key record cannot be read") from None


def _listed(tag: Tag) -> frozenset[bytes]:
    return frozenset(without_white_space(tag.value).split(b":"))


def _read_public_key(key_type: bytes, value: bytes) -> RSAPublicKey | Ed25519PublicKey:
    try:
        octets = base64.b64decode(without_white_space(value), validate=True)
        if key_type == b"ed25519":
            return Ed25519PublicKey.from_public_bytes(octets)
        key = load_der_public_key(octets)  # RFC 6376 §3.6.1, eid 3017: RSAPublicKey, or SubjectPublicKeyInfo around it
    except (ValueError, UnsupportedAlgorithm, binascii.Error):
        raise permanent("the key cannot be read") from None
    if not isinstance(key, RSAPublicKey):
        raise permanent("the key is no RSA key")
    if key.key_size < LEAST_RSA_BITS:
        raise unacceptable(f"the key has {key.key_size} bits; fewer than {LEAST_RSA_BITS} do not count")
    if key.key_size > MOST_RSA_BITS:
        raise unacceptable(f"the key has {key.key_size} bits; more than {MOST_RSA_BITS} are not looked at")
    if key.public_numbers().e > MOST_RSA_EXPONENT:
        raise unacceptable("the key has an exponent of such a length that it is not looked at")
    return key
