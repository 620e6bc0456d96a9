"""What an account may submit: counted with every mail that is taken, for all that send in its name."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from mailstack.model.errors import Invalid, QuotaExceeded, TryAgainLater
from mailstack.model.ids import AccountId
from mailstack.model.instant import DAY_MS, HOUR_MS, Instant
from mailstack.model.principal import Account
from mailstack.model.sending_limits import SPAN_MS, SendingLimits, Span, span_of
from mailstack.services.inbound.mail import Defer, Reason
from mailstack.services.outbound.allowance import FAR, HEARSAY_MS, Allowance
from mailstack.services.outbound.submit import Origin
from mailstack.store.memory.submitted import MemorySubmitted
from tests.support.outbound_world import ALICE, BOB, OutboundWorld
from tests.support.running import until

LIMITED = replace(ALICE, limits=SendingLimits(recipients_per_hour=3))
ORIGIN = Origin(ehlo_domain="laptop", peer_host="192.0.2.7", protocol="ESMTPSA", trace_id="t1", smtp_utf8=False)
MESSAGE = b"From: Alice <alice@example.com>\r\nTo: b@them.test\r\nSubject: hi\r\n\r\nbody\r\n"


async def submit(world: OutboundWorld, *recipients: str, account: Account = LIMITED, raw: bytes = MESSAGE) -> object:
    return await world.submission().submit(account, account.login, recipients, raw, ORIGIN)


async def spans_of(world: OutboundWorld) -> Sequence[Span]:
    return await world.submitted.spans(ALICE.account_id, since=Instant(0))


async def test_a_mail_beyond_the_limit_is_put_off_and_not_counted(world: OutboundWorld) -> None:
    await submit(world, "a@them.test", "b@them.test")
    found = await submit(world, "c@them.test", "d@them.test")
    assert isinstance(found, Defer)
    assert found.reason is Reason.SENDING_LIMIT
    assert found.told.startswith("3 recipients an hour; more from ")
    assert [(span.messages, span.recipients) for span in await spans_of(world)] == [(1, 2)]
    assert len(await world.queue.items()) == 2


async def test_there_is_room_again_when_an_hour_has_passed(world: OutboundWorld) -> None:
    await submit(world, "a@them.test", "b@them.test", "bob@example.com")
    assert isinstance(await submit(world, "c@them.test"), Defer)
    world.clock.now = Instant(world.clock.now + HOUR_MS + SPAN_MS)
    assert not isinstance(await submit(world, "c@them.test"), Defer)


async def test_an_account_without_limits_has_none(world: OutboundWorld) -> None:
    account = replace(ALICE, limits=SendingLimits(recipients_per_hour=None, recipients_per_day=None))
    await world.submitted.add(ALICE.account_id, began_at=world.clock.now, recipients=10**6)
    assert not isinstance(await submit(world, "c@them.test", account=account), Defer)


async def test_a_mail_with_a_fault_of_its_own_is_told_so_first(world: OutboundWorld) -> None:
    await submit(world, "a@them.test", "b@them.test", "c@them.test")
    with pytest.raises(Invalid):
        await submit(world, "a@them.test", raw=b"Subject: nobody's\r\n\r\nbody\r\n")


async def test_a_count_that_cannot_be_written_keeps_no_mail_back(world: OutboundWorld) -> None:
    world.submitted = Unwritable()
    with capture_logs() as logs:
        assert not isinstance(await submit(world, "a@them.test"), Defer)
    assert [line["event"] for line in logs].count("not counted") == 1
    assert len(await world.queue.items()) == 1


async def test_a_mail_that_is_not_taken_is_a_try_that_counts(world: OutboundWorld) -> None:
    world.messages.faults[BOB.account_id] = QuotaExceeded("full")
    with pytest.raises(QuotaExceeded):
        await submit(world, "bob@example.com")
    assert [span.recipients for span in await spans_of(world)] == [1]


async def test_what_is_under_way_counts_at_once(world: OutboundWorld) -> None:
    allowance = Allowance(world.submitted, clock=world.clock)

    async def taking() -> int | None:
        return (await allowance.room(LIMITED)).recipients

    assert await allowance.counted(LIMITED, 1, taking()) in (1, 2)  # once, or twice when it is written meanwhile
    assert (await allowance.room(LIMITED)).recipients == 2


async def test_what_two_workers_remember_lets_nobody_exceed_a_limit(world: OutboundWorld) -> None:
    account = replace(ALICE, limits=SendingLimits(recipients_per_hour=500))
    workers = [Allowance(world.submitted, clock=world.clock) for _ in range(2)]
    taken = 0

    async def take() -> None:
        nonlocal taken
        taken += 60

    for turn in range(20):
        allowance = workers[turn % 2]
        assert (await allowance.room_ahead(account)).recipients is not None
        room = await allowance.room(account)
        assert room.recipients == 500 - taken
        if room.has(60):
            await allowance.counted(account, 60, take())
    assert taken == 480


async def test_far_from_a_limit_the_store_is_asked_once_a_message(world: OutboundWorld) -> None:
    world.submitted = asked = Asked()
    allowance = Allowance(asked, clock=world.clock)
    account = replace(ALICE, limits=SendingLimits(recipients_per_hour=500))
    for _ in range(3):
        await allowance.room_ahead(account)
        await allowance.room(account)
    assert len(asked.since) == 4
    world.clock.now = Instant(world.clock.now + HEARSAY_MS)
    await allowance.room_ahead(account)
    assert len(asked.since) == 5


@pytest.mark.parametrize(
    "limits", [SendingLimits(recipients_per_hour=FAR - 1), SendingLimits(recipients_per_hour=500, messages_per_day=3)]
)
async def test_near_a_limit_nothing_is_taken_for_granted(world: OutboundWorld, limits: SendingLimits) -> None:
    allowance, account = Allowance(world.submitted, clock=world.clock), replace(ALICE, limits=limits)
    await allowance.room(account)
    for _ in range(3):
        await world.submitted.add(ALICE.account_id, began_at=span_of(world.clock.now), recipients=FAR)
    assert (await allowance.room_ahead(account)).recipients == 0


async def test_who_has_no_limits_costs_no_question(world: OutboundWorld) -> None:
    world.submitted = asked = Asked()
    account = replace(ALICE, limits=SendingLimits(recipients_per_hour=None, recipients_per_day=None))
    assert (await Allowance(asked, clock=world.clock).room(account)).has(10**6)
    assert asked.since == []


async def test_of_a_busy_day_only_the_last_of_it_is_read_again(world: OutboundWorld) -> None:
    world.submitted = asked = Asked()
    allowance = Allowance(asked, clock=world.clock)
    account = replace(ALICE, limits=SendingLimits(recipients_per_hour=None))
    now = span_of(world.clock.now)
    for number in range(145):
        await asked.add(ALICE.account_id, began_at=Instant(now - number * SPAN_MS), recipients=1)
    found = [(await allowance.room(account)).recipients for _ in range(2)]
    assert found == [2_000 - 145] * 2
    assert asked.since[1] == now - SPAN_MS
    world.clock.now = Instant(world.clock.now + SPAN_MS)
    assert (await allowance.room(account)).recipients == 2_000 - 144


async def test_an_answer_that_comes_when_its_time_is_over_is_not_remembered(world: OutboundWorld) -> None:
    """Else what came after it was asked, and before what is asked for now, would never be counted."""
    world.submitted = asked = Asked()
    allowance = Allowance(asked, clock=world.clock)
    account = replace(ALICE, limits=SendingLimits(recipients_per_hour=500))

    async def is_asked() -> bool:
        return bool(asked.since)

    asked.gate = asyncio.Event()
    late = asyncio.create_task(allowance.room(account))
    await until(is_asked)
    gate, asked.gate = asked.gate, None
    await asked.add(ALICE.account_id, began_at=span_of(Instant(world.clock.now - SPAN_MS)), recipients=100)
    world.clock.now = Instant(world.clock.now + SPAN_MS)
    await allowance.room(replace(account, account_id=BOB.account_id))
    gate.set()
    await late
    assert (await allowance.room(account)).recipients == 400


async def test_that_a_limit_is_reached_is_told_once_until_there_is_room(world: OutboundWorld) -> None:
    allowance = Allowance(world.submitted, clock=world.clock)
    await world.submitted.add(AccountId(ALICE.account_id), began_at=world.clock.now, recipients=3)
    with capture_logs() as logs:
        for _ in range(3):
            assert allowance.why_not(LIMITED, await allowance.room(LIMITED), 1) is not None
        world.clock.now = Instant(world.clock.now + DAY_MS)
        await world.submitted.add(AccountId(ALICE.account_id), began_at=world.clock.now, recipients=3)
        assert allowance.why_not(LIMITED, await allowance.room(LIMITED), 1) is not None
    assert [(line["event"], line["account"], line["limit"]) for line in logs] == [
        ("sending limit reached", ALICE.login, "3 recipients an hour")
    ] * 2


class Asked(MemorySubmitted):
    """since: of each question. gate: answers, as they were, wait for it."""

    def __init__(self) -> None:
        super().__init__()
        self.since: list[Instant] = []
        self.gate: asyncio.Event | None = None

    async def spans(self, account_id: AccountId, *, since: Instant) -> Sequence[Span]:
        self.since.append(since)
        found = await super().spans(account_id, since=since)
        if self.gate is not None:
            await self.gate.wait()
        return found


class Unwritable(MemorySubmitted):
    async def add(self, account_id: AccountId, *, began_at: Instant, recipients: int) -> None:  # noqa: ARG002
        raise TryAgainLater("the disk is full")
