"""Sets that we add, as our own verifier and dkimpy's see them. RFC 8617 §5.1."""

import asyncio
from collections.abc import Sequence

import pytest

import dkim
from mailstack.mailauth.arc.seal import seal
from mailstack.mailauth.arc.verify import verify
from mailstack.mailauth.dkim import keys
from mailstack.mailauth.dkim.sign import sign
from mailstack.model.instant import Instant
from mailstack.model.verdict import ArcResult, ArcVerdict
from tests.support.memory_resolver import MemoryResolver

NOW = Instant(1_700_000_000_000)
PAIRS = {algorithm: keys.generate(algorithm) for algorithm in keys.ALGORITHMS}
RESULTS = 'spf=pass smtp.mailfrom=alice@example.com; dkim=fail reason="a; b" header.d=example.com; dmarc=pass'
LONG_DOMAIN = ".".join(["a" * 60, "b" * 60, "c" * 60, "example"])
DOMAINS = ("one.example", "two.example", "three.example", LONG_DOMAIN)
RECORDS = {
    f"{algorithm}._domainkey.{domain}": [keys.record(algorithm, pair.public_key)]
    for algorithm, pair in PAIRS.items()
    for domain in DOMAINS
}
RESOLVER = MemoryResolver(txt=RECORDS)

MESSAGE = (
    b"From: Alice <alice@example.com>\r\nTo: list@one.example\r\nSubject: two   words\r\n"
    b"Date: Mon, 23 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@example.com>\r\n\r\nHello  there \t \r\n\r\nbye\r\n\r\n"
)


def key(domain: str, algorithm: str = "rsa2048") -> keys.SigningKey:
    return keys.load(domain=domain, selector=algorithm, private_pem=PAIRS[algorithm].private_pem)


def verdict(message: bytes, trusted: Sequence[str] = ()) -> ArcVerdict:
    return asyncio.run(verify(RESOLVER, message, now=NOW, trusted=trusted))


def sealed(message: bytes, by: keys.SigningKey, results: str = RESULTS) -> bytes:
    own = seal(message, by, authserv_id=f"mx.{by.domain}", results=results, chain=verdict(message), now=NOW)
    return own + message


def dkimpys(message: bytes) -> bytes:
    """Of RSA alone: dkimpy knows no other algorithm in ARC."""
    result: bytes = dkim.ARC(message).verify(dnsfunc=dns)[0]
    return result


def dns(name: bytes, timeout: int = 5) -> str:
    return RECORDS[name.decode().rstrip(".")][0]


@pytest.mark.parametrize("algorithm", keys.ALGORITHMS)
@pytest.mark.parametrize(
    "results", [RESULTS, "", "none", "x=pass\r\n\ty=z; " + "w" * 300, "dkim=pass header.i=ü@ü.example"]
)
def test_a_first_set_passes_and_says_cv_none(algorithm: str, results: str) -> None:
    message = sealed(MESSAGE, key("one.example", algorithm), results)
    assert ArcVerdict(result=ArcResult.PASS, sealers=("one.example",)) == verdict(message)
    assert algorithm != "rsa2048" or dkimpys(message) == b"pass"
    assert b" cv=none;" in message


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_chain_grows_and_passes(domain: str) -> None:
    message = sealed(sealed(sealed(MESSAGE, key("one.example")), key("two.example")), key(domain))
    assert (ArcResult.PASS, (domain, "two.example", "one.example")) == (
        verdict(message).result,
        verdict(message).sealers,
    )
    assert dkimpys(message) == b"pass"


def test_what_came_between_may_have_changed_the_message() -> None:
    changed = sealed(MESSAGE, key("one.example")).replace(b"bye", b"bye\r\n-- \r\nthe list")
    assert ArcResult.FAIL is verdict(changed).result
    chain = verdict(sealed(MESSAGE, key("one.example")))
    own = seal(changed, key("two.example"), authserv_id="mx.two.example", results=RESULTS, chain=chain, now=NOW)
    assert (verdict(own + changed).result, dkimpys(own + changed)) == (ArcResult.PASS, b"pass")


def test_a_broken_chain_is_sealed_as_broken_and_then_left_alone() -> None:  # RFC 8617 §5.1.2, §5.1 step 2
    broken = sealed(MESSAGE, key("one.example")).replace(b"bye", b"buy")
    marked = sealed(broken, key("two.example"))
    assert b" cv=fail;" in marked
    assert b"i=2;" in marked
    assert verdict(marked).reason == "the chain was broken when it was sealed"
    assert marked == sealed(marked, key("three.example"))


def test_the_seal_of_a_broken_chain_covers_its_own_set_alone() -> None:  # RFC 8617 §5.1.2
    broken = sealed(MESSAGE, key("one.example")).replace(b"bye", b"buy")
    own = seal(broken, key("two.example"), authserv_id="x", results="", chain=verdict(broken), now=NOW)
    of_other = sealed(MESSAGE, key("three.example")).replace(b"bye", b"buy")
    assert own == seal(of_other, key("two.example"), authserv_id="x", results="", chain=verdict(of_other), now=NOW)


@pytest.mark.parametrize("field", [b"ARC-Seal: nonsense", b"ARC-Seal: i=1; cv=none", b"ARC-Message-Signature: i=x"])
def test_what_is_no_chain_is_sealed_as_broken(field: bytes) -> None:
    assert b" cv=fail;" in sealed(field + b"\r\n" + MESSAGE, key("one.example"))


def test_after_fifty_sets_none_is_added() -> None:  # RFC 8617 §4.2.1
    message = MESSAGE
    for _ in range(50):
        message = sealed(message, key("one.example", "ed25519"))
    assert (verdict(message).result, len(verdict(message).sealers)) == (ArcResult.PASS, 50)
    assert message == sealed(message, key("one.example", "ed25519"))


@pytest.mark.parametrize("field", [b"To: x\r\n" * 6_000, b"X: " + b"x" * 1_100_000 + b"\r\n"])
def test_a_header_that_nobody_verifies_is_not_sealed(field: bytes) -> None:
    """A part of it would be signed, and the chain be broken for good."""
    assert sealed(field + MESSAGE, key("one.example")) == field + MESSAGE


def test_dkim_signatures_are_covered() -> None:
    signed = sign(MESSAGE, [key("one.example")], now=NOW) + MESSAGE
    message = sealed(signed, key("one.example"))
    assert ArcResult.PASS is verdict(message).result
    assert ArcResult.FAIL is verdict(message.replace(b"DKIM-Signature: v=1;", b"DKIM-Signature: v=2;")).result


@pytest.mark.parametrize("name", [b"From", b"Subject", b"Reply-To", b"Content-Type"])
def test_nothing_that_is_shown_can_be_added(name: bytes) -> None:
    assert ArcResult.FAIL is verdict(name + b": eve\r\n" + sealed(MESSAGE, key("one.example"))).result


def test_lines_are_at_most_78_columns_and_end_in_no_space() -> None:
    own = seal(
        MESSAGE, key("one.example"), authserv_id="mx.one.example", results=RESULTS, chain=verdict(MESSAGE), now=NOW
    )
    lines = own.split(b"\r\n")
    assert max(map(len, lines)) <= 78
    assert not [line for line in lines if line.endswith(b" ")]


def test_the_fields_come_in_the_order_in_which_they_were_made() -> None:
    own = sealed(MESSAGE, key("one.example"), "").removesuffix(MESSAGE)
    names = [line.partition(b":")[0] for line in own.split(b"\r\n") if line[:1] not in (b"", b" ")]
    assert names == [b"ARC-Seal", b"ARC-Message-Signature", b"ARC-Authentication-Results"]
    assert b"ARC-Authentication-Results: i=1; mx.one.example;\r\n none\r\n" in own
