"""Leases of the queue's items: never believed to be held when another runner has them."""

import pytest

from mailstack.model.delivery import OutgoingMail
from mailstack.model.instant import SECOND_MS, Instant
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
    items = await one.take(limit=10)
    assert one.are_held(items)
    assert len(await other.take(limit=10)) == 1
    clock.advance(6 * SECOND_MS)
    await one.renew()
    assert not one.are_held(items)
    assert other.are_held(items)


async def test_a_lease_that_is_renewed_in_time_lasts(queue: LeasedQueue) -> None:
    clock = FakeClock()
    one = Leases(queue=queue, clock=clock, owner="one", lease_s=LEASE_S)
    items = await one.take(limit=10)
    for _ in range(10):
        clock.advance(6 * SECOND_MS)
        await one.renew()
        assert one.are_held(items)
