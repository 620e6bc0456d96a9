"""DKIM checked from the RFC's text alone, plainly: no dkimpy, no code of ours. RFC 6376 §3.4-§3.7, §6.1; RFC 8463."""

import base64
import hashlib
import re
from collections.abc import Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

Header = list[tuple[bytes, bytes]]


def check(message: bytes, records: Mapping[str, bytes]) -> list[str]:
    """`pass`, or why not, for each DKIM-Signature from the top. records: TXT by selector."""
    head, _, body = message.partition(b"\r\n\r\n")
    head = head.removesuffix(b"\r\n")  # RFC 5322 §3.5: the body is optional, and so is the empty line
    header: Header = []
    for line in re.split(rb"\r\n(?![ \t])", head):
        name, colon, value = line.partition(b":")
        assert colon, line
        header.append((name, value))
    return [_check(header, at, body, records) for at, (name, _) in enumerate(header) if _is(name, b"dkim-signature")]


def _check(header: Header, at: int, body: bytes, records: Mapping[str, bytes]) -> str:
    tags = _tags(header[at][1])
    record = _tags(records[tags["s"]])
    assert (tags["v"], tags["c"], record["v"]) == ("1", "relaxed/relaxed", "DKIM1")
    if hashlib.sha256(_relaxed_body(body)).digest() != base64.b64decode(tags["bh"]):
        return "body"
    signed = b"".join(_selected(header, tags["h"])) + _unsigned(header[at])
    key, signature = base64.b64decode(record["p"]), base64.b64decode(tags["b"])
    try:
        if tags["a"] == "ed25519-sha256":
            assert record["k"] == "ed25519"
            Ed25519PublicKey.from_public_bytes(key).verify(signature, hashlib.sha256(signed).digest())
        else:
            assert (tags["a"], record["k"]) == ("rsa-sha256", "rsa")
            public = load_der_public_key(key)
            assert isinstance(public, RSAPublicKey)
            public.verify(signature, signed, PKCS1v15(), SHA256())
    except InvalidSignature:
        return "signature"
    return "pass"


def _tags(value: bytes) -> dict[str, str]:
    # RFC 6376 §3.2: white space inside base64 and around tags counts for nothing.
    pairs = [pair.partition("=") for pair in re.sub(r"\s", "", value.decode("ascii")).split(";") if pair]
    assert len({name for name, _, _ in pairs}) == len(pairs)
    return {name: text for name, _, text in pairs}


def _selected(header: Header, names: str) -> list[bytes]:
    # RFC 6376 §5.4.2: from the bottom up, each instance once; names beyond those that are there stand for nothing.
    left = list(header)
    found = []
    for name in names.split(":"):
        for at in range(len(left) - 1, -1, -1):
            if _is(left[at][0], name.encode()):
                found.append(_relaxed_field(left.pop(at)) + b"\r\n")
                break
    return found


def _unsigned(field: tuple[bytes, bytes]) -> bytes:
    # RFC 6376 §3.7: the field itself, with the value of b= taken out and without its CRLF.
    return _relaxed_field((field[0], re.sub(rb"((?:^|;)\s*b\s*=)[^;]*", rb"\1", field[1])))


def _relaxed_field(field: tuple[bytes, bytes]) -> bytes:
    # RFC 6376 §3.4.2
    value = re.sub(rb"[ \t]+", b" ", field[1].replace(b"\r\n", b"")).strip(b" ")
    return field[0].rstrip(b" \t").lower() + b":" + value


def _relaxed_body(body: bytes) -> bytes:
    # RFC 6376 §3.4.4
    lines = [re.sub(rb"[ \t]+", b" ", line).rstrip(b" ") for line in body.split(b"\r\n")]
    while lines and not lines[-1]:
        lines.pop()
    return b"".join(line + b"\r\n" for line in lines)


def _is(name: bytes, wanted: bytes) -> bool:
    return name.rstrip(b" \t").lower() == wanted
