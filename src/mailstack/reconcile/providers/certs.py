"""Certificates: self-signed ones made here, keys for all, and what can be learned of a chain.

A self-signed chain is a leaf below a CA of its own, so that a client can be given the CA to trust; the CA's
key is thrown away once it has signed. RFC 5280, RFC 6125.
"""

import hashlib
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from mailstack.model import host_pattern
from mailstack.model.errors import Invalid
from mailstack.model.instant import Instant, as_datetime

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

ECDSA, RSA = "ecdsa256", "rsa2048"
ACME_IDENTIFIER = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.31")  # id-pe-acmeIdentifier, RFC 8737 §3
VALID_FOR = timedelta(days=825)  # what Apple's systems accept at most from a CA that a person installed
RENEW_BEFORE = timedelta(days=30)
BACKDATED = timedelta(hours=1)  # for clients whose clock is behind


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifetime:
    start: datetime
    end: datetime


def make_key(key_type: str = ECDSA) -> str:
    """PEM. key_type: a word of the spec's tls.acme.key."""
    key: Key
    if key_type == RSA:
        key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    else:
        key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode("ascii")


def self_signed(names: Sequence[str], now: Instant, key: str | None = None) -> tuple[str, str]:
    """The PEM chain, leaf then CA, and the leaf's key. names: host names and IP addresses, the first is the subject.
    key: one that is kept, PEM. Raises Invalid for one that cannot be used."""
    start = as_datetime(now) - BACKDATED
    key = key or make_key()
    ca_key = ec.generate_private_key(ec.SECP256R1())
    issuer = _name(f"mailstack CA for {names[0]}")
    ca = _ca_certificate(issuer, ca_key, start)
    leaf = _leaf_certificate(names, _loaded(key), issuer=issuer, ca_key=ca_key, start=start)
    chain = b"".join(certificate.public_bytes(Encoding.PEM) for certificate in (leaf, ca))
    return chain.decode("ascii"), key


def proof_certificate(host: str, key_authorization: str, now: Instant) -> str:
    """For one TLS handshake: a key and a certificate in one PEM text. RFC 8737 §3."""
    key = ec.generate_private_key(ec.SECP256R1())
    digest = hashlib.sha256(key_authorization.encode("ascii")).digest()
    # An OCTET STRING of 32 octets: tag, length, value.
    extension = x509.UnrecognizedExtension(ACME_IDENTIFIER, b"\x04\x20" + digest)
    certificate = (
        _builder(_name(host), _name(host), key, as_datetime(now) - BACKDATED)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(extension, critical=True)
        .sign(key, SHA256())
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + certificate.public_bytes(Encoding.PEM)
    return pem.decode("ascii")


def not_after(chain: str) -> datetime:
    """When the leaf ends. Raises Invalid for a text that is no PEM chain."""
    return _leaf(chain).not_valid_after_utc


def lifetime_of(chain: str) -> Lifetime:
    """Of the leaf. Raises Invalid for a text that is no PEM chain."""
    leaf = _leaf(chain)
    return Lifetime(start=leaf.not_valid_before_utc, end=leaf.not_valid_after_utc)


def check_pair(chain: str, key: str) -> None:
    """Raises Invalid unless the key belongs to the chain's first certificate."""
    private = _loaded(key)
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if private.public_key().public_bytes(*form) != _leaf(chain).public_key().public_bytes(*form):
        raise Invalid("the key does not belong to the certificate")


def names_in(chain: str) -> tuple[str, ...]:
    """The subject alternative names: DNS names, wildcards as written, and IP addresses."""
    try:
        found = _leaf(chain).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    addresses = tuple(str(address) for address in found.get_values_for_type(x509.IPAddress))
    return (*found.get_values_for_type(x509.DNSName), *addresses)


def is_self_issued(chain: str) -> bool:
    """Signed under its own name, as nobody but whoever made it would believe. Raises Invalid as names_in."""
    leaf = _leaf(chain)
    return leaf.issuer == leaf.subject


def covers(chain: str, hostname: str) -> bool:
    return any(host_pattern.covers(name, hostname) for name in names_in(chain))


def key_digest(chain: str) -> str:
    """SHA-256 in hex of the leaf's public key, as TLSA records have it (RFC 6698 §2.1.2, §2.1.3)."""
    public = _leaf(chain).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(public).hexdigest()


def digest_of_key(key: str) -> str:
    """The same, of a private key in PEM."""
    public = _loaded(key).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(public).hexdigest()


def _leaf(chain: str) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificates(chain.encode("utf-8"))[0]
    except ValueError as fault:
        raise Invalid(f"the certificate cannot be read: {fault}") from None


def _loaded(key: str) -> Key:
    try:
        private = load_pem_private_key(key.encode("utf-8"), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as fault:
        raise Invalid(f"the key cannot be read: {fault}") from None
    if not isinstance(private, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise Invalid("the key is neither ECDSA nor RSA")
    return private


def _ca_certificate(issuer: x509.Name, key: ec.EllipticCurvePrivateKey, start: datetime) -> x509.Certificate:
    # RFC 5280 §4.2.1.9, §4.2.1.3: a CA that signs leaves only.
    return (
        _builder(issuer, issuer, key, start)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, SHA256())
    )


def _leaf_certificate(
    names: Sequence[str],
    key: Key,
    *,
    issuer: x509.Name,
    ca_key: ec.EllipticCurvePrivateKey,
    start: datetime,
) -> x509.Certificate:
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
    return (
        _builder(_name(names[0]), issuer, key, start)
        .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(authority, critical=False)
        .sign(ca_key, SHA256())
    )


def _builder(subject: x509.Name, issuer: x509.Name, key: Key, start: datetime) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + VALID_FOR)
    )


def _name(text: str) -> x509.Name:
    # RFC 5280 appendix A.1: ub-common-name is 64 characters; the names that count are in subjectAltName.
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:64])])


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
