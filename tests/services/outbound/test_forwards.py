"""What the queue does with mail for addresses of ours that send it on: each of them once, whoever it was queued for."""

import re
from dataclasses import replace

import pytest

from mailstack.mailauth.srs import rewrite
from mailstack.model.delivery import Deferred, Delivered, Failed, OutgoingMail, QueueItem, SmtpReply
from mailstack.model.errors import TryAgainLater
from mailstack.model.handling import PLAIN, UNASKED, Handling, Notification, NotifyOn
from mailstack.model.principal import Account, Forward
from mailstack.services.inbound.deliver import Letter, Shipment
from mailstack.services.inbound.recipients import Resolution
from mailstack.services.outbound.bounce import failure_notice
from mailstack.services.outbound.local import LocalResult, deliver_locally
from mailstack.services.outbound.settle import settlement
from tests.support.memory_accounts import make_account
from tests.support.outbound_world import BOB, OutboundWorld

RAW = b"From: x@y.example\r\nSubject: hi\r\n\r\nbody\r\n"
KEEPS = make_account("keeps@example.com", forward=Forward(targets=("k@them.test", BOB.login), keep=True))
GONE = make_account("gone@example.com", forward=Forward(targets=("g@them.test",), keep=False))


@pytest.fixture
def world() -> OutboundWorld:
    world = OutboundWorld()
    for account in (KEEPS, GONE):
        world.accounts.put(account)
    return world


async def item(
    world: OutboundWorld, recipient: str, *, reverse_path: str = "x@y.example", handling: Handling = PLAIN
) -> QueueItem:
    mail = OutgoingMail(
        reverse_path=reverse_path,
        recipients=(recipient,),
        raw=RAW,
        queued_at=world.clock.now,
        is_8bit=False,
        smtp_utf8=False,
        trace_id="t",
        handling=handling,
    )
    await world.queue.enqueue([mail], next_at=world.clock.now)
    (found,) = await world.queue.items()
    return found


async def deliver(world: OutboundWorld, found: QueueItem, content: bytes = RAW) -> LocalResult:
    return await deliver_locally(world.service(), found, content, world.clock())


def copies(world: OutboundWorld, *accounts: Account) -> list[int]:
    return [len(world.messages.raws(account.account_id)) for account in accounts]


async def test_what_waits_for_an_account_that_sends_on_goes_on_from_it(world: OutboundWorld) -> None:
    result = await deliver(world, await item(world, KEEPS.login))
    assert copies(world, KEEPS, BOB) == [1, 1]
    (further,) = result.further
    assert further.recipients == ("k@them.test",)
    assert further.reverse_path == rewrite("x@y.example", "example.com", key=b"k" * 32, now=world.clock.now)
    assert bytes(further.raw) == b"Delivered-To: keeps@example.com\r\n" + RAW


@pytest.mark.parametrize(
    ("recipient", "told", "wished_beyond"),
    [
        (BOB.login, ["delivered"], []),
        (GONE.login, [], [True]),  # one address behind it: whoever has it last tells
        (KEEPS.login, ["expanded"], [False]),
        ("away@example.com", ["expanded"], [False]),
    ],
)
async def test_of_success_there_is_one_notice(
    world: OutboundWorld, recipient: str, told: list[str], wished_beyond: list[bool]
) -> None:  # RFC 3461 §5.2.7.2, §5.2.7.3
    wish = Notification(notify_on=frozenset({NotifyOn.SUCCESS}))
    found = replace(await item(world, recipient), notification=wish)
    result = await deliver(world, found)
    notices = settlement(world.service(), found, result.outcome, RAW, world.clock()).notices
    assert [re.findall(rb"^Action: (\w+)\r$", notice.raw, re.MULTILINE)[0].decode() for notice in notices] == told
    beyond = [mail.notifications.get(target, UNASKED) for mail in result.further for target in mail.recipients]
    assert [each.wants(NotifyOn.SUCCESS) for each in beyond] == wished_beyond


@pytest.mark.parametrize("recipient", [KEEPS.login, GONE.login, "away@example.com"])
async def test_what_goes_on_from_the_queue_asks_for_tls_as_the_mail_did(
    world: OutboundWorld, recipient: str
) -> None:  # RFC 8689 §4.1
    handling = Handling(requires_tls=True)
    (further,) = (await deliver(world, await item(world, recipient, handling=handling))).further
    assert further.handling == handling


async def test_a_notice_to_a_rewritten_path_goes_to_the_sender(world: OutboundWorld) -> None:
    path = rewrite("x@y.example", "example.com", key=b"k" * 32, now=world.clock.now)
    assert path is not None
    (further,) = (await deliver(world, await item(world, path, reverse_path=""))).further
    assert (further.reverse_path, further.recipients) == ("", ("x@y.example",))


async def test_mail_that_is_no_notice_goes_to_no_rewritten_path(world: OutboundWorld) -> None:
    path = rewrite("x@y.example", "example.com", key=b"k" * 32, now=world.clock.now)
    assert path is not None
    result = await deliver(world, await item(world, path))
    assert isinstance(result.outcome, Failed)
    assert not result.further


@pytest.mark.parametrize("account", [KEEPS, GONE], ids=["keeps", "gone"])
async def test_a_copy_that_could_not_be_stored_at_once_is_not_sent_on_a_second_time(
    world: OutboundWorld, account: Account
) -> None:
    letter = Letter(
        reverse_path="x@y.example",
        peer_host="192.0.2.9",
        raw=RAW,
        received=b"",
        received_at=world.clock.now,
        is_8bit=False,
        smtp_utf8=False,
        trace_id="t",
    )
    world.messages.faults[account.account_id] = TryAgainLater("busy")
    service = world.service()
    shipments = await service.forwarding.shipments(letter, Resolution(accounts=(account, BOB)))
    await service.delivery.deliver(shipments)
    (queued,) = await world.queue.items()
    content = await world.queue.content(queued.mail_id)
    assert isinstance((await deliver(world, queued, content)).outcome, Deferred)
    world.messages.faults.clear()
    result = await deliver(world, queued, content)
    assert isinstance(result.outcome, Delivered)
    assert not result.further
    assert copies(world, account, BOB) == [1, 1]


async def test_after_a_fault_each_account_that_sends_on_waits_for_itself(world: OutboundWorld) -> None:
    shipment = Shipment(
        letter=Letter(
            reverse_path="",
            peer_host="",
            raw=RAW,
            received=b"",
            received_at=world.clock.now,
            is_8bit=False,
            smtp_utf8=False,
            trace_id="t",
        ),
        accounts=(KEEPS, BOB, GONE),
        external=("f@them.test",),
    )
    delivery = world.delivery()
    world.messages.faults[BOB.account_id] = TryAgainLater("busy")
    await delivery.deliver([replace(shipment, accounts=(BOB,), external=())])
    delivery._is_wary = True
    await delivery.deliver([shipment])
    waiting = {found.recipient: await world.queue.content(found.mail_id) for found in await world.queue.items()}
    assert waiting["keeps@example.com"] == b"Delivered-To: keeps@example.com\r\n" + RAW
    assert waiting["gone@example.com"] == b"Delivered-To: gone@example.com\r\n" + RAW
    assert waiting["bob@example.com"] == waiting["f@them.test"] == RAW


async def test_our_own_notice_of_what_failed_is_addressed_to_the_sender(world: OutboundWorld) -> None:
    path = rewrite("x@y.example", "example.com", key=b"k" * 32, now=world.clock.now)
    assert path is not None
    failed = Failed(reply=SmtpReply(code=550, status="5.1.1", text="no such user"), host="mx.them.test")
    found = replace(
        await item(world, "k@them.test", reverse_path=path),
        notification=Notification(original_recipient="rfc822;keeps+2Bx@example.com"),
    )
    (notice,) = failure_notice(world.service(), found, failed, RAW, world.clock.now)
    assert notice.recipients == ("x@y.example",)
    assert b"To: <x@y.example>" in bytes(notice.raw)
    assert path.encode() not in bytes(notice.raw)
    assert b"<k@them.test>\r\n    to which mail for <keeps+x@example.com> goes on\r\n" in bytes(notice.raw)
    assert b"Original-Recipient: rfc822; keeps+x@example.com" in bytes(notice.raw)
