"""Tokens that say who pushes: signed with one key, for one push service, for a while. RFC 8292."""

import base64
import json
import re

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from mailstack.formats.vapid import authorization, key_of, public_text

KEY = key_of(bytes(range(32)))


def octets(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def verified(field: str) -> dict[str, object]:
    """What a push service does. Raises InvalidSignature."""
    found = re.fullmatch(r"vapid t=([\w-]+)\.([\w-]+)\.([\w-]+), k=([\w-]+)", field)
    assert found
    header, claims, signature, key = map(octets, found.groups())
    assert json.loads(header) == {"typ": "JWT", "alg": "ES256"}
    assert len(signature) == 64
    point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), key)
    dss = encode_dss_signature(int.from_bytes(signature[:32]), int.from_bytes(signature[32:]))
    point.verify(dss, f"{found[1]}.{found[2]}".encode(), ec.ECDSA(SHA256()))
    told: dict[str, object] = json.loads(claims)
    return told


def test_a_push_service_can_tell_who_pushes() -> None:
    field = authorization(KEY, origin="https://push.example.net", subject="mailto:postmaster@x.example", now_s=1_000)
    assert verified(field) == {
        "aud": "https://push.example.net",
        "exp": 1_000 + 12 * 3_600,
        "sub": "mailto:postmaster@x.example",
    }
    with pytest.raises(InvalidSignature):
        verified(field.replace(field[60:64], "AAAA"))


def test_the_example_of_rfc_8292_verifies() -> None:
    """RFC 8292 §2.4: the same check takes it."""
    token = (
        "eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9."
        "eyJhdWQiOiJodHRwczovL3B1c2guZXhhbXBsZS5uZXQiLCJleHAiOjE0NTM1MjM3NjgsInN1YiI6Im1haWx0bzpwdXNoQGV4YW1wbGUuY29tIn0."
        "i3CYb7t4xfxCDquptFOepC9GAu_HLGkMlMuCGSK2rpiUfnK9ojFwDXb1JrErtmysazNjjvW2L9OkSSHzvoD1oA"
    )
    key = "BA1Hxzyi1RUM1b5wjxsn7nGxAszw2u61m164i3MrAIxHF6YK5h4SDYic-dRuU_RCPCfA5aq9ojSwk5Y2EmClBPs"
    example = f"vapid t={token}, k={key}"
    assert verified(example)["aud"] == "https://push.example.net"


def test_the_same_secret_gives_the_same_key_and_another_another() -> None:
    assert public_text(key_of(bytes(range(32)))) == public_text(KEY)
    assert public_text(key_of(bytes(32))) != public_text(KEY)
    assert len(octets(public_text(KEY))) == 65
