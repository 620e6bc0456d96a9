"""Mail that scripts refuse: while its sender is connected where all agree, by a notice elsewhere. RFC 5429."""

import pytest

from mailstack.model.delivery import Delivered
from mailstack.model.handling import Handling, Notification, NotifyOn
from mailstack.model.verdict import DmarcResult, DmarcVerdict, SpfResult
from mailstack.services.inbound.mail import Accept, Reason, Reject
from tests.support.filter_world import ALICE, BOB, SENDER, FilterWorld, mail_of
from tests.support.senders import known

REFUSING = 'require "reject"; reject "No thanks.";'
LISTED = 'require "ereject"; ereject "No thanks.";'
GERMAN = 'require "reject"; reject "Nein, für immer.";'
NO_POLICY = DmarcVerdict(result=DmarcResult.NONE, from_domain="x.example")
FORGED = known(NO_POLICY, spf=SpfResult.FAIL)


@pytest.mark.parametrize(
    ("script", "told"),
    [
        (REFUSING, "by the recipient's mail filter: No thanks."),
        (LISTED, "by the recipient's mail filter: No thanks."),
        ('require "ereject"; ereject "Nein, für immer.";', "by the recipient's mail filter"),
        ('require "ereject"; ereject text:\nNo,\n  never.\n.\n;', "by the recipient's mail filter:\nNo,\n  never."),
        ('require "reject"; reject "";', "by the recipient's mail filter"),
    ],
)
async def test_the_sender_is_told_while_connected(world: FilterWorld, script: str, told: str) -> None:
    await world.use(script)
    assert await world.receive(mail_of()) == Reject(reason=Reason.FILTER, told=told)
    assert (await world.where(), await world.sent_to()) == ({}, [])


async def test_all_recipients_must_agree(world: FilterWorld) -> None:
    await world.use(REFUSING)
    await world.use(LISTED.replace("thanks", "way"), of=BOB)
    refused = await world.receive(mail_of(), to=[ALICE, BOB])
    assert refused == Reject(reason=Reason.FILTER, told="by the recipient's mail filter:\nNo thanks.\nNo way.")
    await world.use("keep;", of=BOB)
    assert isinstance(await world.receive(mail_of(), to=[ALICE, BOB]), Accept)
    assert (await world.where(), await world.where(BOB)) == ({}, {"INBOX": 1})
    ((item, notice),) = await world.queued()
    assert (item.reverse_path, item.recipient) == ("", SENDER)
    assert b"report-type=disposition-notification" in notice
    assert b"No thanks." in notice
    assert b"Disposition: automatic-action/MDN-sent-automatically; deleted" in notice
    assert b"Final-Recipient: rfc822; alice@example.com" in notice


async def test_of_ereject_the_notice_is_of_a_failed_delivery(world: FilterWorld) -> None:
    await world.use(LISTED)
    await world.receive(mail_of(), to=[ALICE, BOB])
    ((item, notice),) = await world.queued()
    assert (item.reverse_path, item.recipient) == ("", SENDER)
    assert b"report-type=delivery-status" in notice
    assert b"Status: 5.7.1" in notice


@pytest.mark.parametrize(("wished", "notices"), [(set(), 0), ({NotifyOn.DELAY}, 0), ({NotifyOn.FAILURE}, 1)])
async def test_who_wants_no_notice_of_failure_gets_none(
    world: FilterWorld, wished: set[NotifyOn], notices: int
) -> None:
    await world.use(LISTED)
    await world.receive(mail_of(), to=[ALICE, BOB], notification=Notification(notify_on=frozenset(wished)))
    assert await world.sent_to() == [SENDER] * notices


@pytest.mark.parametrize("script", [REFUSING, LISTED])
async def test_of_what_is_refused_nobody_hears_that_it_was_delivered(world: FilterWorld, script: str) -> None:
    await world.use(script)
    wished = Notification(notify_on=frozenset({NotifyOn.SUCCESS, NotifyOn.FAILURE}))
    senders = known(NO_POLICY, spf=SpfResult.PASS)
    await world.receive(mail_of(), to=[ALICE, BOB], notification=wished, authentication=senders)
    delivered = [raw for _, raw in await world.queued() if b"Action: delivered" in raw]
    assert len(delivered) == 1
    assert b"bob@example.com" in delivered[0]
    assert b"alice@example.com" not in delivered[0].partition(b"rfc822-headers")[0]


async def test_out_of_the_queue_the_refusal_is_the_only_notice(world: FilterWorld) -> None:
    await world.use(f'redirect "{ALICE}";', of=BOB)
    await world.use(LISTED)
    await world.receive(mail_of(), to=[BOB])
    (result,) = await world.pass_on(to=ALICE)
    assert isinstance(result.outcome, Delivered)
    assert result.outcome.will_notify
    ((item, notice),) = await world.queued()
    assert item.recipient.startswith("SRS0=")
    assert b"Refused by the recipient's mail filter: No thanks." in notice


async def test_a_reason_that_no_reply_can_hold_is_sent(world: FilterWorld) -> None:
    await world.use(GERMAN)
    assert isinstance(await world.receive(mail_of()), Accept)
    ((_, notice),) = await world.queued()
    assert "Nein, f=C3=BCr immer." in notice.decode()
    assert await world.where() == {}


@pytest.mark.parametrize("sender", ["", SENDER])
async def test_no_notice_goes_to_nobody_or_where_a_forged_path_leads(world: FilterWorld, sender: str) -> None:
    await world.use(REFUSING)
    found = await world.receive(mail_of(), to=[ALICE, BOB], sender=sender, authentication=FORGED if sender else None)
    assert isinstance(found, Accept)
    assert await world.sent_to() == []


async def test_a_notice_asks_for_tls_as_the_mail_did(world: FilterWorld) -> None:
    await world.use(REFUSING)
    await world.receive(mail_of(), to=[ALICE, BOB], handling=Handling(requires_tls=True))
    ((item, _),) = await world.queued()
    assert item.handling == Handling(requires_tls=True)
    await world.receive(mail_of("two", fields="TLS-Required: No\r\n"), to=[ALICE, BOB])
    assert b"TLS-Required: No\r\n" in (await world.queued())[1][1]


async def test_one_who_edits_a_large_mail_has_not_refused_it(world: FilterWorld) -> None:
    await world.use(REFUSING)
    await world.use('require "editheader"; addheader "X-Seen" "yes";', of=BOB)
    raw = mail_of(body=("x" * 70 + "\r\n") * 6_000)
    assert isinstance(await world.receive(raw, to=[ALICE, BOB]), Accept)
    assert await world.where(BOB) == {"INBOX": 1}


async def test_what_is_for_a_list_too_is_taken(world: FilterWorld) -> None:
    await world.use(REFUSING)
    assert isinstance(await world.receive(mail_of(to="team@example.com"), to=[ALICE, "team@example.com"]), Accept)


async def test_what_is_done_with_before_it_is_refused_is_done(world: FilterWorld) -> None:
    world.before = ('require ["fileinto", "copy"]; fileinto :copy "Archive";',)
    await world.use(REFUSING)
    assert isinstance(await world.receive(mail_of()), Accept)
    assert await world.where() == {"Archive": 1}
    assert await world.sent_to() == [SENDER]
