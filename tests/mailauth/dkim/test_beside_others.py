"""The same mail before other people's verifiers: dkimpy as it ships, and OpenDKIM. Whoever passes it, all do.

Left out, since we decide otherwise than they and say so: l= that leaves octets unsigned, SHA-1, a second From field,
times beyond an hour's skew.
"""

import asyncio
import random
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

import dkim
from mailstack.mailauth.dkim.verify import verify
from mailstack.model.instant import Instant
from mailstack.model.verdict import DkimResult
from tests.support.dkim_signer import record, signed
from tests.support.memory_resolver import MemoryResolver
from tests.support.opendkim import opendkims

NOW = Instant(1_700_000_000_000)
SEED = 6376
MESSAGES = 300

RSA = generate_private_key(public_exponent=65537, key_size=2048)
ED25519 = Ed25519PrivateKey.generate()
RECORDS = {"r._domainkey.example.com": record(RSA), "e._domainkey.example.com": record(ED25519)}
FORMS = ("simple/simple", "simple/relaxed", "relaxed/simple", "relaxed/relaxed", "relaxed", "simple")
NAMES = ("to", "subject", "date", "message-id", "x-odd", "x-absent", "received")
SPACES = (b" ", b"  ", b"\t", b" \t ", b"\r\n ", b"\r\n\t", b" \r\n  ")
ENDS = (b"", b" ", b"\t")
WORDS = (b"alpha", b"beta", b";", b"b=", b"b=abc;", b":", b"=", "grüße".encode(), b"\xe4", b".", b"--", b"x" * 90)

Chance = random.Random


def generated(chance: Chance) -> bytes:
    """A signed message, of which two in three were changed afterwards."""
    # OpenDKIM reads no mail without an address here.
    fields = [b"From:" + chance.choice(SPACES) + b"a  b <a@example.com>" + chance.choice(ENDS) + b"\r\n"]
    for _ in range(chance.randrange(8)):
        name = chance.choice((b"To", b"SUBJECT", b"Date", b"Message-ID", b"X-Odd", b"Received", b"X-Unsigned"))
        fields.insert(chance.randrange(len(fields) + 1), name + b":" + text(chance) + b"\r\n")
    message = b"".join(fields) + b"\r\n" + body(chance)
    names = ["from", *chance.choices(NAMES, k=chance.randrange(9))]
    chance.shuffle(names)
    is_rsa = chance.random() < 0.8
    tags = {"c": chance.choice(FORMS), "h": chance.choice((":", " : ", ":\r\n ")).join(names), "s": "re"[not is_rsa]}
    if chance.random() < 0.3:
        tags["i"] = chance.choice(("@example.com", "x@mail.example.com"))
    whole = signed(message, RSA if is_rsa else ED25519, tags)
    return chance.choice(CHANGES)(whole, chance) if chance.random() < 0.67 else whole


def text(chance: Chance) -> bytes:
    return b"".join(
        chance.choice(SPACES) + chance.choice(WORDS) for _ in range(chance.randrange(1, 6))
    ) + chance.choice((b"", b" ", b"\t"))


def body(chance: Chance) -> bytes:
    parts = (*WORDS, b" ", b"  ", b"\t", b" \r\n", b"\r\n", b"\r\n\r\n")
    return b"".join(chance.choices(parts, k=chance.randrange(30))) + b"\r\n" * chance.randrange(1, 4)


def spaced(whole: bytes, chance: Chance) -> bytes:
    """A run of white space for another, anywhere."""
    places = [at for at, octet in enumerate(whole) if octet == 0x20]
    at = chance.choice(places)
    return whole[:at] + chance.choice((b"  ", b"\t", b" \t")) + whole[at + 1 :]


def replaced(whole: bytes, chance: Chance) -> bytes:
    places = [at for at, octet in enumerate(whole) if chr(octet).isalnum() and octet < 128]
    at = chance.choice(places)
    return whole[:at] + chance.choice((b"q", b"Q", b"7")) + whole[at + 1 :]


def field_added(whole: bytes, chance: Chance) -> bytes:
    added = chance.choice((b"Subject", b"to", b"X-Odd", b"X-Absent", b"Received", b"X-New")) + b": added\r\n"
    head, empty, rest = whole.partition(b"\r\n\r\n")
    return added + whole if chance.random() < 0.5 else head + b"\r\n" + added.removesuffix(b"\r\n") + empty + rest


def end_added(whole: bytes, chance: Chance) -> bytes:
    return whole + chance.choice((b"\r\n", b"\r\n\r\n", b" \r\n", b"more\r\n"))


def case_changed(whole: bytes, chance: Chance) -> bytes:
    return whole.replace(*chance.choice(((b"SUBJECT:", b"Subject:"), (b"From:", b"FROM:"), (b"v=1", b"V=1"))), 1)


def field_taken(whole: bytes, chance: Chance) -> bytes:
    head, empty, rest = whole.partition(b"\r\n\r\n")
    lines = head.split(b"\r\nX-Odd:", 1)
    return lines[0] + empty + rest if len(lines) == 2 and chance.random() < 0.5 else whole


CHANGES: Sequence[Callable[[bytes, Chance], bytes]] = (
    spaced,
    replaced,
    field_added,
    end_added,
    case_changed,
    field_taken,
)


@cache
def messages() -> tuple[bytes, ...]:
    chance = random.Random(SEED)
    return tuple(generated(chance) for _ in range(MESSAGES))


def ours(message: bytes) -> bool:
    resolver = MemoryResolver(txt={name: [text] for name, text in RECORDS.items()})
    return [found.result for found in asyncio.run(verify(resolver, message, now=NOW))] == [DkimResult.PASS]


def dkimpys(message: bytes) -> bool:
    try:
        return bool(dkim.DKIM(message).verify(dnsfunc=lambda name, **_: RECORDS[name.decode().rstrip(".")]))
    except Exception:  # noqa: BLE001  # what dkimpy raises for broken mail is anything at all
        return False


def test_dkimpy_says_the_same() -> None:
    results = [(ours(message), dkimpys(message)) for message in messages()]
    assert [messages()[at] for at, (left, right) in enumerate(results) if left is not right] == []
    assert MESSAGES / 4 < sum(left for left, _ in results) < MESSAGES * 3 / 4


def test_opendkim_says_the_same(tmp_path: Path) -> None:
    # Not of the simple form of headers: milters are not told what white space stood after the colon.
    relaxed = [message for message in messages() if b"c=relaxed" in message]
    results = zip(relaxed, opendkims(tmp_path, relaxed, RECORDS), strict=True)
    assert [message for message, theirs in results if theirs is not ours(message)] == []
