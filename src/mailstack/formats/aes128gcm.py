"""Octets that one holder of keys alone can read, as push services carry them. RFC 8188 (aes128gcm), RFC 8291."""

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from mailstack.model.errors import Invalid
from mailstack.model.push import PushKeys

SALT_OCTETS = 16
AUTH_OCTETS = 16
POINT_OCTETS = 65
"""An uncompressed point on P-256."""
RECORD_OCTETS = 4096
_LAST_RECORD = b"\2"
_TAG_OCTETS = 16
# RFC 8291 §4: one record, of which a push service need not take more than 4096 octets with the header.
MOST_OCTETS = RECORD_OCTETS - (SALT_OCTETS + 4 + 1 + POINT_OCTETS) - _TAG_OCTETS - len(_LAST_RECORD)


def check_keys(keys: PushKeys) -> None:
    """Raises Invalid."""
    if len(keys.auth) != AUTH_OCTETS:
        raise Invalid(f"auth is not {AUTH_OCTETS} octets")
    _point(keys.p256dh)


def encrypt(plain: bytes, keys: PushKeys, *, salt: bytes, sender: ec.EllipticCurvePrivateKey) -> bytes:
    """salt, sender: SALT_OCTETS and a key on P-256, never used before. Raises Invalid: too long, or no keys."""
    if len(plain) > MOST_OCTETS:
        raise Invalid(f"{len(plain)} octets are more than the {MOST_OCTETS} that push services take")
    sender_point = sender.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    shared = sender.exchange(ec.ECDH(), _point(keys.p256dh))
    # RFC 8291 §3.3, §3.4
    secret = _derived(shared, keys.auth, b"WebPush: info\0" + keys.p256dh + sender_point, 32)
    # RFC 8188 §2.2, §2.3
    key = _derived(secret, salt, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derived(secret, salt, b"Content-Encoding: nonce\0", 12)
    # RFC 8188 §2.1: salt, record size, length of the key's id, its id.
    header = salt + RECORD_OCTETS.to_bytes(4) + bytes([len(sender_point)]) + sender_point
    return header + AESGCM(key).encrypt(nonce, plain + _LAST_RECORD, None)


def _point(octets: bytes) -> ec.EllipticCurvePublicKey:
    try:
        if len(octets) != POINT_OCTETS:
            raise ValueError
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), octets)
    except ValueError:
        raise Invalid("p256dh is not an uncompressed point on P-256") from None


def _derived(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=salt, info=info).derive(secret)
