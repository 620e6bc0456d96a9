"""Certificates against TLSA records. RFC 6698 §2.1, RFC 7671 §5, §9, RFC 7672 §3."""

import hashlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from mailstack.mailauth.dane import DaneVerdict, usable, verify
from mailstack.model.instant import DAY_MS, Instant
from mailstack.model.tls_policy import Dane, TlsaRecord, TlsFailure
from tests.support.certificates import NOW, Certificate, certificate

HOST = "mx.example.com"
ROOT = certificate(common_name="Root", is_authority=True)
MIDDLE = certificate(common_name="Middle", issuer=ROOT, is_authority=True)
LEAF = certificate(HOST, issuer=MIDDLE)
CHAIN = (LEAF, MIDDLE, ROOT)
OTHER = certificate(HOST)
SHA256_DATA = b"\1" * 32
SHA512_DATA = b"\2" * 64


def record(usage: int, selector: int, matching: int, named: Certificate) -> TlsaRecord:
    selected = named.public_key if selector else named.der
    data = {0: selected, 1: hashlib.sha256(selected).digest(), 2: hashlib.sha512(selected).digest()}[matching]
    return TlsaRecord(usage, selector, matching, data)


def verdict(
    chain: tuple[Certificate, ...], *records: TlsaRecord, names: tuple[str, ...] = (HOST,), now: Instant = NOW
) -> DaneVerdict:
    return verify([one.der for one in chain], Dane(records=records, names=names), now=now)


@pytest.mark.parametrize("selector", [0, 1])
@pytest.mark.parametrize("matching", [0, 1, 2])
@pytest.mark.parametrize(("usage", "named"), [(3, LEAF), (2, MIDDLE), (2, ROOT)])
def test_every_usable_kind_of_record_matches(usage: int, selector: int, matching: int, named: Certificate) -> None:
    wanted = record(usage, selector, matching, named)
    assert verdict(CHAIN, record(usage, selector, matching, OTHER), wanted) == DaneVerdict(record=wanted)
    assert verdict(CHAIN, record(usage, selector, matching, OTHER)).record is None


@pytest.mark.parametrize("selector", [0, 1])
def test_dane_ee_looks_at_neither_names_nor_dates(selector: int) -> None:  # RFC 7672 §3.1.1
    expired = certificate("elsewhere.example", days=-1)
    assert verdict((expired,), record(3, selector, 1, expired)).failure is None


def test_dane_ee_is_of_the_servers_own_certificate_alone() -> None:
    assert verdict(CHAIN, record(3, 1, 1, MIDDLE)).failure is TlsFailure.VALIDATION_FAILURE


def test_dane_ta_is_not_of_the_servers_own_certificate() -> None:
    assert verdict((OTHER,), record(2, 1, 1, OTHER)).failure is TlsFailure.VALIDATION_FAILURE


def test_an_issuer_that_dns_has_in_full_need_not_be_in_the_chain() -> None:  # RFC 7671 §5.2.2
    assert verdict((LEAF, MIDDLE), record(2, 0, 0, ROOT)).failure is None
    assert verdict((LEAF, MIDDLE), record(2, 0, 1, ROOT)).failure is TlsFailure.VALIDATION_FAILURE


def test_an_issuer_that_is_only_shown_issued_nothing() -> None:
    """Anybody may send the public certificate of an authority beside one that it never signed."""
    assert verdict((OTHER, ROOT), record(2, 0, 1, ROOT)).failure is TlsFailure.CERTIFICATE_NOT_TRUSTED
    assert verdict((OTHER,), record(2, 0, 0, ROOT)).failure is TlsFailure.CERTIFICATE_NOT_TRUSTED


def test_a_servers_certificate_is_no_authority() -> None:
    forged = certificate(HOST, issuer=LEAF)
    assert verdict((forged, *CHAIN), record(2, 0, 1, ROOT)).failure is TlsFailure.CERTIFICATE_NOT_TRUSTED
    assert verdict((forged, *CHAIN), record(2, 0, 1, LEAF)).failure is TlsFailure.CERTIFICATE_NOT_TRUSTED


def test_under_dane_ta_dates_count() -> None:  # RFC 7671 §5.2
    expired = certificate(HOST, issuer=ROOT, days=-1)
    assert verdict((expired, ROOT), record(2, 0, 1, ROOT)).failure is TlsFailure.CERTIFICATE_EXPIRED
    early = verdict(CHAIN, record(2, 0, 1, ROOT), now=Instant(NOW - 20 * DAY_MS))
    assert early.failure is TlsFailure.CERTIFICATE_NOT_TRUSTED


@pytest.mark.parametrize(
    ("shown", "names", "is_for"),
    [
        (("mx.example.com",), ("mx.example.com",), True),
        (("*.example.com",), ("mx.example.com",), True),
        (("MX.example.com",), ("mx.example.com",), True),
        (("example.com",), ("mx.example.com", "example.com"), True),  # RFC 7672 §3.2.2: the next hop's own name
        (("a.example", "b.example"), ("b.example",), True),
        (("*.com",), ("mx.example.com",), False),
        (("example.com",), ("mx.example.com",), False),
    ],
)
def test_under_dane_ta_names_count(shown: tuple[str, ...], names: tuple[str, ...], is_for: bool) -> None:
    found = verdict((certificate(*shown, issuer=ROOT), ROOT), record(2, 1, 1, ROOT), names=names)
    assert found.failure is (None if is_for else TlsFailure.CERTIFICATE_HOST_MISMATCH)


def test_a_common_name_counts_where_there_is_no_other() -> None:  # RFC 7672 §3.2.3
    by_common_name = certificate(common_name=HOST, issuer=ROOT)
    assert verdict((by_common_name, ROOT), record(2, 1, 1, ROOT)).failure is None
    both = certificate("a.example", common_name=HOST, issuer=ROOT)
    assert verdict((both, ROOT), record(2, 1, 1, ROOT)).failure is TlsFailure.CERTIFICATE_HOST_MISMATCH


def test_one_of_several_records_is_enough() -> None:
    both = (record(2, 0, 1, ROOT), record(3, 1, 1, OTHER))
    assert verdict((OTHER,), *both).record == both[1]
    assert verdict(CHAIN, *both).record == both[0]


def test_no_certificate_matches_nothing() -> None:
    assert verdict((), record(3, 1, 1, LEAF)).failure is TlsFailure.VALIDATION_FAILURE


def test_what_follows_a_long_chain_is_not_looked_at() -> None:
    assert verdict((LEAF, *[OTHER] * 9, MIDDLE), record(2, 0, 1, MIDDLE)).failure is TlsFailure.VALIDATION_FAILURE


def test_a_public_key_is_compared_as_it_stands() -> None:
    """RSASSA-PSS: the same key may be written with other parameters."""
    pss = bytes.fromhex("300b06092a864886f70d01010a")
    rsa_encryption = bytes.fromhex("300d06092a864886f70d0101010500")
    key = rsa.generate_private_key(65537, 2048)
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(x509.Name([]))
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(LEAF.made.not_valid_before_utc)
        .not_valid_after(LEAF.made.not_valid_after_utc)
        .sign(key, SHA256(), rsa_padding=padding.PKCS1v15())
        .public_bytes(Encoding.DER)
    )
    at = made.index(rsa_encryption)
    octets = int.from_bytes(made[at - 2 : at], "big")
    written = made[at - 4 : at - 2] + (octets - 2).to_bytes(2, "big") + pss + made[at + 15 : at + octets]
    total = int.from_bytes(made[2:4], "big") - 2
    body = int.from_bytes(made[6:8], "big") - 2
    rewritten = b"".join(
        (b"\x30\x82", total.to_bytes(2, "big"), b"\x30\x82", body.to_bytes(2, "big"), made[8 : at - 4], written)
    )
    rewritten += made[at + octets :]
    matching = TlsaRecord(3, 1, 1, hashlib.sha256(written).digest())
    assert verify([rewritten], Dane(records=(matching,), names=(HOST,)), now=NOW).record == matching


@pytest.mark.parametrize(
    "unusable",
    [
        TlsaRecord(0, 0, 1, SHA256_DATA),  # RFC 7672 §3.1.3
        TlsaRecord(1, 1, 1, SHA256_DATA),
        TlsaRecord(4, 1, 1, SHA256_DATA),
        TlsaRecord(255, 1, 1, SHA256_DATA),
        TlsaRecord(3, 2, 1, SHA256_DATA),
        TlsaRecord(3, 1, 3, SHA256_DATA),
        TlsaRecord(3, 1, 1, SHA256_DATA[1:]),
        TlsaRecord(3, 1, 2, SHA256_DATA),
        TlsaRecord(3, 1, 0, b""),
    ],
    ids=str,
)
def test_records_that_say_nothing_to_a_sender_of_mail(unusable: TlsaRecord) -> None:
    known = TlsaRecord(3, 1, 1, SHA256_DATA)
    assert usable([unusable, known]) == (known,)


def test_of_digests_the_strongest_counts_for_each_usage_and_selector() -> None:  # RFC 7671 §9
    weak = TlsaRecord(3, 1, 1, SHA256_DATA)
    strong = TlsaRecord(3, 1, 2, SHA512_DATA)
    whole = TlsaRecord(3, 1, 0, b"key")
    other_selector = TlsaRecord(3, 0, 1, SHA256_DATA)
    other_usage = TlsaRecord(2, 1, 1, SHA256_DATA)
    assert usable([weak, strong, whole, other_selector, other_usage]) == (strong, whole, other_selector, other_usage)


def test_a_malformed_digest_does_not_push_out_a_weaker_one() -> None:
    weak = TlsaRecord(3, 1, 1, SHA256_DATA)
    assert usable([weak, TlsaRecord(3, 1, 2, b"short")]) == (weak,)
