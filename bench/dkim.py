"""DKIM, signing and checking: plain dkimpy beside ours, in one run. `python -m bench.dkim`. CPU milliseconds, medians.

The last column is one message with both signatures as submission makes them: its body is hashed once. The key of a
signature that is checked has been read before, as that of most senders has.
"""

import base64
import random
import statistics
import time
from collections.abc import Callable
from functools import partial

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

import dkim
from mailstack.mailauth.dkim import keys
from mailstack.mailauth.dkim.sign import SIGNED_FIELDS, sign
from mailstack.mailauth.dkim.verify import verify
from mailstack.model.instant import Instant
from mailstack.model.verdict import DkimResult, DkimVerdict
from tests.support.memory_resolver import MemoryResolver

SIZES = {"4 KB": 4_096, "100 KB": 102_400, "1 MB": 1_048_576}
HOSTILE_SPACES = 10_000
NOW = Instant(1_700_000_000_000)
WORDS = ("lorem", "ipsum  dolor", "sit", "amet")
HEADER = (
    "From: a@example.test\r\nTo: b@example.test\r\nSubject: hello\r\nDate: Mon, 1 Jan 2026 00:00:00 +0000\r\n"
    "Message-ID: <1@example.test>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
)


def message(size: int) -> bytes:
    chance = random.Random(1)
    lines = [" ".join(chance.choice(WORDS) for _ in range(10)) for _ in range(size // 58)]
    extra = "".join(f"X-H{number}: {'v' * 60}\r\n" for number in range(15))
    return (HEADER + extra + "\r\n" + "\r\n".join(lines) + "\r\n").encode()


def main() -> None:
    pairs = {algorithm: keys.generate(algorithm) for algorithm in keys.ALGORITHMS}
    bodies = {name: message(size) for name, size in SIZES.items()}
    bodies[f"line of {HOSTILE_SPACES} spaces"] = message(4_096) + b" " * HOSTILE_SPACES + b"x\r\n"
    compare_signing(bodies, pairs)
    compare_checking(bodies, pairs)


def compare_signing(bodies: dict[str, bytes], pairs: dict[str, keys.KeyPair]) -> None:
    ours = signing_keys(pairs)
    theirs = {name: plain_key(pair.private_pem) for name, pair in pairs.items()}
    print(f"{'signing':>22} {'algorithm':>9} {'dkimpy':>10} {'ours':>8} {'ratio':>6} {'both, ours':>11}")
    for name, raw in bodies.items():
        both = median_ms(partial(sign, raw, list(ours.values()), now=NOW))
        for algorithm in keys.ALGORITHMS:
            before = median_ms(partial(plain_sign, raw, algorithm, theirs[algorithm]))
            after = median_ms(partial(sign, raw, [ours[algorithm]], now=NOW))
            print(f"{name:>22} {algorithm:>9} {before:8.2f}ms {after:6.2f}ms {before / after:5.1f}x {both:9.2f}ms")


def compare_checking(bodies: dict[str, bytes], pairs: dict[str, keys.KeyPair]) -> None:
    ours = signing_keys(pairs)
    print(f"{'checking':>22} {'algorithm':>9} {'dkimpy':>10} {'ours':>8} {'ratio':>6}")
    for name, raw in bodies.items():
        for algorithm in keys.ALGORITHMS:
            record = keys.record(algorithm, pairs[algorithm].public_key)
            signed = sign(raw, [ours[algorithm]], now=NOW) + raw
            before = median_ms(partial(plain_check, signed, record))
            after = median_ms(partial(check, signed, MemoryResolver(txt={"s._domainkey.example.test": [record]})))
            print(f"{name:>22} {algorithm:>9} {before:8.2f}ms {after:6.2f}ms {before / after:5.1f}x")


def signing_keys(pairs: dict[str, keys.KeyPair]) -> dict[str, keys.SigningKey]:
    return {
        name: keys.load(domain="example.test", selector="s", private_pem=pair.private_pem)
        for name, pair in pairs.items()
    }


def check(signed: bytes, resolver: MemoryResolver) -> None:
    """Driven by hand, for the resolver never waits, and starting a loop would take longer than the check."""
    found: tuple[DkimVerdict, ...] = ()
    try:
        verify(resolver, signed, now=NOW).send(None)
    except StopIteration as end:
        found = end.value
    assert [verdict.result for verdict in found] == [DkimResult.PASS]


def plain_check(signed: bytes, record: str) -> None:
    assert dkim.verify(signed, dnsfunc=lambda *_, **__: record)


def plain_key(private_pem: str) -> bytes:
    """In the forms that dkimpy reads."""
    key = load_pem_private_key(private_pem.encode(), password=None)
    if isinstance(key, Ed25519PrivateKey):
        return base64.b64encode(key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption()))
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())


def plain_sign(raw: bytes, algorithm: str, key: bytes) -> bytes:
    present = [name for name in (b"from", b"to", b"subject", b"date", b"message-id") if name in SIGNED_FIELDS]
    signature: bytes = dkim.sign(
        raw,
        b"s",
        b"example.test",
        key,
        canonicalize=(b"relaxed", b"relaxed"),
        signature_algorithm=b"rsa-sha256" if algorithm == "rsa2048" else b"ed25519-sha256",
        include_headers=[*present, b"mime-version", b"content-type", b"from"],
    )
    return signature


def median_ms(work: Callable[[], object]) -> float:
    work()
    taken: list[float] = []
    end = time.perf_counter() + 1.0
    while len(taken) < 3 or (time.perf_counter() < end and len(taken) < 101):
        begun = time.process_time()
        work()
        taken.append(time.process_time() - begun)
    return statistics.median(taken) * 1_000


if __name__ == "__main__":
    main()
