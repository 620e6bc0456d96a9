"""Which keys of the server stand in records."""

import hashlib

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from mailstack.model.instant import Instant
from mailstack.model.resource import CertificateBody, DkimKeyBody, Kind, Resource, fields_of
from mailstack.reconcile.dns.material import Material, material_of
from mailstack.reconcile.providers.certs import self_signed
from tests.support.specs import spec_value

NOW = Instant(1_790_000_000_000)
DANE = spec_value({"tls": {"dane": True}}).spec
CHAIN, _ = self_signed(("mail.example.com",), NOW)
OTHER_CHAIN, _ = self_signed(("other.example.com",), NOW)


def certificate(name: str, chain: str) -> Resource:
    body = CertificateBody(issuer="self-signed", names=(name,), certificate=chain, not_after="")
    return Resource(kind=Kind.CERTIFICATE, name=name, fields=fields_of(body))


def test_with_dane_the_keys_of_certificates_for_the_host_name_are_published() -> None:
    held = (certificate("mail.example.com", CHAIN), certificate("other.example.com", OTHER_CHAIN))
    public = x509.load_pem_x509_certificate(CHAIN.encode()).public_key()
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert material_of(DANE, held) == Material(key_digests=(hashlib.sha256(der).hexdigest(),))


def test_a_certificate_that_apply_makes_has_a_key_nobody_knows_yet() -> None:
    assert material_of(DANE, (certificate("mail.example.com", ""),)).key_digests == ("",)


def test_without_dane_no_certificate_is_looked_at() -> None:
    assert material_of(spec_value({}).spec, (certificate("mail.example.com", "nonsense"),)) == Material()


def test_signing_keys_come_along() -> None:
    key = DkimKeyBody(domain="example.com", selector="s", algorithm="ed25519", public_key="A")
    held = Resource(kind=Kind.DKIM_KEY, name="s._domainkey.example.com", fields=fields_of(key))
    assert material_of(spec_value({}).spec, (held,)).dkim_keys == (key,)
