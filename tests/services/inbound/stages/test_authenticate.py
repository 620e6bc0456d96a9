"""Who sent a mail, found out under one deadline. RFC 7208, RFC 6376, RFC 8617, RFC 9989."""

import asyncio
from dataclasses import replace
from mmap import mmap

import pytest

from mailstack.mailauth.arc.seal import seal
from mailstack.mailauth.dkim import keys
from mailstack.mailauth.dkim.sign import sign
from mailstack.model.instant import Instant
from mailstack.model.message import RawMessage
from mailstack.model.verdict import (
    ArcResult,
    ArcVerdict,
    Authentication,
    DkimResult,
    DmarcResult,
    IprevResult,
    SpfResult,
)
from mailstack.net.spool import Spool
from mailstack.ports.resolver import Resolver
from mailstack.services.inbound.mail import InboundMail, Reject
from mailstack.services.inbound.stages.authenticate import SENDERS_SHARE, authenticate
from mailstack.services.inbound.stages.judge import judge
from mailstack.services.inbound.stages.receiving import Receiving, SenderPolicy
from tests.support.memory_resolver import MemoryResolver
from tests.support.senders import sender_policy
from tests.support.silent_resolver import SilentFor, SilentResolver
from tests.support.smtp_world import SmtpWorld
from tests.support.virtual_time import run_in_virtual_time

NOW = Instant(1_700_000_000_000)
PAIR = keys.generate("ed25519")
RECORD = keys.record("ed25519", PAIR.public_key)
DNS = MemoryResolver(
    txt={
        "y.example": ["v=spf1 ip4:192.0.2.9 -all"],
        "_dmarc.y.example": ["v=DMARC1; p=reject"],
        "s._domainkey.y.example": [RECORD],
        "s._domainkey.lists.example": [RECORD],
        "s._domainkey.evil.example": [RECORD],
    },
    reverse={"192.0.2.9": ["mx.y.example"]},
    hosts={"mx.y.example": ["192.0.2.9"]},
)
RAW = b"From: x@y.example\r\nSubject: hello\r\n\r\nbody\r\n"
MAIL = InboundMail(
    peer_host="192.0.2.9",
    ehlo_domain="mx.y.example",
    protocol="ESMTP",
    trace_id="t",
    reverse_path="x@y.example",
    size_bytes=0,
    is_8bit=False,
    smtp_utf8=False,
    received_at=NOW,
)


def key_of(domain: str) -> keys.SigningKey:
    return keys.load(domain=domain, selector="s", private_pem=PAIR.private_pem)


def receiving(policy: SenderPolicy) -> Receiving:
    return SmtpWorld(senders=policy).service().inbound.receiving


async def found(raw: RawMessage, *, peer: str = "192.0.2.9", resolver: Resolver = DNS) -> Authentication:
    mail = replace(MAIL, raw=raw, peer_host=peer)
    checked = await authenticate(receiving(sender_policy(resolver)), mail)
    assert checked.authentication is not None
    return checked.authentication


async def test_every_check_has_its_verdict() -> None:
    verdicts = await found(sign(RAW, [key_of("y.example")], now=NOW) + RAW)
    assert verdicts.iprev.result is IprevResult.PASS
    assert (verdicts.mail_from.result, verdicts.helo.result) == (SpfResult.PASS, SpfResult.NONE)
    assert [(item.result, item.domain) for item in verdicts.dkim] == [(DkimResult.PASS, "y.example")]
    assert verdicts.arc.result is ArcResult.NONE
    assert (verdicts.dmarc.result, verdicts.dmarc.has_spf, verdicts.dmarc.has_dkim) == (DmarcResult.PASS, True, True)


async def test_a_signature_carries_mail_over_a_forwarder_where_spf_fails() -> None:
    forwarded = await found(sign(RAW, [key_of("y.example")], now=NOW) + RAW, peer="198.51.100.1")
    assert (forwarded.mail_from.result, forwarded.dmarc.result) == (SpfResult.FAIL, DmarcResult.PASS)
    changed = await found(sign(RAW, [key_of("y.example")], now=NOW) + RAW + b"footer\r\n", peer="198.51.100.1")
    assert changed.dmarc.result is DmarcResult.FAIL


@pytest.mark.parametrize("size", [10, 1_000_000])
async def test_a_message_in_a_file_has_the_verdicts_of_one_in_memory(size: int) -> None:
    raw = RAW + (b"x" * 70 + b"\r\n") * (size // 72)
    with Spool() as spool:
        spool.write(sign(raw, [key_of("y.example")], now=NOW) + raw)
        assert isinstance(spool.octets(), mmap) is (size > 500_000)
        assert (await found(spool.octets())).dkim[0].result is DkimResult.PASS


@pytest.mark.parametrize(
    ("sealer", "results", "is_taken"),
    [
        ("lists.example", "dmarc=pass header.from=y.example", True),
        ("lists.example", "dmarc=fail header.from=y.example", False),
        ("evil.example", "dmarc=pass header.from=y.example", False),
    ],
)
async def test_a_list_that_the_spec_trusts_vouches_by_its_seal(sealer: str, results: str, is_taken: bool) -> None:
    changed = RAW + b"-- \r\nfooter of the list\r\n"
    before = ArcVerdict(result=ArcResult.NONE)
    sealed = seal(changed, key_of(sealer), authserv_id=sealer, results=results, chain=before, now=NOW) + changed
    around = receiving(sender_policy(DNS))
    mail = replace(MAIL, raw=sealed, peer_host="198.51.100.1")
    decision = await judge(around, await authenticate(around, mail))
    assert isinstance(decision, Reject) is not is_taken


async def test_a_resolver_that_never_answers_holds_no_more_than_the_deadline() -> None:
    around = receiving(sender_policy(SilentResolver(), dns_deadline_s=0.05))
    async with asyncio.timeout(60):
        checked = await authenticate(around, replace(MAIL, raw=sign(RAW, [key_of("y.example")], now=NOW) + RAW))
    verdicts = checked.authentication
    assert verdicts is not None
    results = (verdicts.iprev.result, verdicts.helo.result, verdicts.mail_from.result, verdicts.dmarc.result)
    assert {str(result.value) for result in (*results, verdicts.dkim[0].result)} == {"temperror"}


@pytest.mark.parametrize(
    ("envelope", "signers", "asked"),
    [
        ("x@slow.example", (), "slow.example"),
        ("x@y.example", ("slow.example",), "s._domainkey.slow.example"),
        ("x@y.example", ("slow.example",) * 8, "s._domainkey.slow.example"),
    ],
)
def test_dmarc_bypass_by_names_that_never_answer(envelope: str, signers: tuple[str, ...], asked: str) -> None:
    """They use up the time for DNS, and without the author's policy the mail would be taken for one without any."""
    raw = sign(RAW, [key_of(domain) for domain in signers], now=NOW) + RAW
    mail = replace(MAIL, raw=raw, peer_host="198.51.100.1", reverse_path=envelope)

    async def scene() -> None:
        around = receiving(sender_policy(SilentFor(DNS, asked), dns_deadline_s=10))
        checked = await authenticate(around, mail)
        assert asyncio.get_running_loop().time() == pytest.approx(10 * SENDERS_SHARE)
        assert checked.authentication is not None
        assert checked.authentication.dmarc.result is DmarcResult.FAIL
        assert isinstance(await judge(around, checked), Reject)

    run_in_virtual_time(scene())


def test_keys_are_asked_for_side_by_side() -> None:
    """One that nobody gives out takes no time of the others."""
    raw = sign(RAW, [key_of("slow.example"), key_of("y.example")], now=NOW) + RAW
    mail = replace(MAIL, raw=raw, peer_host="198.51.100.1")

    async def scene() -> None:
        resolver = SilentFor(DNS, "s._domainkey.slow.example")
        checked = await authenticate(receiving(sender_policy(resolver, dns_deadline_s=10)), mail)
        assert checked.authentication is not None
        assert [verdict.result for verdict in checked.authentication.dkim] == [DkimResult.TEMPERROR, DkimResult.PASS]
        assert checked.authentication.dmarc.result is DmarcResult.PASS

    run_in_virtual_time(scene())


@pytest.mark.parametrize(
    ("peer", "is_trusted"),
    [("10.1.2.3", True), ("::ffff:10.1.2.3", True), ("fe80::1%eth0", True), ("11.1.2.3", False), ("socket", False)],
)
async def test_who_is_trusted_is_not_checked(peer: str, is_trusted: bool) -> None:
    policy = sender_policy(DNS, trusted_peers=("10.0.0.0/8", "fe80::/64"))
    checked = await authenticate(receiving(policy), replace(MAIL, raw=RAW, peer_host=peer))
    assert (checked.authentication is None) is is_trusted
