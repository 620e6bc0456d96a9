"""DKIM-Signature fields: dkimpy writes and hashes the header, everything that costs time is done beside it.

dkimpy 1.1.8 does RSA in Python (9.7 ms a signature) and canonicalises bodies in quadratic time. Its gen_header() takes
policy, key and body hash as arguments, so nothing of it is patched. RFC 6376 §3.5, §5; RFC 8463; RFC 8301.
"""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256

import dkim
from mailstack.formats.headers import header_end, scan_fields
from mailstack.mailauth.dkim.canonical import relaxed_body, relaxed_header
from mailstack.mailauth.dkim.keys import SigningKey
from mailstack.model.errors import Invalid
from mailstack.model.instant import SECOND_MS, Instant
from mailstack.model.message import RawMessage

# RFC 6376 §5.4.1: what shows the reader who wrote what to whom, and what says how the body is to be read.
SIGNED_FIELDS = frozenset(
    {
        *(b"from", b"sender", b"reply-to", b"subject", b"date", b"message-id", b"to", b"cc", b"in-reply-to"),
        *(b"references", b"mime-version", b"content-type", b"content-transfer-encoding", b"content-id"),
        *(b"resent-date", b"resent-from", b"resent-sender", b"resent-to", b"resent-cc", b"resent-message-id"),
        *(b"list-id", b"list-help", b"list-unsubscribe", b"list-unsubscribe-post", b"list-subscribe", b"list-post"),
        *(b"list-owner", b"list-archive"),
    }
)

# RFC 6376 §8.15: named once more than they are there, absent ones too, so that nobody can add one to a signed message
# and have it shown. Sender and the list fields are left open: those that lists add break nothing. §5.4.2: verifiers
# take the names of h= from the last field of that name up, and one that is not there as empty.
SEALED_FIELDS = (
    *(b"from", b"to", b"cc", b"subject", b"date", b"message-id", b"reply-to"),
    *(b"mime-version", b"content-type", b"content-transfer-encoding"),
)

# RFC 8058 §4: where there is one, a mail program shows a button that does what they say.
UNSUBSCRIBE_FIELDS = (b"list-unsubscribe", b"list-unsubscribe-post")


def sign(raw: RawMessage, keys: Sequence[SigningKey], *, now: Instant) -> bytes:
    """One field for each key, each ending in CRLF, to be put on top of the message. Raises Invalid without a From."""
    return Pen(raw, keys, now=now).sign()


class Pen:
    """Signs one message, under whatever is put on top of it: its body is hashed once."""

    def __init__(self, raw: RawMessage, keys: Sequence[SigningKey], *, now: Instant) -> None:
        """Raises Invalid without a From."""
        body = header_end(raw)
        self._headers = _signed_headers(raw[:body])
        if not any(name == b"from" for name, _ in self._headers):
            raise Invalid("a message without a From field cannot be signed")  # RFC 6376 §5.4
        self._body_hash = _body_hash(raw, body)
        self._keys = keys
        self._now = now

    def sign(self, *, above: bytes = b"") -> bytes:
        """As `sign`. above: whole fields that stand between it and the message, signed with the rest."""
        headers = [*_signed_headers(above), *self._headers]
        names = [*(name for name, _ in headers), *SEALED_FIELDS]
        if not set(UNSUBSCRIBE_FIELDS).isdisjoint(names):
            names += UNSUBSCRIBE_FIELDS
        return b"".join(_field(headers, names, self._body_hash, key, self._now) for key in self._keys)


def _signed_headers(fields: bytes) -> list[tuple[bytes, bytes]]:
    found = scan_fields(fields, 0, len(fields))
    return [(field.name, field.value) for field in found if field.name in SIGNED_FIELDS]


def algorithm(key: SigningKey) -> bytes:
    """a="""
    return b"rsa-sha256" if isinstance(key.private_key, RSAPrivateKey) else b"ed25519-sha256"


def signed_field(
    name: bytes,
    tags: Sequence[tuple[bytes, bytes]],
    headers: Sequence[tuple[bytes, bytes]],
    names: Sequence[bytes],
    key: SigningKey,
) -> bytes:
    """tags: all but b=. headers: names and values from the top. names: of those to sign, in order, lower-case."""
    signer = dkim.DKIM()
    signer.headers = headers
    signer.hasher = hashlib.sha256
    # The word that stands in the field is a= among the tags. This one only chooses how dkimpy asks for the arithmetic:
    # of an RSA key it would take the numbers, an Ed25519 key it asks to sign the digest itself, and that is what
    # _KeyOfDkimpy does.
    signer.signature_algorithm = b"ed25519-sha256"
    # b=: long enough that dkimpy's fold before it is the same with the signature in it.
    value: bytes = signer.gen_header([*tags, (b"b", b"0" * 60)], names, _Relaxed, name, _KeyOfDkimpy(key))
    # The space that dkimpy leaves before our folds; the relaxed form is the same without it.
    return name + b": " + value.replace(b"; \r\n", b";\r\n")


def _body_hash(raw: RawMessage, body: int) -> bytes:
    digest = hashlib.sha256()
    for piece in relaxed_body(raw, body):
        digest.update(piece)
    return base64.b64encode(digest.digest())


def _field(
    headers: list[tuple[bytes, bytes]], names: list[bytes], body_hash: bytes, key: SigningKey, now: Instant
) -> bytes:
    signed_at = now // SECOND_MS
    # RFC 6376 §3.5: x= is later than t=; whoever plays the mail again after it finds no signature.
    expiry = [] if key.life_s is None else [(b"x", b"%d" % (signed_at + key.life_s))]
    tags = [
        (b"v", b"1"),
        (b"a", algorithm(key)),
        (b"c", b"relaxed/relaxed"),
        # dkimpy folds what follows the last fold and, where no space comes, within a word. Folds of our own before d=
        # and h= keep it away from a long domain name.
        (b"\r\n d", key.domain.encode("ascii")),
        (b"s", key.selector.encode("ascii")),
        (b"t", b"%d" % signed_at),
        *expiry,
        (b"\r\n h", b": ".join(names)),
        (b"bh", body_hash),
    ]
    return signed_field(b"DKIM-Signature", tags, headers, names, key)


class _Relaxed:
    """The part of dkimpy's CanonicalizationPolicy that gen_header uses."""

    @staticmethod
    def canonicalize_headers(headers: Sequence[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        return [relaxed_header(name, value) for name, value in headers]


@dataclass(frozen=True, slots=True)
class _Signature:
    signature: bytes


@dataclass(frozen=True, slots=True)
class _KeyOfDkimpy:
    """A signing key in the shape of PyNaCl's, which dkimpy expects."""

    key: SigningKey

    def sign(self, digest: bytes) -> _Signature:
        private_key = self.key.private_key
        if isinstance(private_key, RSAPrivateKey):
            return _Signature(private_key.sign(digest, PKCS1v15(), Prehashed(SHA256())))
        # RFC 8463 §3: PureEdDSA over the SHA-256 hash of the header, not over the header.
        return _Signature(private_key.sign(digest))
