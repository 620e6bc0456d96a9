"""Certificates of every make, as a test needs them: for a name or another, expired, of an issuer or of nobody."""

from dataclasses import dataclass
from datetime import timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from mailstack.model.instant import Instant, as_datetime

NOW = Instant(1_700_000_000_000)


@dataclass(frozen=True)
class Certificate:
    """With its key."""

    made: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def der(self) -> bytes:
        return self.made.public_bytes(Encoding.DER)

    @property
    def public_key(self) -> bytes:
        return self.made.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    @property
    def pem(self) -> bytes:
        """With the private key, as ssl.SSLContext.load_cert_chain reads one file."""
        private = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return private + self.made.public_bytes(Encoding.PEM)


def certificate(
    *dns_names: str,
    common_name: str = "",
    issuer: Certificate | None = None,
    is_authority: bool = False,
    days: int = 30,
    now: Instant = NOW,
) -> Certificate:
    """issuer: None for its own. days: that it is good for from now on; one that has expired began ten days earlier."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)] if common_name else [])
    moment = as_datetime(now)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.made.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(moment + timedelta(days=min(days, 0) - 10))
        .not_valid_after(moment + timedelta(days=days))
    )
    if is_authority:
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    if dns_names:
        names = x509.SubjectAlternativeName([x509.DNSName(name) for name in dns_names])
        builder = builder.add_extension(names, critical=not common_name)
    return Certificate(builder.sign(issuer.key if issuer else key, SHA256()), key)
