"""Who may post, by what was proved of them."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from mailstack.formats.authres import MethodResult
from mailstack.formats.headers import scan_fields
from mailstack.model.principal import MailingList, Posters
from mailstack.model.verdict import (
    ArcResult,
    ArcVerdict,
    Authentication,
    DkimResult,
    DkimVerdict,
    DmarcPolicy,
    DmarcResult,
    DmarcVerdict,
    SpfResult,
)
from mailstack.services.inbound.mail import Defer, Reason
from mailstack.services.lists.posting import Posted, why_not_posted
from tests.support.mailing_lists import make_list
from tests.support.senders import known
from tests.support.smtp_world import ADMIN, ALICE, SmtpWorld

BOB = "bob@y.example"
TEAM = make_list("team@example.com", ALICE.login, BOB, "both@example.com", owners=("away@example.com",))
FROM_BOB = b"From: Bob <bob@y.example>\r\n"
SEALED = "lists.example; dmarc=pass header.from=y.example"
UNCHECKED = ArcVerdict(result=ArcResult.FAIL, is_temporary=True)
NO_RECORD = DmarcVerdict(result=DmarcResult.NONE, from_domain="y.example", organizational_domain="y.example")
RECORD = replace(NO_RECORD, policy_domain="y.example")


async def asked(mailing_list: MailingList, posted: Posted, *, left: Sequence[str] = ()) -> Reason | None:
    world = SmtpWorld()
    world.accounts.owners[mailing_list.address] = mailing_list
    for member in left:
        await world.unsubscribed.add(mailing_list.address, member, now=world.clock())
    members = world.lists().distribution.members
    found = await why_not_posted(world.accounts, members, mailing_list, posted)
    assert found is None or isinstance(found, Defer) is (found.reason is Reason.SENDER_UNKNOWN_NOW)
    return None if found is None else found.reason


def posted(header: bytes = FROM_BOB, found: Authentication | None = None, **facts: object) -> Posted:
    return replace(Posted(fields=scan_fields(header), reverse_path=BOB, authentication=found), **facts)  # type: ignore[arg-type]


def signed(domain: str, result: DkimResult = DkimResult.PASS, dmarc: DmarcVerdict = NO_RECORD) -> Authentication:
    return replace(known(dmarc), dkim=(DkimVerdict(result=result, domain=domain),))


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (None, None),
        (known(replace(RECORD, result=DmarcResult.PASS)), None),
        (known(replace(RECORD, result=DmarcResult.FAIL)), Reason.LIST_UNPROVEN),
        (
            known(replace(RECORD, result=DmarcResult.FAIL), sealed=SEALED),
            None,
        ),
        (known(replace(RECORD, result=DmarcResult.FAIL), spf=SpfResult.PASS), Reason.LIST_UNPROVEN),
        (known(replace(RECORD, result=DmarcResult.TEMPERROR)), Reason.SENDER_UNKNOWN_NOW),
        (known(NO_RECORD), Reason.LIST_UNPROVEN),
        (known(NO_RECORD, spf=SpfResult.PASS), None),
        (known(NO_RECORD, spf=SpfResult.SOFTFAIL), Reason.LIST_UNPROVEN),
        (known(NO_RECORD, spf=SpfResult.TEMPERROR), Reason.SENDER_UNKNOWN_NOW),
        (signed("y.example"), None),
        (signed("y.example", DkimResult.FAIL), Reason.LIST_UNPROVEN),
        (signed("y.example", DkimResult.TEMPERROR), Reason.SENDER_UNKNOWN_NOW),
        (signed("other.example"), Reason.LIST_UNPROVEN),
        (signed("below.y.example"), Reason.LIST_UNPROVEN),
        (signed("xy.example"), Reason.LIST_UNPROVEN),
        (
            replace(known(NO_RECORD), arc=UNCHECKED),
            Reason.SENDER_UNKNOWN_NOW,
        ),
    ],
)
async def test_an_author_is_who_was_proved_to_be(found: Authentication | None, reason: Reason | None) -> None:
    assert await asked(TEAM, posted(found=found)) is reason


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (FROM_BOB, None),
        (b"From: BOB@Y.example\r\n", None),
        (b"From: a.example@example.com\r\n", None),  # an address of alice's
        (b"From: bob@example.com\r\n", None),  # behind the alias both
        (b"From: friend@elsewhere.example\r\n", None),  # behind the owners' alias
        (b"From: admin@example.com\r\n", Reason.LIST_POSTERS),
        (b"From: bob@y.example, alice@example.com\r\n", None),
        (b"From: bob@y.example, x@y.example\r\n", Reason.LIST_POSTERS),
        (b"From: bob@y.example\r\nFrom: bob@y.example\r\n", Reason.FROM_FIELD),
        (b"Subject: x\r\n", Reason.FROM_FIELD),
        (b"From: bob\r\n", Reason.LIST_POSTERS),
        (FROM_BOB + b"Auto-Submitted: auto-replied\r\n", Reason.LIST_AUTOMATIC),
        (FROM_BOB + b"List-Id: <team.example.com>\r\n", Reason.LOOP),
        (FROM_BOB + b"List-Id: <other.example.com>\r\n", None),
        (FROM_BOB + b"Delivered-To: team@example.com\r\n", Reason.LOOP),
        (FROM_BOB + b"Delivered-To: other@example.com\r\n", None),
    ],
)
async def test_who_is_a_member(header: bytes, reason: Reason | None) -> None:
    assert await asked(TEAM, posted(header)) is reason


@pytest.mark.parametrize(
    ("post", "posters", "reason"),
    [
        (Posters.ANYONE, (), None),
        (Posters.OWNERS, (), Reason.LIST_POSTERS),
        (Posters.NAMED, (BOB,), None),
        (Posters.NAMED, (ALICE.login,), Reason.LIST_POSTERS),
    ],
)
async def test_other_rules(post: Posters, posters: tuple[str, ...], reason: Reason | None) -> None:
    assert await asked(replace(TEAM, post=post, posters=posters), posted()) is reason
    owner = posted(b"From: alice@example.com\r\n")  # behind away@
    assert await asked(replace(TEAM, post=post, posters=posters), owner) is None


async def test_whoever_has_left_posts_no_more() -> None:
    assert await asked(TEAM, posted(), left=[BOB]) is Reason.LIST_POSTERS
    alice = posted(b"From: a.example@example.com\r\n")
    assert await asked(replace(TEAM, owners=(ADMIN.login,)), alice, left=[ALICE.login]) is Reason.LIST_POSTERS


async def test_nothing_without_a_sender_and_nothing_set_apart_is_posted() -> None:
    anyone = replace(TEAM, post=Posters.ANYONE)
    for mailing_list in (TEAM, anyone):
        assert await asked(mailing_list, posted(reverse_path="")) is Reason.LIST_AUTOMATIC
        assert await asked(mailing_list, posted(is_suspicious=True)) is Reason.LIST_UNPROVEN


@pytest.mark.parametrize(
    ("method", "result", "domain", "reason"),
    [
        ("dmarc", "pass", "y.example", None),
        ("dmarc", "fail", "y.example", Reason.LIST_UNPROVEN),
        ("dmarc", "pass", "other.example", Reason.LIST_UNPROVEN),
        ("spf", "pass", "y.example", Reason.LIST_UNPROVEN),
    ],
)
async def test_a_backup_of_ours_takes_mail_from_strangers(
    method: str, result: str, domain: str, reason: Reason | None
) -> None:
    said = MethodResult(method=method, result=result, properties={"header.from": domain})
    assert await asked(TEAM, posted(by_backup=(said,))) is reason
    assert await asked(TEAM, posted(account=ALICE, by_backup=None)) is None


async def test_who_cannot_be_proved_is_told_the_same_of_everybody() -> None:
    for author in (b"bob@y.example", b"nobody@y.example"):
        header = b"From: " + author + b"\r\n"
        assert await asked(TEAM, posted(header, known(NO_RECORD))) is Reason.LIST_UNPROVEN


async def test_a_policy_of_none_proves_nothing() -> None:
    failed = replace(RECORD, result=DmarcResult.FAIL, policy=DmarcPolicy.NONE)
    assert await asked(TEAM, posted(found=known(failed))) is Reason.LIST_UNPROVEN


@pytest.mark.parametrize(
    ("header", "dmarc", "reason"),
    [
        (FROM_BOB, RECORD, None),
        (b"From: ceo@example.com\r\n", replace(RECORD, from_domain="example.com"), Reason.LIST_UNPROVEN),
        (b"From: ceo@www.example.com\r\n", replace(RECORD, from_domain="www.example.com"), Reason.LIST_UNPROVEN),
        (b"From: ceo@Example.com\r\n", NO_RECORD, Reason.LIST_UNPROVEN),
        (b"From: x@y.example, ceo@example.com\r\n", NO_RECORD, Reason.LIST_UNPROVEN),
        (b"From: ceo@example.com\r\n", replace(RECORD, result=DmarcResult.PASS), None),
        (b"From: xample@xample.com\r\n", replace(RECORD, organizational_domain="xample.com"), None),
    ],
)
async def test_anyone_may_post_but_not_in_our_name(header: bytes, dmarc: DmarcVerdict, reason: Reason | None) -> None:
    """The list signs for its domain, and the signature would pass for the author's."""
    assert await asked(replace(TEAM, post=Posters.ANYONE), posted(header, known(dmarc))) is reason


async def test_anyone_who_is_logged_in_posts_in_our_name() -> None:
    given = posted(b"From: alice@example.com\r\n", account=ALICE)
    assert await asked(replace(TEAM, post=Posters.ANYONE), given) is None


async def test_the_log_says_who_may_not_post_and_what_the_list_takes() -> None:
    world = SmtpWorld()
    world.accounts.owners[TEAM.address] = TEAM
    stranger = posted(b"From: X <x@y.example>\r\n")
    found = await why_not_posted(world.accounts, world.lists().distribution.members, TEAM, stranger)
    assert found is not None
    assert found.detail == "x@y.example may not post to team@example.com: post is members"
