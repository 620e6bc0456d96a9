"""A warm-up, as the queue carries it out."""

from collections.abc import Sequence

from mailstack.model.delivery import Deferred, Delivered, Failed, NextHop, OutgoingMail, SmtpReply, TlsMode
from mailstack.model.errors import TryAgainLater
from mailstack.model.instant import DAY_MS, Instant
from mailstack.model.warm_up import WarmDay, WarmUp, day_of
from mailstack.ports.resolver import MailExchanger
from mailstack.services.outbound.queue import QueueLimits, QueueRunner
from mailstack.services.outbound.route import Gradual, Relay, Route, RouteTable
from mailstack.services.outbound.warming import Warming
from mailstack.store.memory.warm_days import MemoryWarmDays
from tests.support.memory_transport import answer
from tests.support.outbound_world import OutboundWorld
from tests.support.running import running, until

SES = NextHop(host="ses.test", port=465, tls=TlsMode.IMPLICIT)
WEEK = 7


def warmed(world: OutboundWorld, started_days_ago: int) -> WarmUp:
    warm_up = WarmUp(start=Instant(day_of(world.clock.now) - started_days_ago * DAY_MS), days=WEEK)
    world.routes = RouteTable((Route(to="*", via=Gradual(warm_up=warm_up, meanwhile=Relay(name="ses", hop=SES))),))
    return warm_up


async def sent(world: OutboundWorld, *recipients: str) -> list[tuple[str, tuple[str, ...]]]:
    """The hosts that mails were handed to, in any order."""
    for recipient in recipients:
        await world.queued(recipient)
    runner = QueueRunner(
        queue=world.queue,
        bus=world.bus,
        clock=world.clock,
        owner="one",
        generation=world.service,
        meters=world.meters,
        limits=QueueLimits(),
    )

    async def is_done() -> bool:
        return all(item.tries for item in await world.queue.items()) and not runner._working

    async with running(runner.run()):
        await until(is_done)
    return sorted((handed.hop.host, handed.recipients) for handed in world.transport.handed)


async def test_before_it_begins_all_goes_by_the_relay() -> None:
    world = OutboundWorld()
    warmed(world, -1)
    assert await sent(world, "b@them.test", "c@others.test") == [
        ("ses.test", ("b@them.test",)),
        ("ses.test", ("c@others.test",)),
    ]
    assert await world.warm_days.all(since=Instant(0)) == []


async def test_once_it_is_over_all_goes_direct_and_is_counted_by_provider() -> None:
    world = OutboundWorld()
    warmed(world, WEEK)
    elsewhere = [MailExchanger(preference=5, host="a.them.test")]
    world.resolver.exchangers = {**world.resolver.exchangers, "else.test": elsewhere}
    world.transport.answers["d@else.test"] = answer(451, "4.7.1", "who are you")
    found = await sent(world, "b@them.test", "c@others.test", "d@else.test")
    assert [host for host, _ in found] == ["a.them.test", "mx.others.test", "mx1.them.test"]
    today = day_of(world.clock.now)
    assert await world.warm_days.all(since=Instant(0)) == [
        WarmDay(provider="others.test", day=today, taken=1, troubles=0),
        WarmDay(provider="them.test", day=today, taken=1, troubles=1),
    ]


async def test_in_between_a_share_goes_direct() -> None:
    world = OutboundWorld()
    warmed(world, 5)
    recipients = [f"b{number}@them.test" for number in range(60)]
    found = [host for host, _ in await sent(world, *recipients)]
    # 0.01 ** (2 / 7): a good fourth of sixty.
    assert set(found) == {"ses.test", "mx1.them.test"}
    assert 8 <= found.count("mx1.them.test") <= 24


async def test_a_provider_that_does_not_like_it_has_less_and_the_others_have_more() -> None:
    world = OutboundWorld()
    warmed(world, WEEK)
    for days_ago in range(1, 4):
        day = Instant(day_of(world.clock.now) - days_ago * DAY_MS)
        await world.warm_days.add(WarmDay(provider="them.test", day=day, taken=0, troubles=10))
    recipients = [f"b{number}@{domain}" for domain in ("them.test", "others.test") for number in range(20)]
    found = [host for host, _ in await sent(world, *recipients)]
    assert found.count("mx.others.test") == 20
    assert found.count("mx1.them.test") < 5


async def test_while_dns_does_not_answer_mail_waits() -> None:
    world = OutboundWorld()
    warmed(world, 1)
    world.resolver.failing.add("them.test")
    assert await sent(world, "b@them.test") == []
    (item,) = await world.queue.items()
    assert item.last_reply is not None
    assert item.last_reply.status == "4.4.3"


class Full(MemoryWarmDays):
    async def add(self, day: WarmDay) -> None:
        raise TryAgainLater(f"no room for {day.provider}")


async def test_what_cannot_be_counted_keeps_no_mail_back() -> None:
    world = OutboundWorld()
    world.warm_days = Full()
    warmed(world, WEEK)
    assert await sent(world, "b@them.test") == [("mx1.them.test", ("b@them.test",))]
    assert await world.queue.items() == []


async def test_what_says_nothing_of_us_is_not_counted() -> None:
    world = OutboundWorld()
    days = MemoryWarmDays()
    warming = Warming(days, clock=world.clock)
    later = SmtpReply(code=451, status="4.4.1", text="no answer")
    await warming.note("p.test", [Deferred(reply=later, host="")])
    assert await days.all(since=Instant(0)) == []
    no = SmtpReply(code=550, status="5.7.1", text="no")
    yes = SmtpReply(code=250, status="2.0.0", text="yes")
    await warming.note("p.test", [Failed(reply=no, host="mx"), Delivered(reply=yes, host="mx")])
    assert await days.all(since=Instant(0)) == [
        WarmDay(provider="p.test", day=day_of(world.clock.now), taken=1, troubles=1)
    ]


class Counting(MemoryWarmDays):
    """asked: of how many providers, so far."""

    asked = 0

    async def of(self, provider: str, *, since: Instant) -> Sequence[WarmDay]:
        self.asked += 1
        return await super().of(provider, since=since)


async def test_a_mail_to_many_there_is_one_question_and_goes_one_way() -> None:
    world = OutboundWorld()
    world.warm_days = days = Counting()
    warmed(world, 5)
    mail = OutgoingMail(
        reverse_path="alice@example.com",
        recipients=tuple(f"b{number}@them.test" for number in range(90)),
        raw=b"x",
        queued_at=world.clock.now,
        is_8bit=False,
        smtp_utf8=False,
        trace_id="t",
    )
    await world.queue.enqueue([mail], next_at=world.clock.now)
    ((_, recipients),) = await sent(world)
    assert (len(recipients), days.asked) == (90, 1)
