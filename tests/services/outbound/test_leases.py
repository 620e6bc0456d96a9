"""Leases of the queue's items: never believed to be held when another runner has them."""

import pytest

from mailstack.model.delivery import Deferred, OutgoingMail, Priority, Settlement, SmtpReply
from mailstack.model.instant import HOUR_MS, SECOND_MS, Instant
from mailstack.services.outbound.leases import Leases
from tests.support.fake_clock import FakeClock
from tests.support.leased_queue import LeasedQueue
from tests.support.recording_bus import RecordingBus

LEASE_S = 20.0


@pytest.fixture
async def queue() -> LeasedQueue:
    queue = LeasedQueue(RecordingBus())
    mail = OutgoingMail(
        reverse_path="alice@example.com",
        recipients=("bob@x.example",),
        raw=b"Subject: x\r\n\r\n",
        queued_at=Instant(1),
        is_8bit=False,
        smtp_utf8=False,
        trace_id="t",
    )
    await queue.enqueue((mail,), next_at=Instant(1))
    return queue


async def test_a_lease_that_another_took_is_not_renewed_into_one_of_ours(queue: LeasedQueue) -> None:
    clock = FakeClock()
    ahead = FakeClock(clock.now + 30 * SECOND_MS)  # as it is, too, when our renewal was long on its way
    one = Leases(queue=queue, clock=clock, owner="one", lease_s=LEASE_S)
    other = Leases(queue=queue, clock=ahead, owner="other", lease_s=LEASE_S)
    items = await one.take()
    assert one.are_held(items)
    assert len(await other.take()) == 1
    clock.advance(6 * SECOND_MS)
    await one.renew()
    assert not one.are_held(items)
    assert other.are_held(items)


async def test_a_lease_that_is_renewed_in_time_lasts(queue: LeasedQueue) -> None:
    clock = FakeClock()
    one = Leases(queue=queue, clock=clock, owner="one", lease_s=LEASE_S)
    items = await one.take()
    for _ in range(10):
        clock.advance(6 * SECOND_MS)
        await one.renew()
        assert one.are_held(items)


async def test_a_lease_is_renewed_after_the_clock_was_set_back(queue: LeasedQueue) -> None:
    clock = FakeClock()
    one = Leases(queue=queue, clock=clock, owner="one", lease_s=LEASE_S)
    await one.take()
    clock.advance(6 * SECOND_MS)
    await one.renew()
    clock.advance(-HOUR_MS)
    await enqueue(queue, "c@x.example")
    items = await one.take()
    for _ in range(10):
        clock.advance(6 * SECOND_MS)
        await one.renew()
        assert one.are_held(items)


async def test_a_slow_domain_and_a_list_leave_room_for_what_a_person_writes(queue: LeasedQueue) -> None:
    clock = FakeClock()
    one = Leases(queue=queue, clock=clock, owner="one", lease_s=LEASE_S, items=80, per_lane=20)
    await enqueue(queue, *(f"{number}@slow.example" for number in range(100)))
    assert len(await one.take()) == 20 + 1  # and bob, of the fixture
    await enqueue(queue, *(f"{number}@{number}.example" for number in range(100)))
    assert len(await one.take()) == 80 - 21 - 20 - 5  # without the parts of the others
    assert not await one.take()
    await enqueue(queue, "friend@slow.example", priority=Priority.SUBMISSION)
    assert [item.recipient for item in await one.take()] == ["friend@slow.example"]
    await enqueue(queue, "sender@slow.example", priority=Priority.BOUNCE)
    assert [item.recipient for item in await one.take()] == ["sender@slow.example"]


async def test_a_lease_that_is_dropped_makes_room_in_its_lane(queue: LeasedQueue) -> None:
    one = Leases(queue=queue, clock=FakeClock(), owner="one", lease_s=LEASE_S, items=32, per_lane=2)
    await enqueue(queue, *(f"{number}@slow.example" for number in range(5)))
    first = await one.take()
    assert [item.recipient for item in first] == ["bob@x.example", "0@slow.example", "1@slow.example"]
    assert (one.have_room, await one.take()) == (False, [])
    one.drop(first[1:2])
    one.drop(first[1:2])
    assert one.have_room
    assert [item.recipient for item in await one.take()] == ["2@slow.example"]
    assert not one.have_room


async def enqueue(queue: LeasedQueue, *recipients: str, priority: Priority = Priority.BULK) -> None:
    (item,) = [item for item in await queue.items() if item.recipient == "bob@x.example"]
    mail = OutgoingMail(
        reverse_path=item.reverse_path,
        recipients=recipients,
        raw=b"Subject: x\r\n\r\n",
        queued_at=Instant(2),
        is_8bit=False,
        smtp_utf8=False,
        trace_id="t",
        priority=priority,
    )
    await queue.enqueue((mail,), next_at=Instant(2))


async def test_what_is_due_again_before_its_work_has_ended_is_not_kept_from_the_next(queue: LeasedQueue) -> None:
    """As after a deferral until now: it is settled, and leased again by the same runner, which is not done with it."""
    clock = FakeClock()
    one = Leases(queue=queue, clock=clock, owner="one", lease_s=LEASE_S)
    items = await one.take()
    later = Deferred(reply=SmtpReply(code=451, status="4.7.0", text="later"), host="")
    await queue.settle("one", [Settlement(item_id=items[0].item_id, outcome=later, next_at=clock.now)])
    assert await one.take() == []
    one.drop(items)
    assert one.have_room
    await one.renew()
    assert [item.item_id for item in await one.take()] == [items[0].item_id]
