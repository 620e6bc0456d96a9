"""Who pushes, as push services are told: a signed token for each of them. RFC 8292, RFC 7515, RFC 7519."""

import base64
import json

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

LASTS_S = 12 * 3_600
"""RFC 8292 §2: at most 24 hours."""
# FIPS 186-5, P-256: the number of its points.
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_HALF_OCTETS = 32
_PURPOSE = b"mailstack push"


def key_of(secret: bytes) -> ec.EllipticCurvePrivateKey:
    """secret: of 32 random octets or more; the same gives the same key, and nothing else is learned from it."""
    # FIPS 186-5 §A.2.1: 64 bits more than the order has, so that none is likelier than another.
    derived = HKDF(algorithm=SHA256(), length=_HALF_OCTETS + 8, salt=None, info=_PURPOSE).derive(secret)
    return ec.derive_private_key(int.from_bytes(derived) % (_ORDER - 1) + 1, ec.SECP256R1())


def public_text(key: ec.EllipticCurvePrivateKey) -> str:
    """RFC 8292 §3.2, RFC 9749 §3: the point, uncompressed."""
    return _text(key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))


def authorization(key: ec.EllipticCurvePrivateKey, *, origin: str, subject: str, now_s: int) -> str:
    """The field of one request. origin: of the push service. subject: a URI of who answers for what is pushed."""
    claims = {"aud": origin, "exp": now_s + LASTS_S, "sub": subject}
    signed = ".".join(_text(json.dumps(each).encode()) for each in ({"typ": "JWT", "alg": "ES256"}, claims))
    # RFC 7518 §3.4: both numbers, each of 32 octets.
    numbers = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(SHA256())))
    signature = b"".join(number.to_bytes(_HALF_OCTETS) for number in numbers)
    return f"vapid t={signed}.{_text(signature)}, k={public_text(key)}"


def _text(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()
