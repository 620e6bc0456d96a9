"""DANE: whether a server's certificates are what the TLSA records of its host say. RFC 6698, RFC 7671, RFC 7672.

What is asked of DNS, and whether its answers are to be believed, is services.outbound's affair.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509.verification import Criticality, ExtensionPolicy, PolicyBuilder, Store, VerificationError

from mailstack.model import host_pattern
from mailstack.model.instant import Instant, as_datetime
from mailstack.model.tls_policy import Dane, TlsaMatching, TlsaRecord, TlsaSelector, TlsaUsage, TlsFailure

MOST_CERTIFICATES = 10  # of a chain; what comes after them is not looked at
MOST_NAMES = 1_000  # of one certificate

_UNREADABLE = (
    ValueError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
_DIGEST_OCTETS: Mapping[int, int] = MappingProxyType({TlsaMatching.SHA256: 32, TlsaMatching.SHA512: 64})


@dataclass(frozen=True, slots=True, kw_only=True)
class DaneVerdict:
    """record: the one that the server was known by, None where there is none. failure: None where record is there."""

    record: TlsaRecord | None
    failure: TlsFailure | None = None
    reason: str = ""


def usable(records: Sequence[TlsaRecord]) -> tuple[TlsaRecord, ...]:
    """Those that say something to a sender of mail. Where none does, TLS is still a must (RFC 7672 §2.2)."""
    known = [record for record in records if _is_known(record)]
    strongest: dict[tuple[int, int], int] = {}
    for record in known:
        of = (record.usage, record.selector)
        strongest[of] = max(strongest.get(of, TlsaMatching.FULL), record.matching)
    # RFC 7671 §9: of digests, only the strongest counts for each usage and selector; what is there in full always does.
    return tuple(
        record for record in known if record.matching in (TlsaMatching.FULL, strongest[record.usage, record.selector])
    )


def _is_known(record: TlsaRecord) -> bool:
    # RFC 7672 §3.1.3: PKIX-TA and PKIX-EE are as usages that nobody knows: there is no list of authorities that all
    # senders of mail agree on.
    if record.usage not in (TlsaUsage.DANE_TA, TlsaUsage.DANE_EE):
        return False
    if record.selector not in (TlsaSelector.CERTIFICATE, TlsaSelector.PUBLIC_KEY):
        return False
    if record.matching == TlsaMatching.FULL:
        return bool(record.data)
    # RFC 7671 §4.1: a record with data of another length than its digest's is malformed, and unusable.
    return len(record.data) == _DIGEST_OCTETS.get(record.matching)


def verify(chain: Sequence[bytes], policy: Dane, *, now: Instant) -> DaneVerdict:
    """chain: as the server sent it, DER, its own certificate first."""
    if not chain:
        return _failed(TlsFailure.VALIDATION_FAILURE, "the server showed no certificate")
    # RFC 7672 §3.1.1, RFC 7671 §5.1: for DANE-EE neither names nor dates count: the record says both.
    for record in policy.records:
        if record.usage == TlsaUsage.DANE_EE and _matches(record, chain[0]):
            return DaneVerdict(record=record)
    anchors = [record for record in policy.records if record.usage == TlsaUsage.DANE_TA]
    if not anchors:
        return _failed(TlsFailure.VALIDATION_FAILURE, "no TLSA record names the server's certificate")
    try:
        return _by_issuer(chain[:MOST_CERTIFICATES], anchors, policy.names, now)
    except _UNREADABLE:
        return _failed(TlsFailure.VALIDATION_FAILURE, "a certificate cannot be read")


def _by_issuer(
    chain: Sequence[bytes], anchors: Sequence[TlsaRecord], names: Sequence[str], now: Instant
) -> DaneVerdict:
    """RFC 7672 §3.1.2, RFC 7671 §5.2. Raises what is _UNREADABLE."""
    issuers = [*chain[1:], *_whole_certificates(anchors)]
    named = {issuer: record for issuer in issuers for record in anchors if _matches(record, issuer)}
    if not named:
        return _failed(TlsFailure.VALIDATION_FAILURE, "no TLSA record names the server's certificate or its issuers")
    own, *others = [x509.load_der_x509_certificate(certificate) for certificate in chain]
    trusted = ((record, x509.load_der_x509_certificate(issuer)) for issuer, record in named.items())
    record = next((record for record, issuer in trusted if _leads_to(issuer, own, others, now)), None)
    if record is None:
        # RFC 7671 §5.2: unlike for DANE-EE, dates count.
        if own.not_valid_after_utc < as_datetime(now):
            return _failed(TlsFailure.CERTIFICATE_EXPIRED, "the server's certificate has expired")
        return _failed(TlsFailure.CERTIFICATE_NOT_TRUSTED, "the server's certificate is not of the issuer in TLSA")
    if not _is_for(own, names):
        return _failed(TlsFailure.CERTIFICATE_HOST_MISMATCH, f"the server's certificate is not for {names[0]}")
    return DaneVerdict(record=record)


def _whole_certificates(anchors: Sequence[TlsaRecord]) -> list[bytes]:
    """RFC 7671 §5.2.2: an issuer that is there in full need not be in the server's chain."""
    return [
        record.data
        for record in anchors
        if (record.selector, record.matching) == (TlsaSelector.CERTIFICATE, TlsaMatching.FULL)
    ][:MOST_CERTIFICATES]


# What an authority of one's own writes into certificates is its affair, but for whether it is an authority at all.
_ISSUERS = ExtensionPolicy.permit_all().require_present(x509.BasicConstraints, Criticality.AGNOSTIC, None)
_SERVERS = ExtensionPolicy.permit_all()


def _leads_to(
    issuer: x509.Certificate, own: x509.Certificate, others: Sequence[x509.Certificate], now: Instant
) -> bool:
    # A verifier of servers demands one name, and no CN will do: names are _is_for's. One of clients looks at none.
    verifier = (
        PolicyBuilder()
        .store(Store([issuer]))
        .time(as_datetime(now).replace(tzinfo=None))
        .max_chain_depth(MOST_CERTIFICATES)
        .extension_policies(ca_policy=_ISSUERS, ee_policy=_SERVERS)
        .build_client_verifier()
    )
    try:
        return len(verifier.verify(own, list(others)).chain) > 1
    except VerificationError:
        return False


def _is_for(certificate: x509.Certificate, names: Sequence[str]) -> bool:
    presented: list[str] = []
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        presented = found.get_values_for_type(x509.DNSName)
    except x509.ExtensionNotFound:
        pass
    if not presented:
        # RFC 7672 §3.2.3: a CN counts only where the certificate has no DNS name at its proper place.
        common = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        presented = [str(attribute.value) for attribute in common]
    return any(host_pattern.covers(pattern, name) for pattern in presented[:MOST_NAMES] for name in names)


def _matches(record: TlsaRecord, certificate: bytes) -> bool:
    selected = certificate if record.selector == TlsaSelector.CERTIFICATE else _public_key(certificate)
    if selected is None:
        return False
    if record.matching == TlsaMatching.SHA256:
        return record.data == hashlib.sha256(selected).digest()
    if record.matching == TlsaMatching.SHA512:
        return record.data == hashlib.sha512(selected).digest()
    return record.data == selected


def _public_key(certificate: bytes) -> bytes | None:
    """The SubjectPublicKeyInfo as it stands there (RFC 6698 §2.1.2): a key that is read and written again may come out
    with other parameters, and one of an unknown kind not at all. None where it cannot be found."""
    try:
        _, start, end = _element(certificate, 0, len(certificate))
        _, at, end = _element(certificate, start, end)  # RFC 5280 §4.1: the TBSCertificate
        has_version = certificate[at] == _VERSION
        for _ in range(_FIELDS_BEFORE_KEY + has_version):
            _, _, at = _element(certificate, at, end)
        tag, _, after = _element(certificate, at, end)
    except IndexError:
        return None
    return certificate[at:after] if tag == _SEQUENCE else None


# RFC 5280 §4.1: version [0] EXPLICIT, serialNumber, signature, issuer, validity, subject, subjectPublicKeyInfo
_VERSION = 0xA0
_FIELDS_BEFORE_KEY = 5
_SEQUENCE = 0x30


def _element(der: bytes, at: int, end: int) -> tuple[int, int, int]:
    """Its tag, where its contents start and where they end. Raises IndexError where it does not fit. X.690 §8.1."""
    start = at + 2
    length = der[at + 1]
    if length & 0x80:
        octets = length & 0x7F
        length = int.from_bytes(der[start : start + octets], "big")
        start += octets
    if start + length > end:
        raise IndexError
    return der[at], start, start + length


def _failed(failure: TlsFailure, reason: str) -> DaneVerdict:
    return DaneVerdict(record=None, failure=failure, reason=reason)
