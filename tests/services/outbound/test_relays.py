"""A relay that takes nothing is told of once an hour, and once more when it is over; what waits for it is due once it
was set up otherwise."""

import asyncio
from collections.abc import Collection
from dataclasses import replace

from structlog.testing import capture_logs

from mailstack.model.delivery import Credentials, Deferred, Delivered, NextHop, Outcome, SmtpReply, TlsMode
from mailstack.model.errors import TryAgainLater
from mailstack.model.instant import HOUR_MS, Instant
from mailstack.services.outbound.queue import QueueRunner
from mailstack.services.outbound.relays import RelayChanges, RelayTroubles
from mailstack.services.outbound.route import Relay, Route, RouteTable
from mailstack.store.memory.queue import MemoryQueue
from tests.support.fake_clock import FakeClock
from tests.support.outbound_world import OutboundWorld
from tests.support.running import DEADLINE_S, running, until
from tests.support.wakes import eventually

RELAY = Relay(name="bulk", hop=NextHop(host="relay.test", port=587, tls=TlsMode.STARTTLS))
REFUSED = Deferred(reply=SmtpReply(code=451, status="4.7.8", text="the relay refused our credentials"), host="")
TAKEN = Delivered(reply=SmtpReply(code=250, status="2.0.0", text="ok"), host="relay.test")


def test_a_thousand_mails_are_one_warning_an_hour() -> None:
    clock = FakeClock()
    troubles = RelayTroubles(clock)
    with capture_logs() as lines:
        for _ in range(1_000):
            troubles.note(RELAY, [REFUSED])
        clock.advance(HOUR_MS)
        troubles.note(RELAY, [REFUSED])
    assert lines == 2 * [
        {
            "event": "relay takes no mail",
            "log_level": "warning",
            "relay": "bulk",
            "host": "relay.test",
            "reply": "451 4.7.8 the relay refused our credentials",
        }
    ]


def test_one_that_works_is_told_of_only_after_trouble() -> None:
    troubles = RelayTroubles(FakeClock())
    with capture_logs() as lines:
        troubles.note(RELAY, [TAKEN])
        troubles.note(RELAY, [REFUSED, TAKEN])
        troubles.note(RELAY, [REFUSED])
        troubles.note(RELAY, [TAKEN])
        troubles.note(RELAY, [REFUSED])
    assert [line["event"] for line in lines] == [
        "relay takes no mail",
        "relay takes mail again",
        "relay takes no mail",
    ]


def test_a_mailbox_that_is_locked_is_no_trouble_of_the_relay() -> None:
    troubles = RelayTroubles(FakeClock())
    locked = Deferred(reply=SmtpReply(code=450, status="4.2.1", text="locked"), host="localhost")
    with capture_logs() as lines:
        troubles.note(RELAY, [locked])
        troubles.note(RELAY, [locked, REFUSED])
        troubles.note(RELAY, [locked])
    assert [line["event"] for line in lines] == ["relay takes no mail"]


def test_one_that_was_set_up_otherwise_is_told_of_anew() -> None:
    troubles = RelayTroubles(FakeClock())
    with capture_logs() as lines:
        for mark in ("one", "one", "two"):
            troubles.note(replace(RELAY, mark=mark), [REFUSED])
        troubles.note(replace(RELAY, mark="two"), [TAKEN])
    events = [line["event"] for line in lines]
    assert events == ["relay takes no mail", "relay takes no mail", "relay takes mail again"]


def by(*relays: Relay) -> RouteTable:
    return RouteTable(tuple(Route(to="*", via=relay) for relay in relays))


def relay(password: str, name: str = "ses") -> Relay:
    hop = NextHop(
        host=f"{name}.test",
        port=587,
        tls=TlsMode.STARTTLS,
        credentials=Credentials(username="u", password=password),
    )
    return Relay(name=name, hop=hop, mark=f"{name} {password}")


class House:
    """Two workers at one queue, each with the generation that it serves."""

    def __init__(self, *routes: RouteTable) -> None:
        self.world = OutboundWorld()
        self.serving = [replace(self.world.service(), routes=table) for table in routes]
        self.runners = [self._runner(at) for at in range(len(routes))]

    def _runner(self, at: int) -> QueueRunner:
        world = self.world
        return QueueRunner(
            queue=world.queue,
            bus=world.bus,
            clock=world.clock,
            owner=f"w{at}",
            generation=lambda: self.serving[at],
            meters=world.meters,
        )

    def swap(self, at: int, routes: RouteTable) -> None:
        self.serving[at] = replace(self.serving[at], routes=routes)
        self.runners[at].look()

    def refuse(self) -> None:
        self.world.transport.answers["b@them.test"] = lambda _host, _recipient: REFUSED

    def take(self) -> None:
        self.world.transport.answers.clear()

    async def until_tried(self, tries: int) -> None:
        async def is_tried() -> bool:
            return any(item.tries == tries for item in await self.world.queue.items())

        await until(is_tried)

    async def until_empty(self) -> None:
        async def is_empty() -> bool:
            return not await self.world.queue.items()

        await until(is_empty)


async def test_mail_leaves_as_soon_as_its_relay_was_put_right() -> None:
    house = House(by(relay("wrong")))
    house.refuse()
    await house.world.queued("b@them.test")
    async with running(house.runners[0].run()):
        await house.until_tried(1)
        house.swap(0, by(relay("wrong")))  # a generation that changes something else
        house.take()
        house.swap(0, by(relay("right")))
        await house.until_empty()
    assert [handed.hop.credentials for handed in house.world.transport.handed] == [
        Credentials(username="u", password=password) for password in ("wrong", "right")
    ]


async def test_mail_goes_another_way_as_soon_as_its_relay_is_gone() -> None:
    house = House(by(relay("wrong")))
    house.refuse()
    await house.world.queued("b@them.test")
    async with running(house.runners[0].run()):
        await house.until_tried(1)
        house.take()
        house.swap(0, RouteTable())
        await house.until_empty()
    assert [handed.hop.host for handed in house.world.transport.handed] == ["ses.test", "mx1.them.test"]


async def test_an_attempt_that_was_under_way_is_made_again() -> None:
    house = House(by(relay("wrong")))
    transport = house.world.transport
    answers: list[Outcome] = [REFUSED, TAKEN]
    transport.answers["b@them.test"] = lambda _host, _recipient: answers.pop(0)
    transport.gate = asyncio.Event()
    await house.world.queued("b@them.test")
    async with running(house.runners[0].run()):
        async with asyncio.timeout(DEADLINE_S):
            await eventually(lambda: bool(transport.handed))
        house.swap(0, by(relay("right")))
        transport.gate.set()
        await house.until_empty()
    assert not answers


async def test_one_worker_more_that_sees_the_change_is_no_attempt_more() -> None:
    house = House(by(relay("wrong")), by(relay("wrong")))
    house.refuse()
    await house.world.queued("b@them.test")
    async with running(house.runners[0].run()), running(house.runners[1].run()):
        await house.until_tried(1)
        house.swap(0, by(relay("still wrong")))
        await house.until_tried(2)
        house.swap(1, by(relay("still wrong")))
        await house.world.queued("c@others.test")  # a turn of both
        await eventually(lambda: len(house.world.transport.handed) == 3)
    (item,) = await house.world.queue.items()
    assert (item.recipient, item.tries) == ("b@them.test", 2)


async def test_a_server_that_was_down_meanwhile_finds_out_at_its_start() -> None:
    house = House(by(relay("wrong")))
    house.refuse()
    await house.world.queued("b@them.test")
    async with running(house.runners[0].run()):
        await house.until_tried(1)
    house.serving[0] = replace(house.serving[0], routes=by(relay("right")))
    house.take()
    async with running(house._runner(0).run()):
        await house.until_empty()


async def test_while_the_store_does_not_answer_it_is_tried_again() -> None:
    house = House(by(relay("wrong")))
    queue = house.world.queue
    faults = [TryAgainLater("locked")]

    async def at_first_not(relays: Collection[str], *, now: Instant) -> int:
        if faults:
            raise faults.pop()
        return await MemoryQueue.retry_others(queue, relays, now=now)

    queue.retry_others = at_first_not  # type: ignore[method-assign]  # a fault once
    changes = RelayChanges(queue, house.world.clock)
    routes = by(relay("right"))
    with capture_logs() as lines:
        await changes.follow(routes)
        assert not faults
        await changes.follow(routes)
    assert [line["log_level"] for line in lines] == ["warning"]
