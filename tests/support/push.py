"""Push subscriptions as tests have them."""

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from mailstack.model.ids import AccountId, PushId
from mailstack.model.instant import Instant
from mailstack.model.push import PushKeys, PushStage, PushSubscription

NEVER = Instant(2**52)


def push_subscription(
    account_id: AccountId, push_id: str = "p1", *, credential: str = "c1", expires_at: Instant = NEVER
) -> PushSubscription:
    return PushSubscription(
        push_id=PushId(push_id),
        account_id=account_id,
        credential=credential,
        device_client_id="a889-ffea-910",
        url="https://push.example.com/?device=X8980fc",
        keys=PushKeys(p256dh=b"\4" + bytes(64), auth=bytes(range(16))),
        code="da1f097b11ca17f06424e30bf02bfa67",
        stage=PushStage.NEW,
        types=("Email", "Todo"),
        expires_at=expires_at,
    )


def decrypted(body: bytes, receiver: ec.EllipticCurvePrivateKey, auth: bytes) -> bytes:
    """What a device does that has the keys. RFC 8291 §3.3, RFC 8188 §2."""
    salt, id_length = body[:16], body[20]
    point, sealed = body[21 : 21 + id_length], body[21 + id_length :]
    shared = receiver.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point))
    own = receiver.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    secret = _derived(shared, auth, b"WebPush: info\0" + own + point, 32)
    key = _derived(secret, salt, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derived(secret, salt, b"Content-Encoding: nonce\0", 12)
    plain, delimiter, _ = AESGCM(key).decrypt(nonce, sealed, None).rpartition(b"\2")
    assert delimiter
    return plain


def _derived(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=salt, info=info).derive(secret)
