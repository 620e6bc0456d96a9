"""Whose word counts in a chain, and what chains of strangers cost. RFC 8617 §5.2, §9."""

import asyncio
import time

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

import dkim
from mailstack.mailauth.arc import verify as verify_module
from mailstack.mailauth.arc.verify import verify
from mailstack.mailauth.dkim import keys
from mailstack.mailauth.dkim.canonical import relaxed_header
from mailstack.model.verdict import ArcResult, ArcVerdict
from tests.mailauth.arc.test_seal import MESSAGE, NOW, RESOLVER, key, sealed, verdict
from tests.support.memory_resolver import MemoryResolver


def chain(*domains: str) -> bytes:
    message = MESSAGE
    for domain in domains:
        message = sealed(message, key(domain, "ed25519"), f"dmarc=pass header.from={domain}")
    return message


@pytest.mark.parametrize(
    ("trusted", "expected"),
    [
        ((), ""),
        (("three.example",), "mx.three.example; dmarc=pass header.from=three.example"),
        (("two.example", "three.example"), "mx.two.example; dmarc=pass header.from=two.example"),
        (("one.example", "two.example", "three.example"), "mx.one.example; dmarc=pass header.from=one.example"),
        # Whoever is not trusted may have put an old chain on a message of his own.
        (("one.example", "two.example"), ""),
        (("one.example", "three.example"), "mx.three.example; dmarc=pass header.from=three.example"),
    ],
)
def test_the_word_of_a_sealer_counts_while_only_trusted_ones_follow(trusted: tuple[str, ...], expected: str) -> None:
    assert expected == verdict(chain("one.example", "two.example", "three.example"), trusted).trusted_results


def test_nobodys_word_counts_in_a_chain_that_fails() -> None:
    broken = chain("one.example", "two.example").replace(b"bye", b"buy")
    found = verdict(broken, ("one.example", "two.example"))
    assert (found.result, found.trusted_results, found.sealers) == (ArcResult.FAIL, "", ())
    assert found.reason == "the body was changed after it was signed"


def test_an_old_set_that_was_changed_breaks_the_chain() -> None:
    message = chain("one.example", "two.example", "three.example")
    changed = message.replace(b"header.from=one.example", b"header.from=two.example")
    assert verdict(changed).reason == "a seal does not fit the chain"


def test_a_set_that_was_taken_out_breaks_the_chain() -> None:
    newest, second, first = (
        chain("one.example", "two.example", "three.example").split(b"ARC-Seal:")[at] for at in (1, 2, 3)
    )
    assert verdict(b"ARC-Seal:" + newest + b"ARC-Seal:" + first).reason == "the chain has gaps"
    assert verdict(b"ARC-Seal:" + newest + b"ARC-Seal:" + second + MESSAGE).reason == "the chain has gaps"


def test_more_than_fifty_sets_fail_without_a_question_to_dns() -> None:
    fields = b"".join(
        b"ARC-Seal: i=%d; cv=pass\r\nARC-Message-Signature: i=%d\r\nARC-Authentication-Results: i=%d; x\r\n" % (i, i, i)
        for i in range(51, 0, -1)
    )
    assert verdict(fields + MESSAGE).reason == "the chain has more than 50 sets"


def test_a_body_signed_in_part_breaks_the_chain() -> None:
    message = chain("one.example").replace(b"c=relaxed/relaxed;", b"c=relaxed/relaxed; l=3;")
    assert verdict(message).reason == "17 octets of the body are not signed"


def test_a_resolver_that_gives_up_makes_a_chain_that_fails_and_says_so() -> None:
    resolver = MemoryResolver(failing=set(RESOLVER.txt))
    found = asyncio.run(verify(resolver, chain("one.example"), now=NOW, trusted=()))
    reason = "DNS did not answer for the key at ed25519._domainkey.one.example"
    assert found == ArcVerdict(result=ArcResult.FAIL, is_temporary=True, reason=reason)


def test_seals_are_hashed_in_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each covers all sets before it: hashed anew for each, 50 sets in a header of 1 MB would be 25 MB of work."""
    message = chain(*["one.example"] * 10)
    canonical: list[int] = []

    def counted(name: bytes, value: bytes) -> tuple[bytes, bytes]:
        canonical.append(len(value))
        return relaxed_header(name, value)

    monkeypatch.setattr(verify_module, "relaxed_header", counted)
    assert ArcResult.PASS is verdict(message).result
    assert sum(canonical) < 2 * len(message)


def test_chains_that_dkimpy_made_pass() -> None:
    pair = keys.generate("rsa2048")
    pem = load_pem_private_key(pair.private_pem.encode(), password=None).private_bytes(
        Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()
    )
    record = keys.record("rsa2048", pair.public_key)
    message = MESSAGE
    for seen in (b"dkim=pass header.d=example.com", b"arc=pass", b"arc=pass"):
        results = b"Authentication-Results: mx.example; " + seen + b"\r\n"
        sets = dkim.arc_sign(results + message, b"s", b"example.com", pem, b"mx.example", timestamp=1)
        message = b"".join(sets) + message
    resolver = MemoryResolver(txt={"s._domainkey.example.com": [record]})
    found = asyncio.run(verify(resolver, message, now=NOW, trusted=("example.com",)))
    assert (found.result, len(found.sealers), found.reason) == (ArcResult.PASS, 3, "")
    assert found.trusted_results == "mx.example; dkim=pass header.d=example.com"


@pytest.mark.parametrize("field", [b"ARC-Seal:", b"ARC-Message-Signature:"])
def test_a_thousand_tags_more_are_only_a_seal_that_does_not_fit(field: bytes) -> None:
    tags = b"".join(b" t%d=x;" % number for number in range(1_000))
    assert verdict(chain("one.example").replace(field, field + tags)).result is ArcResult.FAIL


def test_fifty_sets_in_a_header_of_a_megabyte_are_checked_in_linear_time() -> None:
    message = MESSAGE
    for _ in range(50):
        message = sealed(message, key("one.example", "ed25519"), "x=" + "y" * 18_000)
    begun = time.process_time()
    assert verdict(message).result is ArcResult.PASS
    assert time.process_time() - begun < 5


def test_a_header_that_is_too_large_makes_a_chain_that_fails() -> None:
    message = sealed(MESSAGE, key("one.example"), "x=" + "y" * 1_100_000)
    assert verdict(message).reason == "the header is too large to be checked"
