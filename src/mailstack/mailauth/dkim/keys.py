"""DKIM key pairs: made, written as a DNS record, loaded for signing.

Selectors and publishing are reconcile's. RFC 6376 §3.6.1, RFC 8301, RFC 8463.
"""

import base64
from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from mailstack.model.errors import Invalid

ALGORITHMS = ("rsa2048", "ed25519")
MOST_RSA_BITS = 4096
RSA_BITS = 2048  # RFC 8301 §3.2: signers should use at least 2048 bits; longer ones do not fit every resolver's UDP


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPair:
    """private_pem: PKCS 8; public_key: the value of `p=`."""

    private_pem: str
    public_key: str

    def __repr__(self) -> str:
        return f"KeyPair(public_key={self.public_key!r})"


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """One selector's key, parsed once for a whole generation. domain: A-labels. life_s: of its signatures, None for
    ever."""

    domain: str
    selector: str
    private_key: RSAPrivateKey | Ed25519PrivateKey
    life_s: int | None = None

    def __repr__(self) -> str:
        return f"SigningKey(domain={self.domain!r}, selector={self.selector!r})"


def generate(algorithm: str) -> KeyPair:
    """algorithm: rsa2048 or ed25519, as the spec names them. Raises Invalid for another."""
    if algorithm == "rsa2048":
        return _pair(generate_private_key(public_exponent=65537, key_size=RSA_BITS))
    if algorithm == "ed25519":
        return _pair(Ed25519PrivateKey.generate())
    raise Invalid(f"{algorithm!r} is no DKIM algorithm ({', '.join(ALGORITHMS)})")


def load(*, domain: str, selector: str, private_pem: str, life_s: int | None = None) -> SigningKey:
    """Raises Invalid for a text that is no private key of a kind DKIM knows."""
    try:
        key = load_pem_private_key(private_pem.encode("ascii"), password=None)
    except (ValueError, TypeError) as fault:
        raise Invalid(f"the DKIM key {selector}._domainkey.{domain} cannot be read") from fault
    if not isinstance(key, RSAPrivateKey | Ed25519PrivateKey):
        raise Invalid(f"the DKIM key {selector}._domainkey.{domain} is neither RSA nor Ed25519")
    return SigningKey(domain=domain, selector=selector, private_key=key, life_s=life_s)


def pair_of(algorithm: str, private_pem: str) -> KeyPair:
    """A key that was made elsewhere, in the form of our own. Raises Invalid for one that this algorithm cannot use."""
    try:
        key = load_pem_private_key(private_pem.encode("utf-8"), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as fault:
        raise Invalid(f"no private key in PEM without a password ({type(fault).__name__})") from fault
    if algorithm == "ed25519":
        if not isinstance(key, Ed25519PrivateKey):
            raise Invalid("an Ed25519 key is needed")
        return _pair(key)
    if not isinstance(key, RSAPrivateKey):
        raise Invalid("an RSA key is needed")
    # RFC 8301 §3.2: verifiers must take 1024 to 4096 bits, and signers should have at least 2048.
    if not RSA_BITS <= key.key_size <= MOST_RSA_BITS:
        raise Invalid(f"an RSA key of {key.key_size} bits (allowed: {RSA_BITS} to {MOST_RSA_BITS})")
    return _pair(key)


def record(algorithm: str, public_key: str) -> str:
    """The text of the TXT record at selector._domainkey.domain."""
    # RFC 6376 §3.6.1: key-k-tag "rsa"; RFC 8463 §4: "ed25519".
    key_type = "rsa" if algorithm == "rsa2048" else "ed25519"
    return f"v=DKIM1; k={key_type}; p={public_key}"


def _pair(key: RSAPrivateKey | Ed25519PrivateKey) -> KeyPair:
    private_pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode("ascii")
    return KeyPair(private_pem=private_pem, public_key=_public_key(key))


def _public_key(key: RSAPrivateKey | Ed25519PrivateKey) -> str:
    if isinstance(key, RSAPrivateKey):
        # RFC 6376 §3.6.1 names RSAPublicKey; eid 3017 allows it inside SubjectPublicKeyInfo, as everyone publishes it.
        public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    else:
        # RFC 8463 §4: the 32 octets themselves, without an ASN.1 frame.
        public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return base64.b64encode(public).decode("ascii")
