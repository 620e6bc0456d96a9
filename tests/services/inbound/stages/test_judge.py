"""What follows from who sent a mail. RFC 9989 §5.4, RFC 7208 §8.4, RFC 8617 §7.2.1."""

from dataclasses import replace

import pytest

from mailstack.model.instant import Instant
from mailstack.model.verdict import (
    ArcResult,
    ArcVerdict,
    Authentication,
    DmarcPolicy,
    DmarcResult,
    DmarcVerdict,
    SpfResult,
)
from mailstack.services.inbound.mail import Decision, Defer, InboundMail, Reason, Reject
from mailstack.services.inbound.stages.judge import judge
from mailstack.services.inbound.stages.receiving import SenderPolicy
from tests.support.senders import known, sender_policy
from tests.support.smtp_world import SmtpWorld

MAIL = InboundMail(
    peer_host="192.0.2.9",
    ehlo_domain="client.example",
    protocol="ESMTP",
    trace_id="t",
    reverse_path="x@y.example",
    size_bytes=0,
    is_8bit=False,
    smtp_utf8=False,
    received_at=Instant(1_700_000_000_000),
    raw=b"From: x@y.example\r\n\r\n",
)
FAILED = DmarcVerdict(
    result=DmarcResult.FAIL, from_domain="y.example", policy_domain="y.example", policy=DmarcPolicy.REJECT
)
PASSED = replace(FAILED, result=DmarcResult.PASS)
SUSPECT = replace(FAILED, policy=DmarcPolicy.QUARANTINE)
NO_POLICY = replace(FAILED, policy=DmarcPolicy.NONE)
NO_DMARC = DmarcVerdict(result=DmarcResult.NONE, from_domain="y.example")
NO_AUTHOR = DmarcVerdict(result=DmarcResult.PERMERROR, reason="several From fields")
UNKNOWN = DmarcVerdict(result=DmarcResult.TEMPERROR, from_domain="y.example")


async def judged(policy: SenderPolicy | None, found: Authentication | None) -> InboundMail | Decision:
    receiving = SmtpWorld(senders=policy).service().inbound.receiving
    return await judge(receiving, MAIL.authenticated(found) if found else MAIL)


def refusal(found: InboundMail | Decision) -> Reason | None:
    return found.reason if isinstance(found, Reject) else None


@pytest.mark.parametrize("dmarc", [PASSED, NO_POLICY, NO_DMARC, UNKNOWN, replace(FAILED, result=DmarcResult.PERMERROR)])
@pytest.mark.parametrize("spf", list(SpfResult))
async def test_by_default_only_dmarc_refuses(dmarc: DmarcVerdict, spf: SpfResult) -> None:
    found = known(dmarc, spf=spf)
    assert await judged(sender_policy(), found) == MAIL.authenticated(found)


async def test_a_policy_of_reject_refuses_and_one_of_quarantine_sets_apart() -> None:
    assert refusal(await judged(sender_policy(), known(FAILED))) is Reason.DMARC
    set_apart = await judged(sender_policy(), known(SUSPECT))
    assert isinstance(set_apart, InboundMail)
    assert set_apart.is_suspicious


async def test_a_from_field_that_names_no_one_author_is_refused() -> None:
    assert refusal(await judged(sender_policy(), known(NO_AUTHOR))) is Reason.FROM_FIELD
    without_from = DmarcVerdict(result=DmarcResult.NONE)
    assert isinstance(await judged(sender_policy(), known(without_from)), InboundMail)


@pytest.mark.parametrize("dmarc", [FAILED, SUSPECT, NO_AUTHOR])
async def test_with_mark_nothing_is_refused_or_set_apart(dmarc: DmarcVerdict) -> None:
    found = known(dmarc)
    assert await judged(sender_policy(enforces_dmarc=False), found) == MAIL.authenticated(found)


async def test_a_failed_spf_is_refused_where_the_spec_says_so_unless_dmarc_passes() -> None:
    strict = sender_policy(refuses_spf_fail=True)
    assert refusal(await judged(strict, known(NO_DMARC, spf=SpfResult.FAIL))) is Reason.SPF
    assert refusal(await judged(strict, known(FAILED, spf=SpfResult.FAIL))) is Reason.DMARC
    assert isinstance(await judged(strict, known(PASSED, spf=SpfResult.FAIL)), InboundMail)
    assert isinstance(await judged(strict, known(NO_DMARC, spf=SpfResult.SOFTFAIL)), InboundMail)


async def test_a_failure_that_dns_might_mend_is_not_refused_for_good_and_not_taken() -> None:
    unsure = known(replace(FAILED, organizational_domain="y.example"), spf=SpfResult.FAIL)
    unsure = replace(unsure, mail_from=replace(unsure.mail_from, is_unsure=True, reason="DNS"))
    later = Defer(reason=Reason.SENDER_UNKNOWN_NOW, detail="DNS")
    assert await judged(sender_policy(), unsure) == later
    assert await judged(sender_policy(refuses_spf_fail=True), replace(unsure, dmarc=NO_DMARC)) == later
    assert isinstance(await judged(sender_policy(), replace(unsure, dmarc=NO_DMARC)), InboundMail)
    # What SPF says of another domain than the author's changes nothing.
    of_another = replace(unsure, mail_from=replace(unsure.mail_from, domain="other.example"))
    assert refusal(await judged(sender_policy(), of_another)) is Reason.DMARC


async def test_without_dns_the_sender_comes_again_where_the_spec_says_so() -> None:
    patient = sender_policy(defers_without_dns=True)
    unsure = replace(FAILED, result=DmarcResult.TEMPERROR)
    for dmarc in (UNKNOWN, unsure):
        assert await judged(patient, known(dmarc)) == Defer(reason=Reason.SENDER_UNKNOWN_NOW)
        assert isinstance(await judged(sender_policy(), known(dmarc)), InboundMail)
    # RFC 9989 §5.4: a policy of none changes nothing.
    assert isinstance(await judged(patient, known(replace(unsure, policy=DmarcPolicy.NONE))), InboundMail)
    assert isinstance(await judged(patient, known(NO_DMARC, spf=SpfResult.TEMPERROR)), InboundMail)
    strict = sender_policy(defers_without_dns=True, refuses_spf_fail=True)
    assert isinstance(await judged(strict, known(NO_DMARC, spf=SpfResult.TEMPERROR)), Defer)


async def test_while_dns_hides_who_sealed_it_the_sender_comes_again_where_the_spec_says_so() -> None:
    hidden = ArcVerdict(result=ArcResult.FAIL, is_temporary=True)
    found = replace(known(FAILED), arc=hidden)
    assert await judged(sender_policy(defers_without_dns=True), found) == Defer(reason=Reason.SENDER_UNKNOWN_NOW)
    assert refusal(await judged(sender_policy(), found)) is Reason.DMARC
    broken = replace(known(FAILED), arc=replace(hidden, is_temporary=False))
    assert refusal(await judged(sender_policy(defers_without_dns=True), broken)) is Reason.DMARC


@pytest.mark.parametrize(
    ("sealed", "is_taken"),
    [
        ("lists.example; dmarc=pass header.from=y.example", True),
        ("lists.example; spf=pass smtp.mailfrom=a@b.example; dmarc=pass (p=reject) header.from=Y.Example", True),
        ("lists.example; dmarc=pass header.from=other.example", False),
        ("lists.example; dmarc=pass", False),
        ("lists.example; dmarc=fail header.from=y.example", False),
        ("lists.example; spf=pass header.from=y.example", False),
        ("dmarc=pass header.from=y.example", False),
        ("", False),
    ],
)
async def test_a_trusted_sealer_vouches_for_the_author_it_saw(sealed: str, is_taken: bool) -> None:
    found = known(FAILED, spf=SpfResult.FAIL, sealed=sealed)
    assert isinstance(await judged(sender_policy(refuses_spf_fail=True), found), InboundMail) is is_taken


async def test_whoever_is_not_checked_is_not_judged() -> None:
    assert await judged(sender_policy(), None) == MAIL
    assert isinstance(await judged(None, known(FAILED)), InboundMail)


BACKED = replace(sender_policy(), backups=("mx2.example.net",), trusted_sealers=frozenset())
RESULTS = "mx2.example.net; dmarc={} header.from=y.example policy.dmarc={}{}"


@pytest.mark.parametrize(
    ("results", "policy", "is_suspicious"),
    [
        (RESULTS.format("fail", "quarantine", ""), BACKED, True),
        (RESULTS.format("fail", "none", ""), BACKED, False),
        (RESULTS.format("pass", "quarantine", ""), BACKED, False),
        (RESULTS.format("fail", "quarantine", "; arc=pass"), BACKED, True),
        (
            RESULTS.format("fail", "quarantine", "; arc=pass"),
            replace(BACKED, trusted_sealers=frozenset({"l.example"})),
            False,
        ),
        (RESULTS.format("fail", "quarantine", ""), replace(BACKED, enforces_dmarc=False), False),
        (RESULTS.format("fail", "quarantine", ""), replace(BACKED, backups=("mx3.example.net",)), False),
        (RESULTS.format("fail", "quarantine", ""), replace(BACKED, backups=()), False),
        ("mx2.example.net; what is this", BACKED, False),
    ],
)
async def test_what_a_backup_has_set_apart_stays_so(results: str, policy: SenderPolicy, *, is_suspicious: bool) -> None:
    """It is trusted, and not checked again."""
    world = SmtpWorld(senders=policy)
    forged = "mx2.example.net; dmarc=pass header.from=y.example"
    fields = f"Authentication-Results: {results}\r\nAuthentication-Results: {forged}\r\n"
    receiving = world.service().inbound.receiving
    judged = await judge(receiving, replace(MAIL, raw=fields.encode() + MAIL.raw))
    assert isinstance(judged, InboundMail)
    assert judged.is_suspicious == is_suspicious
