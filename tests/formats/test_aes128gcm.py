"""Octets for one holder of keys: the example of RFC 8291 §5, and what is no key."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from mailstack.formats.aes128gcm import MOST_OCTETS, check_keys, encrypt
from mailstack.model.errors import Invalid
from mailstack.model.push import PushKeys
from tests.support.push import decrypted


def octets(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def private_key(number: bytes) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(number), ec.SECP256R1())


# RFC 8291 §5, appendix A
PLAIN = b"When I grow up, I want to be a watermelon"
KEYS = PushKeys(
    p256dh=octets("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"),
    auth=octets("BTBZMqHH6r4Tts7J_aSIgg"),
)
RECEIVER = private_key(octets("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"))
SENDER = private_key(octets("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"))
SALT = octets("DGv6ra1nlYgDCS1FRnbzlw")
BODY = octets(
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl"
    "7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)


def test_the_example_of_rfc_8291_is_encrypted_as_there() -> None:
    assert encrypt(PLAIN, KEYS, salt=SALT, sender=SENDER) == BODY


def test_its_holder_reads_it() -> None:
    assert decrypted(BODY, RECEIVER, KEYS.auth) == PLAIN


def test_the_longest_fits_into_what_push_services_take() -> None:
    longest = bytes(MOST_OCTETS)
    body = encrypt(longest, KEYS, salt=SALT, sender=SENDER)
    assert len(body) == 4096
    assert decrypted(body, RECEIVER, KEYS.auth) == longest
    with pytest.raises(Invalid):
        encrypt(longest + b"x", KEYS, salt=SALT, sender=SENDER)


@pytest.mark.parametrize(
    ("p256dh", "auth"),
    [
        pytest.param(b"", KEYS.auth, id="nothing"),
        pytest.param(KEYS.p256dh[:-1], KEYS.auth, id="short"),
        pytest.param(b"\4" + bytes(64), KEYS.auth, id="not on the curve"),
        pytest.param(b"\2" + KEYS.p256dh[1:33], KEYS.auth, id="compressed"),
        pytest.param(b"\6" + KEYS.p256dh[1:], KEYS.auth, id="hybrid"),
        pytest.param(b"\0" * 65, KEYS.auth, id="infinity"),
        pytest.param(KEYS.p256dh, KEYS.auth[:-1], id="short auth"),
        pytest.param(KEYS.p256dh, b"", id="no auth"),
    ],
)
def test_what_are_no_keys(p256dh: bytes, auth: bytes) -> None:
    with pytest.raises(Invalid):
        check_keys(PushKeys(p256dh=p256dh, auth=auth))


def test_what_are_keys() -> None:
    check_keys(KEYS)
