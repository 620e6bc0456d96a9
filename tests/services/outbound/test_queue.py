"""The queue's runner: every recipient ends once, whatever happens on the way."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import pytest
import structlog

from mailstack.model.delivery import (
    Deferred,
    Delivered,
    NextHop,
    OutgoingMail,
    Priority,
    QueueItem,
    QueueState,
    SmtpReply,
    TlsMode,
)
from mailstack.model.errors import Damaged, TryAgainLater
from mailstack.model.handling import PLAIN, UNASKED, Handling, Notification, NotifyOn, Returned
from mailstack.model.instant import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, Instant
from mailstack.model.mailbox import MailboxRole
from mailstack.model.principal import Account
from mailstack.model.rate import Rate
from mailstack.model.source import Source
from mailstack.model.tls_policy import LeastTls, TlsFailure, TlsUsed
from mailstack.ports.queue import Queue
from mailstack.ports.resolver import MailExchanger
from mailstack.services.outbound.limits import Entry, Limits
from mailstack.services.outbound.queue import QueueLimits, QueueRunner
from mailstack.services.outbound.route import HOLD, Relay, Route, RouteTable
from mailstack.services.outbound.schedule import Schedule
from mailstack.store.sqlite.open import open_store
from tests.support.memory_resolver import MemoryResolver
from tests.support.memory_transport import OK, answer
from tests.support.outbound_world import ALICE, BOB, MX, OutboundWorld
from tests.support.quota import quota
from tests.support.running import running, until

RAW = b"From: alice@example.com\r\nSubject: hi\r\n\r\nbody\r\n"


@dataclass
class Runners:
    """A world whose queue may be any adapter."""

    world: OutboundWorld
    queue: Queue
    made: list[QueueRunner] = field(default_factory=list)

    def runner(self, *, owner: str = "r1", limits: QueueLimits | None = None) -> QueueRunner:
        runner = QueueRunner(
            queue=self.queue,
            bus=self.world.bus,
            clock=self.world.clock,
            owner=owner,
            generation=self.world.service,
            meters=self.world.meters,
            limits=limits or QueueLimits(lease_s=60),
        )
        self.made.append(runner)
        return runner

    async def enqueue(
        self,
        *recipients: str,
        reverse_path: str = "alice@example.com",
        raw: bytes = RAW,
        is_suspicious: bool = False,
        handling: Handling = PLAIN,
        notification: Notification = UNASKED,
        priority: Priority = Priority.BULK,
    ) -> None:
        mail = OutgoingMail(
            reverse_path=reverse_path,
            recipients=recipients,
            raw=raw,
            queued_at=self.world.clock.now,
            is_8bit=False,
            smtp_utf8=False,
            trace_id="t1",
            is_suspicious=is_suspicious,
            handling=handling,
            notifications=dict.fromkeys(recipients, notification),
            priority=priority,
        )
        await self.queue.enqueue([mail], next_at=self.world.clock.now)

    async def items(self, *states: QueueState) -> list[QueueItem]:
        return list(await self.queue.items(states=states))

    async def until_empty(self) -> None:
        async def is_empty() -> bool:
            return not await self.items()

        await until(is_empty)

    async def until_tried(self, tries: int) -> QueueItem:
        async def is_tried() -> bool:
            # What is settled stays in hand for some turns of the loop, and a clock that leaps must not catch it there.
            return any(item.tries >= tries for item in await self.items()) and not any(
                one._working for one in self.made
            )

        await until(is_tried)
        return next(item for item in await self.items() if item.tries >= tries)

    async def are_all(self, said: str, *, but: int) -> bool:
        """All that waits was told so, but for so many."""
        replies = [str(item.last_reply) for item in await self.items()]
        return sum(said not in reply for reply in replies) == but

    async def until_quiet(self) -> None:
        """Nothing is due or under way."""

        async def is_quiet() -> bool:
            due = await self.queue.next_due()
            return (due is None or due > self.world.clock.now) and not any(one._working for one in self.made)

        await until(is_quiet)

    async def until_handed(self, count: int) -> None:
        async def is_handed() -> bool:
            return len(self.world.transport.handed) >= count

        await until(is_handed)

    async def until_noticed(self, account: Account) -> None:
        async def is_noticed() -> bool:
            return bool(self.world.messages.raws(account.account_id))

        await until(is_noticed)

    async def until_idle(self, runner: QueueRunner) -> None:
        async def is_idle() -> bool:
            return not runner._working

        await until(is_idle)


@pytest.fixture(params=["memory", "sqlite"])
async def runners(request: pytest.FixtureRequest, world: OutboundWorld, tmp_path: Path) -> AsyncIterator[Runners]:
    if request.param == "memory":
        yield Runners(world, world.queue)
        return
    store = await open_store(tmp_path / "store", clock=world.clock, bus=world.bus)
    try:
        yield Runners(world, store.queue)
    finally:
        await store.close()


@pytest.fixture
def memory(world: OutboundWorld) -> Runners:
    return Runners(world, world.queue)


async def test_what_waits_is_sent_at_the_start(runners: Runners) -> None:
    await runners.enqueue("b@them.test", "c@them.test", "d@others.test")
    async with running(runners.runner().run()):
        await runners.until_empty()
    handed = {(each.hop.host, each.recipients) for each in runners.world.transport.handed}
    # One mail, one transaction for each way.
    assert handed == {("mx1.them.test", ("b@them.test", "c@them.test")), ("mx.others.test", ("d@others.test",))}
    assert {each.content for each in runners.world.transport.handed} == {RAW}


async def test_kept_connections_end_with_the_runner(runners: Runners) -> None:
    async with running(runners.runner().run()):
        await runners.enqueue("b@them.test")
        await runners.until_empty()
        assert not runners.world.transport.is_closed
    assert runners.world.transport.is_closed


async def test_the_bus_wakes_a_sleeping_runner(runners: Runners) -> None:
    async with running(runners.runner(limits=QueueLimits(poll_s=3600)).run()):
        await runners.enqueue("b@them.test")
        await runners.until_empty()


async def test_a_deferred_recipient_waits_for_its_schedule(runners: Runners) -> None:
    world = runners.world
    world.transport.answers["b@them.test"] = answer(451, "4.7.1", "greylisted")
    await runners.enqueue("b@them.test", "c@them.test")
    async with running(runners.runner().run()):
        item = await runners.until_tried(1)
        assert item.recipient == "b@them.test"
        assert item.next_at == world.clock.now + 30 * MINUTE_MS
        assert item.last_reply is not None
        assert item.last_reply.text == "greylisted"
        del world.transport.answers["b@them.test"]
        world.clock.advance(30 * MINUTE_MS)
        world.bus.publish("queue")
        await runners.until_empty()
    assert [each.recipients for each in world.transport.handed] == [("b@them.test", "c@them.test"), ("b@them.test",)]


async def test_a_refused_recipient_comes_back_to_a_local_sender(runners: Runners) -> None:
    runners.world.transport.answers["b@them.test"] = answer(550, "5.1.1", "no such user")
    await runners.enqueue("b@them.test")
    async with running(runners.runner().run()):
        await runners.until_empty()
    (notice,) = runners.world.messages.raws(ALICE.account_id)
    assert notice.startswith(b"Return-Path: <>\r\n")
    assert b"Status: 5.1.1" in notice
    assert b"Subject: hi" in notice
    assert b"body" not in notice


@pytest.mark.parametrize(("will_notify", "expected"), [(False, [b"Action: relayed"]), (True, [])])
async def test_success_is_told_here_only_where_the_next_server_will_not(
    runners: Runners, *, will_notify: bool, expected: list[bytes]
) -> None:  # RFC 3461 §5.2.1, §5.2.2
    taken = Delivered(reply=OK, host="mx1.them.test", will_notify=will_notify)
    runners.world.transport.answers["b@them.test"] = lambda _host, _recipient: taken
    await runners.enqueue("b@them.test", notification=Notification(notify_on=frozenset({NotifyOn.SUCCESS})))
    async with running(runners.runner().run()):
        await runners.until_empty()
    notices = runners.world.messages.raws(ALICE.account_id)
    assert [line for notice in notices for line in notice.splitlines() if line.startswith(b"Action:")] == expected


async def test_of_what_needs_tls_on_the_way_the_header_comes_back(runners: Runners) -> None:  # RFC 8689 §5
    await runners.enqueue("b@them.test", handling=Handling(requires_tls=True, returned=Returned.FULL))
    async with running(runners.runner().run()):
        await runners.until_empty()
    (notice,) = runners.world.messages.raws(ALICE.account_id)
    assert b"Status: 5.7.10" in notice
    assert b"Subject: hi" in notice
    assert b"body" not in notice


@pytest.mark.parametrize("is_protected", [True, False])
async def test_a_stranger_has_a_notice_with_requiretls_or_without_the_header(
    runners: Runners, *, is_protected: bool
) -> None:  # RFC 8689 §5
    world = runners.world
    world.resolver.secure |= {"others.test"} if is_protected else set()
    await runners.enqueue("b@them.test", reverse_path="x@others.test", handling=Handling(requires_tls=True))
    async with running(runners.runner().run()):
        await runners.until_empty()
    (notice,) = world.transport.handed
    assert (notice.hop.host, notice.envelope.handling) == ("mx.others.test", Handling(requires_tls=is_protected))
    assert b"Status: 5.7.10" in notice.content
    assert (b"Subject: hi" in notice.content) is is_protected


async def test_a_notice_to_a_stranger_is_sent_with_the_null_path(runners: Runners) -> None:
    runners.world.transport.answers["b@them.test"] = answer(550, "5.1.1")
    await runners.enqueue("b@them.test", reverse_path="x@others.test")
    async with running(runners.runner().run()):
        await runners.until_empty()
    notice = runners.world.transport.handed[-1]
    assert (notice.reverse_path, notice.recipients, notice.hop.host) == ("", ("x@others.test",), "mx.others.test")


async def test_there_is_no_notice_about_a_notice(runners: Runners) -> None:  # RFC 5321 §4.5.5
    runners.world.transport.answers["b@them.test"] = answer(550, "5.1.1")
    await runners.enqueue("b@them.test", reverse_path="")
    async with running(runners.runner().run()):
        await runners.until_empty()
    assert len(runners.world.transport.handed) == 1


async def test_mail_that_is_late_is_told_once_and_given_up_in_the_end(memory: Runners) -> None:
    world = memory.world
    world.transport.answers["b@them.test"] = answer(451, "4.4.1", "no answer", host="")
    await memory.enqueue("b@them.test")
    begun = world.clock.now
    async with running(memory.runner().run()):
        for tries in range(1, 40):
            if not [item for item in await memory.items() if item.recipient == "b@them.test"]:
                break
            item = await memory.until_tried(tries)
            world.clock.now = item.next_at
            world.bus.publish("queue")
            await memory.until_handed(2 * (tries + 1))
        await memory.until_empty()
    assert world.clock.now == begun + 5 * DAY_MS
    delayed, failed = world.messages.raws(ALICE.account_id)
    assert b"Action: delayed" in delayed
    assert b"Will-Retry-Until" in delayed
    assert b"Action: failed" in failed
    assert b"Status: 5.4.7" in failed


async def test_a_relay_takes_every_domain_of_its_route_in_one_transaction(runners: Runners) -> None:
    hop = NextHop(host="relay.test", port=465, tls=TlsMode.IMPLICIT)
    runners.world.routes = RouteTable((Route(to="*.test", via=Relay(name="r", hop=hop)),))
    await runners.enqueue("b@them.test", "d@others.test")
    async with running(runners.runner().run()):
        await runners.until_empty()
    (handed,) = runners.world.transport.handed
    assert (handed.hop, handed.recipients) == (hop, ("b@them.test", "d@others.test"))


async def test_a_route_of_a_sender_takes_the_mail_of_that_sender_alone(runners: Runners) -> None:
    hop = NextHop(host="relay.test", port=465, tls=TlsMode.IMPLICIT)
    relay = Relay(name="r", hop=hop)
    runners.world.routes = RouteTable((Route(sender="news@example.com", to="*", via=relay),))
    await runners.enqueue("b@them.test", reverse_path="news@example.com")
    await runners.enqueue("d@them.test", reverse_path="alice@example.com")
    async with running(runners.runner().run()):
        await runners.until_empty()
    by_relay = {handed.recipients: handed.hop == hop for handed in runners.world.transport.handed}
    assert by_relay == {("b@them.test",): True, ("d@them.test",): False}


async def test_a_route_of_a_provider_waits_for_dns_and_takes_its_domains(runners: Runners) -> None:
    hop = NextHop(host="relay.test", port=465, tls=TlsMode.IMPLICIT)
    relay = Relay(name="r", hop=hop)
    world = runners.world
    world.routes = RouteTable((Route(to="*", mx="*.provider.test", via=relay),))
    provider = MailExchanger(preference=10, host="mx.provider.test")
    world.resolver = MemoryResolver(exchangers={"them.test": (provider,)}, failing={"others.test"})
    await runners.enqueue("b@them.test", "d@others.test")
    async with running(runners.runner().run()):
        waiting = await runners.until_tried(1)
        await runners.until_handed(1)
    (handed,) = world.transport.handed
    assert (handed.hop, handed.recipients) == (hop, ("b@them.test",))
    assert waiting.recipient == "d@others.test"
    assert waiting.last_reply is not None
    assert (waiting.last_reply.code, waiting.last_reply.status) == (451, "4.4.3")


async def test_what_a_person_wants_tried_is_tried_at_once_by_a_runner_that_sleeps(runners: Runners) -> None:
    world = runners.world
    world.transport.answers["b@them.test"] = answer(451, "4.7.1", "greylisted")
    await runners.enqueue("b@them.test")
    runner = runners.runner(limits=QueueLimits(poll_s=3600))
    async with running(runner.run()):
        item = await runners.until_tried(1)
        await runners.until_idle(runner)
        del world.transport.answers["b@them.test"]
        waiting = QueueState.WAITING
        assert list(await runners.queue.put([item.item_id], was=waiting, state=waiting, now=world.clock.now))
        await runners.until_empty()
    assert len(world.transport.handed) == 2


async def test_what_is_tried_by_hand_past_the_delay_tells_its_sender_of_it_once(runners: Runners) -> None:
    world = runners.world
    world.transport.answers["b@them.test"] = answer(451, "4.7.1", "greylisted")
    await runners.enqueue("b@them.test")
    async with running(runners.runner(limits=QueueLimits(poll_s=3600)).run()):
        item = await runners.until_tried(1)
        for tries, later_ms in ((2, 4 * HOUR_MS), (3, MINUTE_MS), (4, MINUTE_MS)):
            world.clock.advance(later_ms)
            waiting = QueueState.WAITING
            await runners.queue.put([item.item_id], was=waiting, state=waiting, now=world.clock.now)
            item = await runners.until_tried(tries)

        async def is_alone() -> bool:
            return len(await runners.items()) == 1

        await until(is_alone)
    (told,) = world.messages.raws(ALICE.account_id)
    assert b"Action: delayed" in told


async def test_a_hold_route_keeps_mail_for_a_person(runners: Runners) -> None:
    runners.world.routes = RouteTable((Route(to="*", via=HOLD),))

    async def is_held() -> bool:
        return len(await runners.items(QueueState.HELD)) == 2

    await runners.enqueue("b@them.test", "d@others.test")
    with structlog.testing.capture_logs() as logged:
        async with running(runners.runner().run()):
            await until(is_held)
    assert not runners.world.transport.handed
    assert {(line["event"], line["recipient"]) for line in logged} == {
        ("held", "b@them.test"),
        ("held", "d@others.test"),
    }


async def test_the_log_names_a_relay_that_was_not_reached_and_when_it_is_tried_again(memory: Runners) -> None:
    world = memory.world
    hop = NextHop(host="relay.test", port=25, tls=TlsMode.NONE)
    world.routes = RouteTable((Route(to="*", via=Relay(name="r", hop=hop)),))
    world.transport.answers["b@them.test"] = answer(451, "4.4.1", "connection refused", host="")
    await memory.enqueue("b@them.test")
    with structlog.testing.capture_logs() as logged:
        async with running(memory.runner().run()):
            item = await memory.until_tried(1)
    warning, line = logged
    assert (warning["event"], warning["relay"], warning["host"]) == ("relay takes no mail", "r", "relay.test")
    assert (line["event"], line["host"], line["recipient"]) == ("deferred", "relay.test", "b@them.test")
    assert datetime.fromisoformat(line["next_at"]).timestamp() == item.next_at // SECOND_MS


async def test_the_log_tells_what_tls_each_had(memory: Runners) -> None:
    world = memory.world
    good = TlsUsed(policy="dane", least=LeastTls.REQUIRED, version="TLSv1.3", cipher="TLS_AES_256_GCM_SHA384")
    bad = TlsUsed(policy="sts", failure=TlsFailure.CERTIFICATE_EXPIRED)
    later = SmtpReply(code=451, status="4.7.5", text="expired")
    source = Source("192.0.2.2", "out.us.test")
    world.transport.answers["b@them.test"] = lambda host, _: Delivered(reply=OK, host=host, tls=good, source=source)
    world.transport.answers["c@them.test"] = lambda host, _: Deferred(reply=later, host=host, tls=bad, source=source)
    await memory.enqueue("b@them.test", "c@them.test", "bob@example.com")
    with structlog.testing.capture_logs() as logged:
        async with running(memory.runner().run()):
            await memory.until_tried(1)
            # The time for mail is over: what came of its last attempt is told with it.
            world.clock.advance(6 * DAY_MS)
            world.bus.publish("queue")
            await memory.until_empty()
    told = {
        (line["event"], line["recipient"]): {
            name: line[name] for name in line if name.startswith("tls_") or name in ("source", "ehlo")
        }
        for line in logged
        if "reply" in line
    }
    left_from = {"source": "192.0.2.2", "ehlo": "out.us.test"}
    without = {
        **left_from,
        "tls_policy": "sts",
        "tls_least": "opportunistic",
        "tls_version": "",
        "tls_cipher": "",
        "tls_failure": "certificate-expired",
    }
    assert told["sent", "b@them.test"] == {
        **left_from,
        "tls_policy": "dane",
        "tls_least": "required",
        "tls_version": "TLSv1.3",
        "tls_cipher": "TLS_AES_256_GCM_SHA384",
    }
    assert (told["deferred", "c@them.test"], told["failed", "c@them.test"]) == (without, without)
    assert told["sent", "bob@example.com"] == {}


async def test_mail_for_a_domain_of_ours_is_delivered_here(runners: Runners) -> None:
    await runners.enqueue("bob@example.com", "alice+x@example.net")
    async with running(runners.runner().run()):
        await runners.until_empty()
    assert len(runners.world.messages.raws(BOB.account_id)) == 1
    assert len(runners.world.messages.raws(ALICE.account_id)) == 1
    assert not runners.world.transport.handed


async def test_a_local_mailbox_that_is_locked_is_tried_again(runners: Runners) -> None:
    world = runners.world
    world.messages.faults[BOB.account_id] = TryAgainLater("locked")
    await runners.enqueue("bob@example.com")
    async with running(runners.runner().run()):
        item = await runners.until_tried(1)
        assert item.next_at == world.clock.now + 5 * SECOND_MS
        world.messages.faults.clear()
        world.clock.now = item.next_at
        world.bus.publish("queue")
        await runners.until_empty()
    assert len(world.messages.raws(BOB.account_id)) == 1


async def test_what_is_suspicious_goes_to_junk_however_long_it_waited(runners: Runners) -> None:
    world = runners.world
    world.messages.faults[BOB.account_id] = TryAgainLater("locked")
    await runners.enqueue("both@example.com", is_suspicious=True)
    async with running(runners.runner().run()):
        # Alice has her copy, and what is left of the alias is queued anew.
        item = await runners.until_tried(1)
        world.messages.faults.clear()
        world.clock.now = item.next_at
        world.bus.publish("queue")
        await runners.until_empty()
    for account in (ALICE, BOB):
        for mailbox in await world.messages.mailboxes.list(account.account_id):
            placed = await world.messages.placements(account.account_id, mailbox.mailbox_id)
            assert len(placed) == (mailbox.role is MailboxRole.JUNK)


async def test_an_unknown_local_recipient_comes_back(runners: Runners) -> None:
    await runners.enqueue("nobody@example.com")
    async with running(runners.runner().run()):
        await runners.until_empty()
    assert b"Status: 5.1.1" in runners.world.messages.raws(ALICE.account_id)[0]


async def test_an_alias_that_leads_outside_is_followed(runners: Runners) -> None:
    await runners.enqueue("away@example.com")
    async with running(runners.runner().run()):
        await runners.until_empty()
    assert len(runners.world.messages.raws(ALICE.account_id)) == 1
    assert [each.recipients for each in runners.world.transport.handed] == [("friend@them.test",)]


async def test_one_account_of_an_alias_that_fails_does_not_double_the_others(runners: Runners) -> None:
    world = runners.world
    world.messages.faults[BOB.account_id] = TryAgainLater("locked")
    await runners.enqueue("both@example.com")
    async with running(runners.runner().run()):
        item = await runners.until_tried(1)
        assert item.recipient == "bob@example.com"
        world.messages.faults.clear()
        world.clock.now = item.next_at
        world.bus.publish("queue")
        await runners.until_empty()
    assert len(world.messages.raws(ALICE.account_id)) == 1
    assert len(world.messages.raws(BOB.account_id)) == 1


async def test_a_recipient_that_is_no_address_comes_back(memory: Runners) -> None:
    await memory.enqueue("nonsense")
    async with running(memory.runner().run()):
        await memory.until_empty()
    assert b"Status: 5.1.3" in memory.world.messages.raws(ALICE.account_id)[0]


async def test_a_runner_that_died_leaves_its_items_to_another(runners: Runners) -> None:
    world = runners.world
    world.transport.gate = asyncio.Event()
    await runners.enqueue("b@them.test")
    async with running(runners.runner(owner="dead").run()):
        await runners.until_handed(1)
    world.transport.gate = None
    async with running(runners.runner(owner="heir").run()):
        assert await runners.items()  # still leased
        world.clock.advance(61 * SECOND_MS)
        world.bus.publish("queue")
        await runners.until_empty()
    assert len(world.transport.handed) == 2


async def test_a_long_attempt_keeps_its_lease(runners: Runners) -> None:
    world = runners.world
    world.transport.gate = asyncio.Event()

    async def is_renewed() -> bool:
        due = await runners.queue.next_due()
        return due is not None and due >= world.clock.now + 40 * SECOND_MS

    await runners.enqueue("b@them.test")
    async with running(runners.runner(owner="slow").run()), running(runners.runner(owner="greedy").run()):
        await runners.until_handed(1)
        for _ in range(10):
            world.clock.advance(20 * SECOND_MS)
            world.bus.publish("queue")
            await until(is_renewed)
        world.transport.gate.set()
        await runners.until_empty()
    assert len(world.transport.handed) == 1


async def test_draining_waits_for_what_is_in_flight_and_leases_no_more(runners: Runners) -> None:
    world = runners.world
    world.transport.gate = asyncio.Event()
    await runners.enqueue("b@them.test")
    runner = runners.runner()
    async with running(runner.run()) as task:
        await runners.until_handed(1)
        draining = asyncio.create_task(runner.drain(grace_s=10))
        await runners.enqueue("c@them.test")
        world.transport.gate.set()
        assert await draining == 0
        await task
    assert [item.recipient for item in await runners.items()] == ["c@them.test"]
    assert len(world.transport.handed) == 1


async def test_draining_cuts_what_outlasts_its_grace(runners: Runners) -> None:
    runners.world.transport.gate = asyncio.Event()
    await runners.enqueue("b@them.test")
    runner = runners.runner()
    async with running(runner.run()) as task:
        await runners.until_handed(1)
        assert await runner.drain(grace_s=0.05) == 1
        await task
    assert [item.recipient for item in await runners.items()] == ["b@them.test"]


async def test_connections_to_one_destination_are_bounded(memory: Runners) -> None:
    world = memory.world
    world.transport.gate = asyncio.Event()
    world.concurrency = 3
    for _ in range(20):
        await memory.enqueue("b@them.test")
    async with running(memory.runner().run()):
        await memory.until_handed(3)
        world.transport.gate.set()
        await memory.until_empty()
    assert world.transport.most_in_flight == 3
    assert len(world.transport.handed) == 20


@pytest.mark.parametrize("domain", ["them.test", "same.test"])
async def test_a_destination_that_names_a_rate_is_left_alone_and_costs_no_attempts(
    runners: Runners, domain: str
) -> None:
    world = runners.world
    world.resolver = MemoryResolver(exchangers={**MX, "same.test": MX["them.test"][::-1]})
    world.concurrency, world.transport.gate = 1, asyncio.Event()
    world.transport.answers["b@them.test"] = answer(450, "4.7.28", "our system has detected an unusual rate of mail")
    await runners.enqueue("b@them.test")
    async with running(runners.runner().run()):
        await runners.until_handed(1)
        for number in range(20):
            await runners.enqueue(f"c{number}@{domain}")
        await runners.enqueue("d@others.test")
        world.transport.gate.set()
        await runners.until_handed(2)
        assert world.transport.handed[-1].recipients == ("d@others.test",)
        await until(lambda: runners.are_all("not tried yet, for mx1.them.test is left alone", but=1))
        assert {item.tries for item in await runners.items()} == {0, 1}
        assert len(world.transport.handed) == 2
        await runners.until_quiet()
        del world.transport.answers["b@them.test"]
        world.clock.advance(6 * MINUTE_MS)
        world.bus.publish("queue")
        await runners.until_handed(22)
        await runners.until_quiet()
        world.clock.advance(30 * MINUTE_MS)
        world.bus.publish("queue")
        await runners.until_empty()
    assert len(world.transport.handed) == 23
    assert world.transport.most_in_flight <= 2


async def test_what_is_over_its_rate_waits_without_an_attempt_and_holds_up_nobody(runners: Runners) -> None:
    world = runners.world
    world.limits = (Entry("*.them.test", Limits(rate=Rate(100, "m"))),)  # ten at once, three of them for submissions
    await runners.enqueue(*(f"b{number}@them.test" for number in range(20)))
    first, second = runners.runner(owner="r1"), runners.runner(owner="r2")
    async with running(first.run()), running(second.run()):
        await until(lambda: runners.are_all("not tried yet, for *.them.test gets no more than 100/m from here", but=0))
        assert sum(len(each.recipients) for each in world.transport.handed) == 7
        await runners.enqueue("c@them.test")
        await runners.enqueue("d@others.test")
        await runners.until_handed(2)
        assert world.transport.handed[-1].recipients == ("d@others.test",)
        await until(lambda: runners.are_all("not tried yet", but=0))
        assert {item.tries for item in await runners.items()} == {0}
        for _ in range(4):
            await runners.until_quiet()
            world.clock.advance(5 * SECOND_MS)
            world.bus.publish("queue")
        await runners.until_empty()
    assert sum(len(each.recipients) for each in world.transport.handed) == 22
    assert max(len(each.recipients) for each in world.transport.handed) == 7


async def test_a_submission_passes_by_a_list_that_fills_the_rate(memory: Runners) -> None:
    world = memory.world
    world.limits = (Entry("them.test", Limits(rate=Rate(100, "m"))),)
    await memory.enqueue(*(f"b{number}@them.test" for number in range(20)))
    async with running(memory.runner().run()):
        await memory.until_handed(1)
        await memory.enqueue("c@them.test", priority=Priority.SUBMISSION)
        await memory.until_handed(2)
    assert world.transport.handed[1].recipients == ("c@them.test",)


async def test_where_no_server_is_asked_no_rate_is_used_up(memory: Runners) -> None:
    world = memory.world
    world.limits = (Entry("*", Limits(rate=Rate(1, "d"))),)
    world.resolver = MemoryResolver(exchangers=dict(MX), failing={"gone.test"})
    await memory.enqueue("b@gone.test")
    async with running(memory.runner().run()):
        await memory.until_tried(1)
        await memory.enqueue("c@them.test")
        await memory.until_handed(1)


async def test_what_is_over_its_rate_for_so_long_comes_back_at_its_time(memory: Runners) -> None:
    world = memory.world
    world.schedule = Schedule(waits_ms=(HOUR_MS,), lifetime_ms=HOUR_MS, delay_notice_ms=30 * MINUTE_MS)
    world.limits = (Entry("them.test", Limits(rate=Rate(1, "d"))),)
    await memory.enqueue("b@them.test")
    async with running(memory.runner().run()):
        await memory.until_handed(1)
        await memory.enqueue("c@them.test", reverse_path="bob@others.test", raw=b"Subject: mine\r\n\r\n")
        await until(lambda: memory.are_all("not tried yet", but=0))
        for _ in range(2):
            await memory.until_quiet()
            world.clock.advance(30 * MINUTE_MS)
            world.bus.publish("queue")
        await memory.until_empty()
    delayed, failed = [handed.content for handed in world.transport.handed if "bob@others.test" in handed.recipients]
    assert b"Action: delayed" in delayed
    assert b"Action: failed" in failed


async def test_what_is_not_tried_for_so_long_comes_back_at_its_time(runners: Runners) -> None:
    world = runners.world
    world.schedule = Schedule(waits_ms=(HOUR_MS,), lifetime_ms=DAY_MS, delay_notice_ms=None)
    world.transport.answers["b@them.test"] = answer(451, "4.7.1", "rate limited")
    await runners.enqueue("b@them.test", reverse_path="")
    async with running(runners.runner().run()):
        for _ in range(25):
            await runners.until_quiet()
            world.clock.advance(HOUR_MS)
            world.bus.publish("queue")
        await runners.until_empty()


async def test_what_is_not_tried_for_so_long_tells_its_sender_in_time_and_once(runners: Runners) -> None:
    world = runners.world
    world.schedule = Schedule(waits_ms=(8 * HOUR_MS,), lifetime_ms=DAY_MS, delay_notice_ms=2 * MINUTE_MS)
    world.concurrency, world.transport.gate = 1, asyncio.Event()
    world.transport.answers["b@them.test"] = answer(451, "4.7.1", "rate limited")
    await runners.enqueue("b@them.test", reverse_path="")
    async with running(runners.runner().run()):
        await runners.until_handed(1)
        await runners.enqueue("c@them.test", reverse_path="bob@others.test", raw=b"Subject: mine\r\n\r\n")
        world.transport.gate.set()
        await until(lambda: runners.are_all("not tried yet, for mx1.them.test is left alone", but=1))
        for _ in range(2):
            await runners.until_quiet()
            world.clock.advance(2 * MINUTE_MS)
            world.bus.publish("queue")
        await runners.until_quiet()
        assert [item.tries for item in await runners.items()] == [1, 0]
        world.clock.advance(MINUTE_MS)
        world.bus.publish("queue")
        await runners.until_handed(3)
    (notice,) = [handed.content for handed in world.transport.handed if "bob@others.test" in handed.recipients]
    assert b"Action: delayed" in notice
    assert b"Subject: mine\r\n" in notice


async def test_what_comes_back_untried_shows_its_sender_which_mail_it_was(runners: Runners) -> None:
    world = runners.world
    world.schedule = Schedule(waits_ms=(HOUR_MS,), lifetime_ms=2 * MINUTE_MS, delay_notice_ms=None)
    world.concurrency, world.transport.gate = 1, asyncio.Event()
    world.transport.answers["b@them.test"] = answer(451, "4.7.1", "rate limited")
    await runners.enqueue("b@them.test", reverse_path="")
    async with running(runners.runner().run()):
        await runners.until_handed(1)
        await runners.enqueue("c@them.test", reverse_path="bob@others.test", raw=b"Subject: mine\r\n\r\n")
        world.transport.gate.set()
        await until(lambda: runners.are_all("not tried yet, for mx1.them.test is left alone", but=1))
        await runners.until_quiet()
        world.clock.advance(2 * MINUTE_MS)
        world.bus.publish("queue")
        await runners.until_empty()
    (notice,) = [handed.content for handed in world.transport.handed if "bob@others.test" in handed.recipients]
    assert b"Subject: mine\r\n" in notice


async def test_a_host_that_answered_some_is_still_asked_for_others(memory: Runners) -> None:
    world = memory.world
    world.transport.gate = asyncio.Event()
    world.concurrency = 1
    closing, refused = answer(421, "4.3.2", "closing"), answer(451, "4.4.1", "refused", host="")
    world.transport.answers["gone@them.test"] = answer(550, "5.1.1")
    world.transport.answers["b@them.test"] = lambda host, to: (closing if host == "mx1.them.test" else refused)(
        host, to
    )
    await memory.enqueue("gone@them.test", "b@them.test", reverse_path="")
    async with running(memory.runner().run()):
        await memory.until_handed(1)
        await memory.enqueue("c@them.test", reverse_path="")
        world.transport.gate.set()
        await memory.until_handed(3)
        await memory.until_quiet()
    assert [item.recipient for item in await memory.items()] == ["b@them.test"]


async def test_large_mails_under_way_are_bounded_in_memory(memory: Runners) -> None:
    world = memory.world
    world.transport.gate = asyncio.Event()
    raw = b"Subject: large\r\n\r\n" + 40 * b"x"
    for _ in range(9):
        await memory.enqueue("b@them.test", raw=raw)
    async with running(memory.runner(limits=QueueLimits(memory_bytes=2 * len(raw))).run()):
        await memory.until_handed(2)
        world.transport.gate.set()
        await memory.until_empty()
    assert world.transport.most_in_flight == 2
    await memory.enqueue("b@them.test", raw=3 * raw)
    async with running(memory.runner(limits=QueueLimits(memory_bytes=2 * len(raw))).run()):
        await memory.until_empty()


async def test_mail_behind_a_dead_host_shares_its_outcome_and_later_mail_does_not(memory: Runners) -> None:
    world = memory.world
    world.transport.gate = asyncio.Event()
    for host in ("mx1.them.test", "mx2.them.test"):
        world.transport.answers[host] = answer(451, "4.4.1", "refused", host="")
    for _ in range(50):
        await memory.enqueue("b@them.test", reverse_path="")

    async def all_tried() -> bool:
        return all(item.tries == 1 for item in await memory.items())

    world.concurrency = 2
    async with running(memory.runner().run()):
        await memory.until_handed(2)
        world.transport.gate.set()
        await until(all_tried)
        assert len(world.transport.handed) == 4
        await memory.enqueue("c@them.test", reverse_path="")
        await until(all_tried)
    assert [each.recipients for each in world.transport.handed[4:]] == [("c@them.test",)] * 2


async def test_what_comes_later_asks_a_dead_host_while_others_of_its_provider_are_sent_to(memory: Runners) -> None:
    world = memory.world
    world.limits = (Entry("*", Limits(concurrency=5)),)
    busy = world.transport.gate = asyncio.Event()
    await memory.enqueue("a@others.test")
    async with running(memory.runner(limits=QueueLimits(lease_s=DAY_MS)).run()):
        await memory.until_handed(1)
        world.transport.gate = None
        for host in ("mx1.them.test", "mx2.them.test"):
            world.transport.answers[host] = answer(451, "4.4.1", "refused", host="")
        await memory.enqueue("b@them.test")
        await until(lambda: memory.are_all("refused", but=1))
        world.transport.answers.clear()
        world.clock.advance(30 * MINUTE_MS)
        world.bus.publish("queue")
        await memory.until_handed(4)
        busy.set()
        await memory.until_empty()
    assert world.transport.handed[3].recipients == ("b@them.test",)


async def test_mail_that_requires_tls_comes_back_for_what_others_wait_for(memory: Runners) -> None:
    world = memory.world
    world.transport.gate = asyncio.Event()
    tls = TlsUsed(policy="sts", failure=TlsFailure.CERTIFICATE_EXPIRED)
    for host in ("mx1.them.test", "mx2.them.test"):
        world.transport.answers[host] = lambda asked, to: replace(
            answer(451, "4.7.5", "it has expired", host="")(asked, to), tls=tls
        )
    world.concurrency = 1
    await memory.enqueue("b@them.test")
    await memory.enqueue("c@them.test", handling=Handling(requires_tls=True))
    async with running(memory.runner().run()):
        await memory.until_handed(1)
        world.transport.gate.set()
        await memory.until_noticed(ALICE)
    (notice,) = world.messages.raws(ALICE.account_id)
    assert b"<c@them.test>" in notice
    assert b"it has expired" in notice
    assert b"Status: 5.7.10" in notice
    assert len(world.transport.handed) == 2


async def test_items_at_once_are_bounded_and_all_are_sent(memory: Runners) -> None:
    for number in range(50):
        await memory.enqueue(f"b{number}@them.test")
    async with running(memory.runner(limits=QueueLimits(items=4)).run()):
        await memory.until_empty()
    assert len(memory.world.transport.handed) == 50


async def test_a_list_to_one_slow_domain_holds_up_nobody_else(runners: Runners) -> None:
    world = runners.world
    world.transport.gate = asyncio.Event()
    await runners.enqueue(*(f"b{number}@them.test" for number in range(300)))
    runner = runners.runner(limits=QueueLimits(items=64, per_lane=20, per_transaction=1))
    async with running(runner.run()):
        await runners.until_handed(5)
        await runners.enqueue("d@others.test")
        await runners.until_handed(6)
        assert world.transport.handed[-1].recipients == ("d@others.test",)
        world.transport.gate.set()
        await runners.until_empty()
    assert len(world.transport.handed) == 301


async def test_a_transaction_has_at_most_a_hundred_recipients(memory: Runners) -> None:  # RFC 5321 §4.5.3.1.8
    await memory.enqueue(*(f"b{number}@them.test" for number in range(150)))
    async with running(memory.runner().run()):
        await memory.until_empty()
    assert sorted(len(each.recipients) for each in memory.world.transport.handed) == [50, 100]


async def test_a_bug_puts_mail_off_and_stops_nothing(memory: Runners) -> None:
    memory.world.transport.fault = RuntimeError("bug")
    await memory.enqueue("b@them.test")
    async with running(memory.runner().run()):
        item = await memory.until_tried(1)
        assert item.last_reply is not None
        assert item.last_reply.text == "an error of this server"
        memory.world.transport.fault = None
        await memory.enqueue("c@them.test")
        await memory.until_handed(2)


async def test_a_damaged_mail_comes_back_and_stops_nothing(memory: Runners) -> None:
    await memory.enqueue("b@them.test")
    (item,) = await memory.items()
    memory.world.queue.faults[item.mail_id] = Damaged("hash does not match")
    async with running(memory.runner().run()):
        await memory.until_empty()
    assert b"Status: 5.3.0" in memory.world.messages.raws(ALICE.account_id)[0]


async def test_an_unreadable_mail_waits_for_its_lease_and_stops_nothing(memory: Runners) -> None:
    await memory.enqueue("b@them.test")
    (item,) = await memory.items()
    memory.world.queue.faults[item.mail_id] = TryAgainLater("disk")
    runner = memory.runner()
    async with running(runner.run()):
        await memory.enqueue("c@them.test")
        await memory.until_handed(1)
        # A lease that runs out while the attempt still ends would be held for a minute more.
        await memory.until_idle(runner)
        memory.world.queue.faults.clear()
        memory.world.clock.advance(2 * MINUTE_MS)
        memory.world.bus.publish("queue")
        await memory.until_empty()


async def test_the_generation_is_asked_at_each_attempt(memory: Runners) -> None:
    hop = NextHop(host="relay.test", port=25, tls=TlsMode.NONE)
    async with running(memory.runner().run()):
        await memory.enqueue("b@them.test")
        await memory.until_empty()
        memory.world.routes = RouteTable((Route(to="*", via=Relay(name="r", hop=hop)),))
        await memory.enqueue("b@them.test")
        await memory.until_empty()
    assert [each.hop.host for each in memory.world.transport.handed] == ["mx1.them.test", "relay.test"]


async def test_outcomes_are_settled_as_they_came(memory: Runners) -> None:
    world = memory.world
    world.transport.answers["b@them.test"] = answer(550, "5.1.1")
    world.transport.answers["c@them.test"] = answer(451, "4.2.0")
    await memory.enqueue("a@them.test", "b@them.test", "c@them.test", reverse_path="")
    async with running(memory.runner().run()):
        await memory.until_tried(1)
    kinds = {recipient: type(outcome).__name__ for recipient, outcome in world.queue.settled}
    assert kinds == {"a@them.test": "Delivered", "b@them.test": "Failed", "c@them.test": "Deferred"}
    assert world.queue.writes == 1


async def test_one_outcome_that_cannot_be_written_keeps_no_other_from_it(memory: Runners) -> None:
    queue = memory.world.queue
    queue.settle_faults["a@them.test"] = TryAgainLater("disk full")
    await memory.enqueue("a@them.test", "b@them.test")

    async def is_one_left() -> bool:
        return [item.recipient for item in await memory.items()] == ["a@them.test"]

    async with running(memory.runner(limits=QueueLimits(settle_retry_s=0.01)).run()):
        await until(is_one_left)
        queue.settle_faults.clear()
        await memory.until_empty()
    # Written later, not sent again.
    assert len(memory.world.transport.handed) == 1


async def test_a_known_outcome_outlives_the_lease_while_the_store_cannot_write(memory: Runners) -> None:
    world = memory.world
    world.queue.settle_faults["b@them.test"] = TryAgainLater("disk full")
    await memory.enqueue("b@them.test")
    async with running(memory.runner(limits=QueueLimits(settle_retry_s=0.01)).run()):
        await memory.until_handed(1)
        for _ in range(5):
            world.clock.advance(50 * SECOND_MS)
            world.bus.publish("queue")
            await asyncio.sleep(0)
        world.queue.settle_faults.clear()
        await memory.until_empty()
    assert len(world.transport.handed) == 1


async def test_a_loop_that_stood_still_sends_nothing_on_a_lease_that_ran_out(memory: Runners) -> None:
    world = memory.world
    world.transport.gate = asyncio.Event()
    world.concurrency = 1
    limits = QueueLimits(poll_s=3600)
    for name in ("b", "c"):
        await memory.enqueue(f"{name}@them.test")
    async with running(memory.runner(owner="slept", limits=limits).run()):
        await memory.until_handed(1)
        world.clock.advance(120 * SECOND_MS)  # suspended, with one attempt in flight and one waiting for its turn
        until_then = Instant(world.clock.now + 60 * SECOND_MS)
        (b, c) = await memory.queue.lease("other", now=world.clock.now, until=until_then, quota=quota(10))
        assert (b.recipient, c.recipient) == ("b@them.test", "c@them.test")
        world.transport.gate.set()
        for _ in range(50):
            await asyncio.sleep(0)
        assert [each.recipients for each in world.transport.handed] == [("b@them.test",)]


async def test_what_a_runner_still_works_on_is_not_begun_again(memory: Runners) -> None:
    world = memory.world
    world.transport.gate = asyncio.Event()
    await memory.enqueue("b@them.test")
    async with running(memory.runner().run()):
        await memory.until_handed(1)
        world.clock.advance(120 * SECOND_MS)
        world.bus.publish("queue")
        for _ in range(50):
            await asyncio.sleep(0)
        assert len(world.transport.handed) == 1
        world.transport.gate.set()
        await memory.until_empty()
    assert len(world.transport.handed) == 1


async def test_a_lease_outlives_the_work_on_others_of_its_mail(memory: Runners) -> None:
    """Put off for its rate, and leased again while the same mail is still on its way to a slow server."""
    world = memory.world
    world.limits = (Entry("them.test", Limits(rate=Rate(1, "m"))),)
    limits = QueueLimits(lease_s=600)
    await memory.enqueue("first@them.test")
    slow, greedy = memory.runner(owner="slow", limits=limits), memory.runner(owner="greedy", limits=limits)
    async with running(slow.run()):
        await memory.until_handed(1)
        of_others = world.transport.gate = asyncio.Event()
        await memory.enqueue("b@them.test", "c@others.test")
        await memory.until_handed(2)
        await until(lambda: memory.are_all("not tried yet", but=1))
        of_them = world.transport.gate = asyncio.Event()
        world.clock.advance(2 * MINUTE_MS)
        world.bus.publish("queue")
        await memory.until_handed(3)
        of_others.set()
        await until(lambda: memory.are_all("not tried yet", but=0))
        async with running(greedy.run()):
            for _ in range(10):
                world.clock.advance(200 * SECOND_MS)
                world.bus.publish("queue")
                for _ in range(50):
                    await asyncio.sleep(0)  # a turn for the others
            of_them.set()
            await memory.until_empty()
    assert [each.recipients for each in world.transport.handed] == [
        ("first@them.test",),
        ("c@others.test",),
        ("b@them.test",),
    ]


async def test_what_is_stored_here_costs_one_write(memory: Runners) -> None:
    await memory.enqueue("bob@example.com")
    async with running(memory.runner().run()):
        await memory.until_empty()
    assert memory.world.queue.writes == 1


async def test_an_outcome_that_is_being_written_is_written_in_spite_of_a_cut(memory: Runners) -> None:
    queue = memory.world.queue
    queue.settle_gate = asyncio.Event()
    await memory.enqueue("b@them.test", "c@them.test")
    runner = memory.runner()
    async with running(runner.run()) as task:
        await memory.until_handed(1)
        draining = asyncio.create_task(runner.drain(grace_s=0))
        for _ in range(20):
            await asyncio.sleep(0)
        queue.settle_gate.set()
        assert await draining == 1
        await task
    assert not await memory.items()
