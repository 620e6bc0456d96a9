"""Signatures as anybody might make them, with any tags: dkimpy's canonical forms, nothing of our code."""

import base64
import hashlib
from collections.abc import Mapping

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from dkim.canonicalization import CanonicalizationPolicy

Key = RSAPrivateKey | Ed25519PrivateKey

NAMES = "from:to:subject:date"


def signed(message: bytes, key: Key, tags: Mapping[str, str | None] | None = None) -> bytes:
    """The message with a field on top. tags: further ones, other ones, and with None absent ones; b= is the last."""
    algorithm = "rsa-sha256" if isinstance(key, RSAPrivateKey) else "ed25519-sha256"
    ours = {"v": "1", "a": algorithm, "c": "relaxed/relaxed", "d": "example.com", "s": "s", "h": NAMES}
    wanted = {**ours, **(tags or {})}
    kept = _there({"bh": body_hash(message, _there(wanted)), **wanted})
    value = " " + "; ".join(f"{name}={text}" for name, text in kept.items() if name != "b") + "; b="
    made = signature(message, key, value.encode(), kept)
    return b"DKIM-Signature:" + value.encode() + kept.get("b", made).encode() + b"\r\n" + message


def record(key: Key, **tags: str) -> str:
    """The TXT record of its public half."""
    if isinstance(key, RSAPrivateKey):
        public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    else:
        public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    kind = "rsa" if isinstance(key, RSAPrivateKey) else "ed25519"
    kept = {"v": "DKIM1", "k": kind, "p": base64.b64encode(public).decode()} | tags
    return "; ".join(f"{name}={text}" for name, text in kept.items())


def body_hash(message: bytes, tags: Mapping[str, str]) -> str:
    body = _policy(tags).canonicalize_body(message.partition(b"\r\n\r\n")[2])
    length = tags.get("l", "")
    return base64.b64encode(hashlib.sha256(body[: int(length)] if length.isdigit() else body).digest()).decode()


def signature(message: bytes, key: Key, value: bytes, tags: Mapping[str, str]) -> str:
    fields = _fields(message)
    chosen = []
    for name in tags.get("h", "").lower().encode().split(b":"):
        places = [at for at, field in enumerate(fields) if field[0].lower() == name.strip()]
        if places:
            chosen.append(fields.pop(places[-1]))
    lines = _policy(tags).canonicalize_headers([*chosen, (b"DKIM-Signature", value + b"\r\n")])
    text = b"".join(name + b":" + content for name, content in lines).removesuffix(b"\r\n")
    if isinstance(key, RSAPrivateKey):
        octets = key.sign(text, PKCS1v15(), SHA256())
    else:
        octets = key.sign(hashlib.sha256(text).digest())
    return base64.b64encode(octets).decode()


def _there(tags: Mapping[str, str | None]) -> dict[str, str]:
    return {name: text for name, text in tags.items() if text is not None}


def _policy(tags: Mapping[str, str]) -> CanonicalizationPolicy:
    return CanonicalizationPolicy.from_c_value(tags.get("c", "simple/simple").encode())


def _fields(message: bytes) -> list[tuple[bytes, bytes]]:
    found: list[tuple[bytes, bytes]] = []
    for line in message.partition(b"\r\n\r\n")[0].split(b"\r\n"):
        if line[:1] in (b" ", b"\t"):
            found[-1] = (found[-1][0], found[-1][1] + line + b"\r\n")
        else:
            name, _, value = line.partition(b":")
            found.append((name, value + b"\r\n"))
    return found
