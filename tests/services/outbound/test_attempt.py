"""One attempt: which hosts are asked, and when it is enough."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from mailstack.model.delivery import (
    Deferred,
    Envelope,
    EnvelopeRecipient,
    Failed,
    NextHop,
    Outcome,
    OutgoingMail,
    QueueItem,
    TlsMode,
)
from mailstack.model.handling import Handling, Notification, Returned
from mailstack.model.instant import Instant
from mailstack.model.source import Origin
from mailstack.services.outbound.attempt import Answered
from mailstack.services.outbound.destination import ToDomain, ToRelay
from mailstack.services.outbound.route import Relay
from tests.support.memory_transport import answer
from tests.support.outbound_world import OutboundWorld, attempted
from tests.support.outcomes import brief

RELAY = Relay(name="ses", hop=NextHop(host="relay.test", port=587, tls=TlsMode.STARTTLS))
THEM = ToDomain("them.test")
MAIL = OutgoingMail(
    reverse_path="alice@example.com",
    recipients=(),
    raw=b"x",
    queued_at=Instant(0),
    is_8bit=False,
    smtp_utf8=False,
    trace_id="t",
)


async def items(world: OutboundWorld, *recipients: str) -> list[QueueItem]:
    mail = replace(MAIL, recipients=recipients, queued_at=world.clock.now)
    await world.queue.enqueue([mail], next_at=world.clock.now)
    return list(await world.queue.items())


async def parts(world: OutboundWorld, way: ToDomain | ToRelay, sent: list[QueueItem], content: bytes) -> list[Answered]:
    return [part async for part in attempted(world.service(), way, sent, content)]


async def outcomes_of(world: OutboundWorld, way: ToDomain | ToRelay, *recipients: str) -> list[Outcome]:
    """In the order of the recipients, each once."""
    sent = await items(world, *recipients)
    answers = [answer for part in await parts(world, way, sent, b"content") for answer in part]
    assert sorted(item.item_id for item, _ in answers) == [item.item_id for item in sent]
    return [outcome for _, outcome in sorted(answers, key=lambda answer: answer[0].item_id)]


async def test_the_best_exchanger_takes_it(world: OutboundWorld) -> None:
    outcomes = await outcomes_of(world, THEM, "b@them.test", "c@them.test")
    assert brief(outcomes) == ["Delivered 250 2.0.0"] * 2
    (handed,) = world.transport.handed
    assert handed.hop == NextHop(host="mx1.them.test", port=25, tls=TlsMode.OPPORTUNISTIC, is_exchanger=True)
    assert (handed.recipients, handed.content) == (("b@them.test", "c@them.test"), b"content")


async def test_the_envelope_has_what_the_sender_asked_of_servers(world: OutboundWorld) -> None:
    never = Notification(notify_on=frozenset(), original_recipient="rfc822;b@them.test")
    handling = Handling(returned=Returned.HEADERS, envelope_id="QQ314159")
    mail = replace(MAIL, recipients=("b@them.test", "c@them.test"), is_8bit=True, handling=handling)
    mail = replace(mail, notifications={"b@them.test": never})
    await world.queue.enqueue([mail], next_at=world.clock.now)
    queued = list(await world.queue.items())
    await parts(world, THEM, queued, b"content")
    (handed,) = world.transport.handed
    assert handed.envelope == Envelope(
        reverse_path="alice@example.com",
        recipients=(
            EnvelopeRecipient(address="b@them.test", notification=never),
            EnvelopeRecipient(address="c@them.test"),
        ),
        is_8bit=True,
        smtp_utf8=False,
        trace_id="t",
        handling=handling,
        origin=Origin(mark=f"{queued[0].mail_id} them.test"),
    )


async def test_every_attempt_of_a_mail_may_leave_from_the_same_addresses(world: OutboundWorld) -> None:
    (item,) = await items(world, "b@them.test")
    way = replace(THEM, sources=("192.0.2.1", "192.0.2.2"))
    relay = ToRelay(Relay(name="far", hop=NextHop(host="far.test", port=587, tls=TlsMode.NONE)), ("192.0.2.1",))
    for each in (way, way, relay):
        await parts(world, each, [item], b"content")
    assert [handed.envelope.origin for handed in world.transport.handed] == [
        *[Origin(among=("192.0.2.1", "192.0.2.2"), mark=f"{item.mail_id} them.test")] * 2,
        Origin(among=("192.0.2.1",), mark=f"{item.mail_id} far.test"),
    ]


@pytest.mark.parametrize(
    ("first", "hosts", "expected"),
    [
        (answer(451, "4.4.1", host=""), ["mx1.them.test", "mx2.them.test"], "Delivered 250 2.0.0"),
        (answer(421, "4.3.2"), ["mx1.them.test", "mx2.them.test"], "Delivered 250 2.0.0"),
        (answer(554, "5.3.2", is_turned_away=True), ["mx1.them.test", "mx2.them.test"], "Delivered 250 2.0.0"),
        (answer(450, "4.3.2", is_turned_away=True), ["mx1.them.test", "mx2.them.test"], "Delivered 250 2.0.0"),
        (answer(451, "4.7.1"), ["mx1.them.test"], "Deferred 451 4.7.1"),
        (answer(550, "5.1.1"), ["mx1.them.test"], "Failed 550 5.1.1"),
        # The reply to the last dot was lost: the mail may be there, and another host would take it a second time.
        (answer(451, "4.4.2"), ["mx1.them.test"], "Deferred 451 4.4.2"),
    ],
)
async def test_the_next_exchanger_is_asked_only_when_none_has_answered(
    world: OutboundWorld, first: object, hosts: list[str], expected: str
) -> None:
    world.transport.answers["mx1.them.test"] = first  # type: ignore[assignment]  # a table of answers
    outcomes = await outcomes_of(world, THEM, "b@them.test")
    assert brief(outcomes) == [expected]
    assert [handed.hop.host for handed in world.transport.handed] == hosts


async def test_only_unanswered_recipients_go_to_the_next_exchanger(world: OutboundWorld) -> None:
    def mx1(_host: str, recipient: str) -> object:
        return (answer(550, "5.1.1") if recipient == "b@them.test" else answer(421, "4.3.2"))(
            "mx1.them.test", recipient
        )

    world.transport.answers["mx1.them.test"] = mx1  # type: ignore[assignment]  # either answer
    outcomes = await outcomes_of(world, THEM, "b@them.test", "c@them.test")
    assert brief(outcomes) == ["Failed 550 5.1.1", "Delivered 250 2.0.0"]
    assert world.transport.handed[1].recipients == ("c@them.test",)


async def test_when_all_turn_us_away_the_last_word_counts(world: OutboundWorld) -> None:
    for host in ("mx1.them.test", "mx2.them.test"):
        world.transport.answers[host] = answer(554, "5.3.2", is_turned_away=True)
    assert brief(await outcomes_of(world, THEM, "b@them.test")) == ["Failed 554 5.3.2"]
    assert len(world.transport.handed) == 2


async def test_what_one_host_took_is_known_before_the_next_is_asked(world: OutboundWorld) -> None:
    def mx1(host: str, recipient: str) -> Outcome:
        return (answer(250, "2.0.0") if recipient == "b@them.test" else answer(421, "4.3.2"))(host, recipient)

    world.transport.answers["mx1.them.test"] = mx1
    answered = attempted(world.service(), THEM, await items(world, "b@them.test", "c@them.test"), b"")
    assert [item.recipient for item, _ in await anext(answered)] == ["b@them.test"]
    assert [handed.hop.host for handed in world.transport.handed] == ["mx1.them.test"]
    await answered.aclose()


async def test_a_relay_is_the_only_host(world: OutboundWorld) -> None:
    world.transport.answers["relay.test"] = answer(451, "4.4.1", host="")
    outcomes = await outcomes_of(world, ToRelay(RELAY), "b@them.test")
    assert brief(outcomes) == ["Deferred 451 4.4.1"]
    assert [handed.hop for handed in world.transport.handed] == [RELAY.hop]


async def test_a_domain_that_does_not_exist_fails_without_an_attempt(world: OutboundWorld) -> None:
    outcomes = await outcomes_of(world, ToDomain("gone.test"), "b@gone.test")
    assert brief(outcomes) == ["Failed 550 5.1.2"]
    assert not world.transport.handed


async def test_dns_trouble_defers(world: OutboundWorld) -> None:
    world.resolver.failing.add("them.test")
    assert brief(await outcomes_of(world, THEM, "b@them.test")) == ["Deferred 451 4.4.3"]


@pytest.mark.parametrize(("is_ours", "expected"), [(True, Deferred), (False, Failed)])
async def test_a_backup_keeps_mail_whose_primary_is_not_to_be_found(
    world: OutboundWorld, *, is_ours: bool, expected: type[Outcome]
) -> None:
    (outcome,) = await outcomes_of(world, ToDomain("nowhere.test", is_ours=is_ours), "b@nowhere.test")
    assert isinstance(outcome, expected)


@pytest.mark.parametrize("is_ours", [True, False])
@pytest.mark.parametrize(
    ("outcome", "is_unreached"),
    [
        (answer(451, "4.4.1", host=""), True),
        (answer(421, "4.3.2"), True),
        (answer(452, "4.2.2"), False),
    ],
    ids=["no host", "closing", "a full mailbox"],
)
async def test_a_backup_knocks_often_at_a_primary_that_is_not_there(
    world: OutboundWorld, *, outcome: Callable[[str, str], Outcome], is_ours: bool, is_unreached: bool
) -> None:
    world.transport.answers["mx1.them.test"] = world.transport.answers["mx2.them.test"] = outcome
    (found,) = await outcomes_of(world, ToDomain("them.test", is_ours=is_ours), "b@them.test")
    assert isinstance(found, Deferred)
    assert found.is_own_fault == (is_ours and is_unreached)
