"""Which mail does not go on from here, and what becomes of it then."""

from dataclasses import replace

import pytest

from mailstack.model.address import parse_address
from mailstack.model.principal import Account
from mailstack.model.verdict import (
    Authentication,
    DkimResult,
    DkimVerdict,
    DmarcPolicy,
    DmarcResult,
    DmarcVerdict,
    SpfResult,
)
from mailstack.services.inbound.mail import Decision, InboundMail, Reason, Recipient, Reject
from mailstack.services.inbound.recipients import Onward, Resolution
from mailstack.services.inbound.stages.forwards import hold_back_forwards
from tests.services.inbound.stages.test_judge import MAIL
from tests.support.senders import known
from tests.support.smtp_world import ALICE, BOB, SmtpWorld

OUT = Onward(address="out@example.com", targets=("f@elsewhere.example",))
GONE = Onward(address="bob@example.com", targets=("bob@elsewhere.example",), owner=BOB)
FAILED = DmarcVerdict(result=DmarcResult.FAIL, from_domain="y.example", policy=DmarcPolicy.QUARANTINE)
PASSED = replace(FAILED, result=DmarcResult.PASS)
NO_POLICY = replace(FAILED, policy=DmarcPolicy.NONE)
VOUCHED = "lists.example; dmarc=pass header.from=y.example"
RAW = bytes(MAIL.raw)
LOOPING = b"Delivered-To: someone@elsewhere.example\r\ndelivered-to : out@example.com \r\n" + RAW


def mail(*resolutions: Resolution, raw: bytes = RAW, found: Authentication | None = None) -> InboundMail:
    recipients = tuple(
        Recipient(address=parse_address(f"r{n}@example.com"), text=f"r{n}@example.com", resolution=resolution)
        for n, resolution in enumerate(resolutions)
    )
    given = replace(MAIL, recipients=recipients, raw=raw)
    return given.authenticated(found) if found else given


async def held(given: InboundMail) -> InboundMail | Decision:
    return await hold_back_forwards(SmtpWorld().service().inbound.receiving, given)


def left(found: InboundMail | Decision) -> list[Resolution | None]:
    assert isinstance(found, InboundMail)
    return [recipient.resolution for recipient in found.recipients]


def kept(*accounts: Account) -> Resolution:
    return Resolution(accounts=accounts)


@pytest.mark.parametrize(
    "found",
    [
        None,
        known(PASSED),
        known(NO_POLICY),
        known(FAILED, sealed=VOUCHED),
        known(PASSED, spf=SpfResult.FAIL),
        replace(known(NO_POLICY, spf=SpfResult.FAIL), dkim=(DkimVerdict(result=DkimResult.PASS, domain="z.example"),)),
        known(NO_POLICY, spf=SpfResult.SOFTFAIL),
    ],
    ids=["none", "pass", "no-policy", "arc", "spf-fail-dmarc-pass", "spf-fail-signed", "softfail"],
)
async def test_most_mail_goes_on(found: Authentication | None) -> None:
    given = mail(Resolution(accounts=(ALICE,), onward=(OUT, GONE)), kept(BOB), found=found)
    assert await held(given) == given


@pytest.mark.parametrize("is_judged", [True, False])
async def test_what_fails_dmarc_stays_with_the_account_that_sends_on(is_judged: bool) -> None:
    """Whether or not receiving asks for DMARC: those it would go to may."""
    given = mail(Resolution(onward=(GONE,)), Resolution(accounts=(ALICE,), onward=(OUT, GONE)), found=known(FAILED))
    found = await held(given.suspected() if is_judged else given)
    assert left(found) == [kept(BOB), kept(ALICE, BOB)]
    assert isinstance(found, InboundMail)
    assert found.is_suspicious is is_judged


async def test_what_would_come_back_to_another_does_not_go_on() -> None:
    """SPF rules its sender out, and nothing else speaks for it: a target's refusal would be backscatter."""
    forged = known(NO_POLICY, spf=SpfResult.FAIL)
    assert left(await held(mail(Resolution(accounts=(ALICE,), onward=(OUT, GONE)), found=forged))) == [kept(ALICE, BOB)]
    found = await held(mail(Resolution(onward=(OUT,)), found=forged))
    assert isinstance(found, Reject)
    assert found.reason is Reason.SPF
    notice = replace(mail(Resolution(onward=(OUT,)), found=forged), reverse_path="")
    assert await held(notice) == notice


@pytest.mark.parametrize(
    ("author", "organization", "goes_on"),
    [
        ("example.com", "example.com", False),
        ("www.example.com", "example.com", False),
        ("example.com", "", False),  # DNS did not tell
        ("", "", False),
        ("y.example", "y.example", True),
        ("xample.com", "xample.com", True),
    ],
)
@pytest.mark.parametrize("result", [DmarcResult.FAIL, DmarcResult.TEMPERROR, DmarcResult.PERMERROR])
async def test_nobody_gets_a_pass_for_our_own_name_by_being_sent_on(
    result: DmarcResult, author: str, organization: str, goes_on: bool
) -> None:
    """Our reverse path passes SPF elsewhere: what a stranger writes in our name would pass DMARC there."""
    dmarc = replace(NO_POLICY, result=result, from_domain=author, organizational_domain=organization)
    given = mail(Resolution(accounts=(ALICE,), onward=(OUT,)), found=known(dmarc))
    assert left(await held(given)) == [Resolution(accounts=(ALICE,), onward=(OUT,) if goes_on else ())]


@pytest.mark.parametrize(
    ("address", "sender", "author", "goes_on"),
    [
        ("out@all.example", "x@y.example", "example.com", False),  # the host's name, as EHLO has it
        ("out@all.example", "", "example.com", False),
        ("out@example.com", "x@All.Example", "all.example", False),  # a path of ours, which stays
        ("out@example.com", "x@y.example", "all.example", True),
        ("out@example.com", "x@y.example", "y.example", True),
    ],
)
async def test_nor_by_our_host_or_by_a_path_of_ours(address: str, sender: str, author: str, goes_on: bool) -> None:
    onward = replace(OUT, address=address)
    dmarc = replace(NO_POLICY, from_domain=author, organizational_domain=author)
    given = replace(mail(Resolution(accounts=(ALICE,), onward=(onward,)), found=known(dmarc)), reverse_path=sender)
    assert left(await held(given)) == [Resolution(accounts=(ALICE,), onward=(onward,) if goes_on else ())]


async def test_where_nobody_here_would_have_it_all_hear_no() -> None:
    """One reply is for all: whom it tells of nothing must have it."""
    found = await held(mail(kept(ALICE), Resolution(onward=(OUT,)), found=known(FAILED)))
    assert isinstance(found, Reject)
    assert (found.reason, found.detail) == (Reason.NOT_FORWARDED, "r1@example.com")


async def test_a_mail_that_has_passed_an_address_does_not_go_on_from_it_again() -> None:
    given = mail(Resolution(accounts=(ALICE,), onward=(OUT, GONE)), raw=LOOPING)
    assert left(await held(given)) == [Resolution(accounts=(ALICE,), onward=(GONE,))]


@pytest.mark.parametrize("found", [None, known(FAILED)])
async def test_a_circle_in_which_nobody_keeps_a_copy_is_told_to_the_sender(found: Authentication | None) -> None:
    refused = await held(mail(kept(ALICE), Resolution(onward=(OUT,)), raw=LOOPING, found=found))
    assert isinstance(refused, Reject)
    assert refused.reason is Reason.LOOP
    circling = replace(GONE, address="out@example.com")
    refused = await held(mail(Resolution(onward=(circling,)), raw=LOOPING, found=found))
    assert isinstance(refused, Reject)


async def test_only_the_header_tells_where_a_mail_has_been() -> None:
    given = mail(Resolution(onward=(OUT,)), raw=RAW + b"Delivered-To: out@example.com\r\n")
    assert await held(given) == given
