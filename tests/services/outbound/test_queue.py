"""The queue's runner: every recipient ends once, whatever happens on the way."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest
import structlog

from mailstack.model.delivery import Deferred, Delivered, Failed, NextHop, OutgoingMail, QueueItem, QueueState, TlsMode
from mailstack.model.errors import Damaged, TryAgainLater
from mailstack.model.instant import DAY_MS, MINUTE_MS, SECOND_MS, Instant
from mailstack.ports.queue import Queue
from mailstack.services.outbound.queue import QueueLimits, QueueRunner
from mailstack.services.outbound.route import HOLD, Relay, Route, RouteTable
from mailstack.store.sqlite.open import open_store
from tests.support.memory_transport import answer
from tests.support.outbound_world import ALICE, BOB, OutboundWorld
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
            limits=limits or QueueLimits(lease_s=60),
        )
        self.made.append(runner)
        return runner

    async def enqueue(self, *recipients: str, reverse_path: str = "alice@example.com", raw: bytes = RAW) -> None:
        mail = OutgoingMail(
            reverse_path=reverse_path,
            recipients=recipients,
            raw=raw,
            queued_at=self.world.clock.now,
            is_8bit=False,
            smtp_utf8=False,
            trace_id="t1",
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

    async def until_handed(self, count: int) -> None:
        async def is_handed() -> bool:
            return len(self.world.transport.handed) >= count

        await until(is_handed)

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
    (line,) = logged
    assert (line["event"], line["host"], line["recipient"]) == ("deferred", "relay.test", "b@them.test")
    assert datetime.fromisoformat(line["next_at"]).timestamp() == item.next_at // SECOND_MS


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
    for _ in range(20):
        await memory.enqueue("b@them.test")
    async with running(memory.runner(limits=QueueLimits(per_destination=3)).run()):
        await memory.until_handed(3)
        world.transport.gate.set()
        await memory.until_empty()
    assert world.transport.most_in_flight == 3
    assert len(world.transport.handed) == 20


async def test_mail_behind_a_dead_host_shares_its_outcome_and_later_mail_does_not(memory: Runners) -> None:
    world = memory.world
    world.transport.gate = asyncio.Event()
    for host in ("mx1.them.test", "mx2.them.test"):
        world.transport.answers[host] = answer(451, "4.4.1", "refused", host="")
    for _ in range(50):
        await memory.enqueue("b@them.test", reverse_path="")

    async def all_tried() -> bool:
        return all(item.tries == 1 for item in await memory.items())

    async with running(memory.runner(limits=QueueLimits(per_destination=2)).run()):
        await memory.until_handed(2)
        world.transport.gate.set()
        await until(all_tried)
        assert len(world.transport.handed) == 4
        await memory.enqueue("c@them.test", reverse_path="")
        await until(all_tried)
    assert [each.recipients for each in world.transport.handed[4:]] == [("c@them.test",)] * 2


async def test_items_at_once_are_bounded_and_all_are_sent(memory: Runners) -> None:
    for number in range(50):
        await memory.enqueue(f"b{number}@them.test")
    async with running(memory.runner(limits=QueueLimits(items=4)).run()):
        await memory.until_empty()
    assert len(memory.world.transport.handed) == 50


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
    kinds = {recipient: type(outcome) for recipient, outcome in world.queue.settled}
    assert kinds == {"a@them.test": Delivered, "b@them.test": Failed, "c@them.test": Deferred}


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
    limits = QueueLimits(per_destination=1, poll_s=3600)
    for name in ("b", "c"):
        await memory.enqueue(f"{name}@them.test")
    async with running(memory.runner(owner="slept", limits=limits).run()):
        await memory.until_handed(1)
        world.clock.advance(120 * SECOND_MS)  # suspended, with one attempt in flight and one waiting for its turn
        until_then = Instant(world.clock.now + 60 * SECOND_MS)
        (b, c) = await memory.queue.lease("other", now=world.clock.now, until=until_then, limit=10)
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
