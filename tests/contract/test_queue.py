"""ports.queue on every engine."""

import asyncio
from dataclasses import replace

import pytest

from mailstack.model.delivery import (
    NULL_PATH,
    Deferred,
    Delivered,
    Failed,
    OutgoingMail,
    QueueItem,
    QueueState,
    SmtpReply,
)
from mailstack.model.errors import NotFound
from mailstack.model.handling import Handling, Notification, NotifyOn, Returned
from mailstack.model.ids import MailId, QueueItemId
from mailstack.model.instant import Instant
from mailstack.ports.bus import QUEUE_TOPIC
from mailstack.ports.store import Store
from tests.support.recording_bus import RecordingBus
from tests.support.stores import raw_message

OK = SmtpReply(code=250, status="2.0.0", text="taken")
LATER = SmtpReply(code=451, status="4.7.1", text="come again")
NEVER = SmtpReply(code=550, status="5.1.1", text="no such person")
LARGE_BYTES = 300_000

pytestmark = pytest.mark.in_memory


def mail(*recipients: str, size_bytes: int = 500, reverse_path: str = "alice@example.com") -> OutgoingMail:
    return OutgoingMail(
        reverse_path=reverse_path,
        recipients=recipients or ("bob@x.example",),
        raw=raw_message(size_bytes=size_bytes),
        queued_at=Instant(1_000),
        is_8bit=True,
        smtp_utf8=False,
        trace_id="trace",
    )


async def lease(store: Store, owner: str = "one", *, now: int = 2_000, limit: int = 100) -> list[QueueItem]:
    return list(await store.queue.lease(owner, now=Instant(now), until=Instant(now + 500), limit=limit))


async def test_enqueue_keeps_every_recipient_and_one_content(store: Store, bus: RecordingBus) -> None:
    (mail_id,) = await store.queue.enqueue([mail("bob@x.example", "eve@y.example")], next_at=Instant(1_500))
    items = await store.queue.items()
    assert items[0] == QueueItem(
        item_id=items[0].item_id,
        mail_id=mail_id,
        reverse_path="alice@example.com",
        recipient="bob@x.example",
        state=QueueState.WAITING,
        size_bytes=len(mail().raw),
        queued_at=Instant(1_000),
        next_at=Instant(1_500),
        tries=0,
        last_reply=None,
        last_host="",
        is_8bit=True,
        smtp_utf8=False,
        trace_id="trace",
    )
    assert [(mail_id, "eve@y.example")] == [(item.mail_id, item.recipient) for item in items[1:]]
    assert bus.published == [QUEUE_TOPIC]


@pytest.mark.parametrize("size_bytes", [500, LARGE_BYTES])
async def test_content_is_what_was_enqueued(store: Store, size_bytes: int) -> None:
    first, second = await store.queue.enqueue([mail(size_bytes=size_bytes), mail()], next_at=Instant(1))
    assert await store.queue.content(first) == mail(size_bytes=size_bytes).raw
    assert await store.queue.content(second) == mail().raw
    with pytest.raises(NotFound):
        await store.queue.content(MailId(999))


async def test_lease_gives_what_is_due_and_nothing_twice(store: Store) -> None:
    await store.queue.enqueue([mail("due@x.example")], next_at=Instant(2_000))
    await store.queue.enqueue([mail("later@x.example")], next_at=Instant(2_001))
    assert [item.recipient for item in await lease(store)] == ["due@x.example"]
    assert await lease(store, "two", now=2_000) == []


async def test_leasing_at_the_same_time_gives_nothing_twice(store: Store) -> None:
    for number in range(20):
        await store.queue.enqueue([mail(f"a{number}@x.example", f"b{number}@x.example")], next_at=Instant(number))
    leased = await asyncio.gather(*(lease(store, f"node {number}", limit=10) for number in range(4)))
    while more := await lease(store, "the rest"):
        leased.append(more)
    item_ids = [item.item_id for items in leased for item in items]
    assert (len(item_ids), len(set(item_ids))) == (40, 40)


async def test_recipients_that_are_settled_at_the_same_time_leave_no_mail_behind(store: Store) -> None:
    recipients = [f"r{number}@x.example" for number in range(20)]
    (mail_id,) = await store.queue.enqueue([mail(*recipients)], next_at=Instant(1))
    settled = (
        store.queue.settle("one", item.item_id, Delivered(reply=OK, host="mx"), next_at=None)
        for item in await lease(store)
    )
    assert all(await asyncio.gather(*settled))
    with pytest.raises(NotFound):
        await store.queue.content(mail_id)


async def test_a_lease_that_has_passed_is_given_to_the_next(store: Store) -> None:
    await store.queue.enqueue([mail()], next_at=Instant(1))
    (first,) = await lease(store, "one", now=2_000)
    assert await lease(store, "two", now=2_499) == []
    assert [first] == await lease(store, "two", now=2_500)
    assert not await store.queue.settle("one", first.item_id, Delivered(reply=OK, host="mx"), next_at=None)
    assert len(await store.queue.items()) == 1


async def test_a_renewed_lease_lasts_and_only_its_owner_renews_it(store: Store) -> None:
    await store.queue.enqueue([mail()], next_at=Instant(1))
    (item,) = await lease(store, "one", now=2_000)
    assert list(await store.queue.renew("two", [item.item_id], until=Instant(9_000))) == []
    assert list(await store.queue.renew("one", [item.item_id], until=Instant(3_000))) == [item.item_id]
    assert await store.queue.next_due() == 3_000
    assert await lease(store, "two", now=2_999) == []


async def test_lease_takes_the_soonest_first_and_keeps_mails_together(store: Store) -> None:
    await store.queue.enqueue([mail("c1@x.example", "c2@x.example")], next_at=Instant(30))
    await store.queue.enqueue([mail("a1@x.example", "a2@x.example")], next_at=Instant(10))
    await store.queue.enqueue([mail("b1@x.example")], next_at=Instant(20))
    first = await lease(store, limit=4)
    assert [item.recipient for item in first] == ["a1@x.example", "a2@x.example", "b1@x.example"]
    assert [item.recipient for item in await lease(store, limit=4)] == ["c1@x.example", "c2@x.example"]


async def test_a_mail_larger_than_the_limit_is_leased_in_parts(store: Store) -> None:
    await store.queue.enqueue([mail(*(f"r{number}@x.example" for number in range(5)))], next_at=Instant(1))
    assert [len(await lease(store, limit=2)) for _ in range(4)] == [2, 2, 1, 0]


@pytest.mark.parametrize("outcome", [Delivered(reply=OK, host="mx"), Failed(reply=NEVER, host="mx")])
@pytest.mark.parametrize("size_bytes", [500, LARGE_BYTES])
async def test_settled_items_leave_and_their_mail_with_the_last(
    store: Store, outcome: Delivered | Failed, size_bytes: int
) -> None:
    (mail_id,) = await store.queue.enqueue(
        [mail("bob@x.example", "eve@y.example", size_bytes=size_bytes)], next_at=Instant(1)
    )
    first, second = await lease(store)
    assert await store.queue.settle("one", first.item_id, outcome, next_at=None)
    assert await store.queue.content(mail_id) == mail(size_bytes=size_bytes).raw
    assert [second.item_id] == [item.item_id for item in await store.queue.items()]
    assert await store.queue.settle("one", second.item_id, outcome, next_at=None)
    assert not await store.queue.settle("one", second.item_id, outcome, next_at=None)
    with pytest.raises(NotFound):
        await store.queue.content(mail_id)


async def test_a_deferred_item_waits_and_remembers_why(store: Store) -> None:
    await store.queue.enqueue([mail()], next_at=Instant(1))
    (item,) = await lease(store)
    assert await store.queue.settle(
        "one", item.item_id, Deferred(reply=LATER, host="mx.x.example"), next_at=Instant(7_000)
    )
    (waiting,) = await store.queue.items()
    assert (1, LATER, "mx.x.example", Instant(7_000), QueueState.WAITING) == (
        waiting.tries,
        waiting.last_reply,
        waiting.last_host,
        waiting.next_at,
        waiting.state,
    )
    assert await lease(store, now=6_999) == []
    assert [waiting] == await lease(store, now=7_000)


async def test_notices_are_enqueued_with_the_settlement_and_only_with_it(store: Store) -> None:
    await store.queue.enqueue([mail()], next_at=Instant(1))
    (item,) = await lease(store)
    notice = mail("alice@example.com", reverse_path=NULL_PATH, size_bytes=LARGE_BYTES)
    failed = Failed(reply=NEVER, host="mx")
    assert not await store.queue.settle("two", item.item_id, failed, next_at=None, notices=[notice])
    assert await store.queue.settle("one", item.item_id, failed, next_at=None, notices=[notice])
    (waiting,) = await store.queue.items()
    assert (waiting.reverse_path, waiting.recipient) == (NULL_PATH, "alice@example.com")
    assert [waiting] == await lease(store)


async def test_settle_of_nothing_is_false(store: Store) -> None:
    assert not await store.queue.settle("one", QueueItemId(99), Delivered(reply=OK, host=""), next_at=None)


async def test_next_due_is_the_soonest_that_waits(store: Store) -> None:
    assert await store.queue.next_due() is None
    await store.queue.enqueue([mail()], next_at=Instant(50), state=QueueState.HELD)
    assert await store.queue.next_due() is None
    await store.queue.enqueue([mail()], next_at=Instant(9_000))
    await store.queue.enqueue([mail()], next_at=Instant(8_000))
    assert await store.queue.next_due() == 8_000
    assert len(await lease(store, now=8_000)) == 1
    assert await store.queue.next_due() == 8_500


async def test_items_by_state_oldest_first_and_bounded(store: Store) -> None:
    await store.queue.enqueue([mail("w@x.example")], next_at=Instant(1))
    await store.queue.enqueue([mail("h@x.example")], next_at=Instant(1), state=QueueState.HELD)
    await store.queue.enqueue([mail("w2@x.example")], next_at=Instant(1))

    async def listed(*states: QueueState, limit: int = 10) -> list[str]:
        return [item.recipient[:2].rstrip("@") for item in await store.queue.items(states=states, limit=limit)]

    assert await listed() == ["w", "h", "w2"]
    assert await listed(QueueState.HELD) == ["h"]
    assert await listed(QueueState.HELD, QueueState.WAITING, limit=2) == ["w", "h"]
    assert await listed(QueueState.FAILED) == []


async def test_items_are_counted_by_state(store: Store) -> None:
    assert dict(await store.queue.counts()) == {}
    await store.queue.enqueue([mail("a@x.example", "b@x.example")], next_at=Instant(1_000))
    await store.queue.enqueue([mail()], next_at=Instant(1_000), state=QueueState.HELD)
    assert dict(await store.queue.counts()) == {QueueState.WAITING: 2, QueueState.HELD: 1}


async def test_what_the_sender_asks_of_servers_stays_with_the_mail_and_each_recipient(store: Store) -> None:
    handling = Handling(is_binary=True, requires_tls=True, returned=Returned.HEADERS, envelope_id="a+2Bb")
    wishes = {
        "never@x.example": Notification(notify_on=frozenset()),
        "some@x.example": Notification(
            notify_on=frozenset({NotifyOn.SUCCESS, NotifyOn.DELAY}), original_recipient="rfc822;o@x.example"
        ),
    }
    asked = replace(mail(*wishes, "none@x.example"), handling=handling, notifications=wishes)
    await store.queue.enqueue([asked], next_at=Instant(1_500))
    items = await lease(store)
    assert {item.recipient: item.notification for item in items} == {**wishes, "none@x.example": Notification()}
    assert {item.handling for item in items} == {handling}
