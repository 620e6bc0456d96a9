"""Certificates of our own making, checked by the library that clients use and against RFC 5280."""

import ssl
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from mailstack.model.errors import Invalid
from mailstack.model.instant import Instant, as_datetime
from mailstack.reconcile.providers.certs import check_pair, covers, names_in, not_after, self_signed

NOW = Instant(1_790_000_000_000)
NAMES = ("mail.example.com", "localhost", "127.0.0.1", "::1")


@pytest.fixture(scope="module")
def pair() -> tuple[str, str]:
    return self_signed(NAMES, NOW)


def test_a_tls_library_takes_chain_and_key(pair: tuple[str, str], tmp_path: Path) -> None:
    chain, key = (tmp_path / "chain.pem", tmp_path / "key.pem")
    chain.write_text(pair[0])
    key.write_text(pair[1])
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(chain, key)


def test_the_leaf_is_signed_by_the_ca_that_follows(pair: tuple[str, str]) -> None:
    leaf, ca = x509.load_pem_x509_certificates(pair[0].encode())
    leaf.verify_directly_issued_by(ca)
    assert ca.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_names_and_addresses_are_alternative_names(pair: tuple[str, str]) -> None:
    assert names_in(pair[0]) == NAMES


def test_it_is_good_for_at_most_825_days(pair: tuple[str, str]) -> None:
    (leaf, _) = x509.load_pem_x509_certificates(pair[0].encode())
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc <= timedelta(days=825)
    assert leaf.not_valid_before_utc < as_datetime(NOW)
    assert not_after(pair[0]) == leaf.not_valid_after_utc


def test_a_key_of_another_certificate_is_told(pair: tuple[str, str]) -> None:
    check_pair(*pair)
    with pytest.raises(Invalid, match="does not belong"):
        check_pair(pair[0], self_signed(NAMES, NOW)[1])


@pytest.mark.parametrize("text", ["", "nonsense", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_what_is_no_certificate_is_told(text: str) -> None:
    with pytest.raises(Invalid, match="certificate cannot be read"):
        not_after(text)


def test_what_is_no_key_is_told(pair: tuple[str, str]) -> None:
    with pytest.raises(Invalid, match="key cannot be read"):
        check_pair(pair[0], "nonsense")


@pytest.mark.parametrize(
    ("names", "hostname", "is_covered"),
    [
        (("mail.example.com",), "mail.example.com", True),
        (("MAIL.example.com",), "mail.example.com", True),
        (("*.example.com",), "mail.example.com", True),
        (("*.example.com",), "a.mail.example.com", False),  # RFC 6125 §6.4.3
        (("*.example.com",), "example.com", False),
        (("other.example.com",), "mail.example.com", False),
    ],
)
def test_which_names_a_certificate_is_good_for(names: tuple[str, ...], hostname: str, is_covered: bool) -> None:
    assert covers(self_signed(names, NOW)[0], hostname) is is_covered
