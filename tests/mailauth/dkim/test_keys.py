"""Key pairs: what other people's verifiers and our own signer read back."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from mailstack.mailauth.dkim import keys
from mailstack.model.errors import Invalid


def test_rsa_public_key_is_a_subject_public_key_info_of_2048_bits() -> None:
    pair = keys.generate("rsa2048")
    public = load_der_public_key(base64.b64decode(pair.public_key, validate=True))
    assert isinstance(public, RSAPublicKey)
    assert public.key_size == 2048


def test_ed25519_public_key_is_the_raw_32_octets() -> None:  # RFC 8463 §4
    assert len(base64.b64decode(keys.generate("ed25519").public_key, validate=True)) == 32


@pytest.mark.parametrize(("algorithm", "kind"), [("rsa2048", RSAPrivateKey), ("ed25519", Ed25519PrivateKey)])
def test_a_generated_key_loads_for_signing(algorithm: str, kind: type) -> None:
    pair = keys.generate(algorithm)
    assert pair.private_pem.startswith("-----BEGIN PRIVATE KEY-----")
    loaded = keys.load(domain="example.com", selector="s1", private_pem=pair.private_pem)
    assert isinstance(loaded.private_key, kind)


def test_an_unknown_algorithm_is_refused() -> None:
    with pytest.raises(Invalid):
        keys.generate("dsa")


@pytest.mark.parametrize("text", ["", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "nonsense"])
def test_a_broken_private_key_is_invalid_and_named(text: str) -> None:
    with pytest.raises(Invalid, match=r"s1\._domainkey\.example\.com"):
        keys.load(domain="example.com", selector="s1", private_pem=text)


def test_record_names_the_key_type() -> None:
    assert keys.record("rsa2048", "AAAA") == "v=DKIM1; k=rsa; p=AAAA"
    assert keys.record("ed25519", "BBBB") == "v=DKIM1; k=ed25519; p=BBBB"


def test_no_representation_shows_the_private_key() -> None:
    pair = keys.generate("ed25519")
    assert pair.private_pem not in repr(pair)
    assert "PRIVATE" not in repr(keys.load(domain="d.example", selector="s", private_pem=pair.private_pem))
