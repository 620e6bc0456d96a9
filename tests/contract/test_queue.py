"""ports.queue on every engine."""

import asyncio
from collections import Counter
from dataclasses import replace

import pytest

from mailstack.model.delivery import (
    NULL_PATH,
    Deferred,
    Delivered,
    Failed,
    Outcome,
    OutgoingMail,
    Priority,
    QueueItem,
    QueueState,
    Settlement,
    SmtpReply,
)
from mailstack.model.errors import NotFound
from mailstack.model.handling import Handling, Notification, NotifyOn, Returned
from mailstack.model.ids import MailId, QueueItemId
from mailstack.model.instant import Instant
from mailstack.model.queue_entry import HeldBack, PriorityFigures, QueueEntry, QueueFigures, Status
from mailstack.model.queue_share import Quota, lane_of
from mailstack.model.source import Source
from mailstack.model.tls_policy import LeastTls, TlsFailure, TlsUsed
from mailstack.ports.bus import QUEUE_TOPIC
from mailstack.ports.store import Store
from tests.support.quota import quota
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
    return list(await store.queue.lease(owner, now=Instant(now), until=Instant(now + 500), quota=quota(limit)))


async def settle(
    store: Store,
    owner: str,
    item_id: QueueItemId,
    outcome: Outcome,
    *,
    next_at: Instant | None = None,
    notices: tuple[OutgoingMail, ...] = (),
) -> bool:
    """Whether it was written."""
    settlement = Settlement(item_id=item_id, outcome=outcome, next_at=next_at, notices=notices)
    return item_id in await store.queue.settle(owner, [settlement])


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
    settled = (settle(store, "one", item.item_id, Delivered(reply=OK, host="mx")) for item in await lease(store))
    assert all(await asyncio.gather(*settled))
    with pytest.raises(NotFound):
        await store.queue.content(mail_id)


async def test_a_lease_that_has_passed_is_given_to_the_next(store: Store) -> None:
    await store.queue.enqueue([mail()], next_at=Instant(1))
    (first,) = await lease(store, "one", now=2_000)
    assert await lease(store, "two", now=2_499) == []
    assert [first] == await lease(store, "two", now=2_500)
    assert not await settle(store, "one", first.item_id, Delivered(reply=OK, host="mx"))
    assert len(await store.queue.items()) == 1


async def test_a_renewed_lease_lasts_and_only_its_owner_renews_it(store: Store) -> None:
    await store.queue.enqueue([mail()], next_at=Instant(1))
    (item,) = await lease(store, "one", now=2_000)
    assert list(await store.queue.renew("two", [item.item_id], until=Instant(9_000))) == []
    assert list(await store.queue.renew("one", [item.item_id], until=Instant(3_000))) == [item.item_id]
    assert await store.queue.next_due() == 3_000
    assert await lease(store, "two", now=2_999) == []


async def test_lease_takes_the_soonest_first_and_of_a_mail_one_after_the_other(store: Store) -> None:
    await store.queue.enqueue([mail("c1@x.example", "c2@x.example")], next_at=Instant(30))
    await store.queue.enqueue([mail("a1@x.example", "a2@x.example")], next_at=Instant(10))
    await store.queue.enqueue([mail("b1@x.example")], next_at=Instant(20))
    first = await lease(store, limit=3)
    assert [item.recipient for item in first] == ["a1@x.example", "a2@x.example", "b1@x.example"]
    assert [item.recipient for item in await lease(store, limit=4)] == ["c1@x.example", "c2@x.example"]


async def test_a_higher_priority_goes_first_however_late_it_came(store: Store) -> None:
    for next_at, priority in ((10, Priority.BOUNCE), (20, Priority.BULK), (30, Priority.SUBMISSION)):
        await store.queue.enqueue([replace(mail(), priority=priority)], next_at=Instant(next_at))
    found = [item for _ in range(3) for item in await lease(store, limit=1)]
    assert [item.priority for item in found] == [Priority.SUBMISSION, Priority.BULK, Priority.BOUNCE]


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ({}, {Priority.SUBMISSION: 10}),
        (
            {Priority.SUBMISSION: 3, Priority.BULK: 2, Priority.BOUNCE: 1},
            {Priority.SUBMISSION: 7, Priority.BULK: 2, Priority.BOUNCE: 1},
        ),
    ],
)
async def test_no_priority_takes_what_is_kept_for_another(
    store: Store, own: dict[Priority, int], expected: dict[Priority, int]
) -> None:
    for priority in Priority:
        await store.queue.enqueue(
            [replace(mail(*(f"{n}@{n}.example" for n in range(20))), priority=priority)], next_at=Instant(1)
        )
    share = Quota(limit=10, free=10, per_lane=10, own=own)
    items = await store.queue.lease("one", now=Instant(2_000), until=Instant(2_500), quota=share)
    assert Counter(item.priority for item in items) == expected


async def test_a_domain_with_many_due_leaves_room_for_those_behind_it(store: Store) -> None:
    await store.queue.enqueue([mail(*(f"{n}@slow.example" for n in range(150)))], next_at=Instant(1))
    others = ["a@x.example", "b@y.example", "c@z.example"]
    for number, recipient in enumerate(others):
        await store.queue.enqueue([mail(recipient)], next_at=Instant(2 + number))
    items = await lease(store, limit=20)
    found = [item.recipient for item in items]
    # A part of each lane, of the longest waiting first, and within a lane the soonest due.
    assert found == [*(f"{n}@slow.example" for n in range(5)), *others]
    left = [item.recipient for _ in range(10) for item in await lease(store, limit=20)]
    assert left == [f"{n}@slow.example" for n in range(5, 150)]


async def test_a_lane_has_no_more_leases_than_its_part_and_those_held_count(store: Store) -> None:
    await store.queue.enqueue([mail(*(f"{n}@slow.example" for n in range(200)))], next_at=Instant(1))
    await store.queue.enqueue([replace(mail("b@slow.example"), priority=Priority.SUBMISSION)], next_at=Instant(1))
    held = {lane_of(Priority.BULK, "n@slow.example"): 7}
    share = Quota(limit=100, free=100, per_lane=10, held=held)
    items = await store.queue.lease("one", now=Instant(2_000), until=Instant(2_500), quota=share)
    # What a person writes there does not wait for what a list sends there.
    assert [item.recipient for item in items] == ["b@slow.example", *(f"{n}@slow.example" for n in range(3))]
    full = replace(share, held=dict.fromkeys(held, 10))
    assert not await store.queue.lease("one", now=Instant(2_000), until=Instant(2_500), quota=full)


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
    assert await settle(store, "one", first.item_id, outcome)
    assert await store.queue.content(mail_id) == mail(size_bytes=size_bytes).raw
    assert [second.item_id] == [item.item_id for item in await store.queue.items()]
    assert await settle(store, "one", second.item_id, outcome)
    assert not await settle(store, "one", second.item_id, outcome)
    with pytest.raises(NotFound):
        await store.queue.content(mail_id)


async def test_a_deferred_item_waits_and_remembers_why(store: Store) -> None:
    await store.queue.enqueue([mail()], next_at=Instant(1))
    (item,) = await lease(store)
    assert await settle(store, "one", item.item_id, Deferred(reply=LATER, host="mx.x.example"), next_at=Instant(7_000))
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


async def test_one_that_was_not_tried_waits_where_it_was_in_its_schedule(store: Store) -> None:
    await store.queue.enqueue([mail()], next_at=Instant(1))
    (item,) = await lease(store)
    not_tried = Deferred(reply=LATER, host="", until=Instant(7_000))
    assert await settle(store, "one", item.item_id, not_tried, next_at=Instant(7_000))
    (waiting,) = await store.queue.items()
    assert (waiting.tries, waiting.last_reply, waiting.next_at) == (0, LATER, Instant(1))
    assert await store.queue.next_due() == Instant(7_000)
    assert await lease(store, now=6_999) == []
    assert [waiting] == await lease(store, now=7_000)


@pytest.mark.parametrize("until", [None, Instant(1)])
async def test_that_a_delay_was_told_is_remembered_while_it_waits(store: Store, until: Instant | None) -> None:
    await store.queue.enqueue([mail()], next_at=Instant(1))
    told: list[bool] = []
    for is_delay_told in (False, True, False):
        (item,) = await lease(store)
        outcome = Deferred(reply=LATER, host="", until=until)
        settled = Settlement(item_id=item.item_id, outcome=outcome, next_at=Instant(1), is_delay_told=is_delay_told)
        await store.queue.settle("one", [settled])
        told += [item.is_delay_told for item in await store.queue.items()]
    assert told == [False, True, True]


async def test_notices_are_enqueued_with_the_settlement_and_only_with_it(store: Store) -> None:
    await store.queue.enqueue([mail()], next_at=Instant(1))
    (item,) = await lease(store)
    notice = mail("alice@example.com", reverse_path=NULL_PATH, size_bytes=LARGE_BYTES)
    failed = Failed(reply=NEVER, host="mx")
    assert not await settle(store, "two", item.item_id, failed, notices=(notice,))
    assert await settle(store, "one", item.item_id, failed, notices=(notice,))
    (waiting,) = await store.queue.items()
    assert (waiting.reverse_path, waiting.recipient) == (NULL_PATH, "alice@example.com")
    assert [waiting] == await lease(store)


async def test_recipients_are_settled_together_but_for_those_of_others(store: Store) -> None:
    mails = await store.queue.enqueue(
        [mail("a@x.example", "b@x.example"), mail("c@x.example", "d@x.example")], next_at=Instant(1)
    )
    others = await lease(store, "two", limit=1)
    delivered, failed, deferred = await lease(store)
    notice = mail("alice@example.com", reverse_path=NULL_PATH, size_bytes=LARGE_BYTES)
    settlements = [
        *(Settlement(item_id=each.item_id, outcome=Failed(reply=NEVER, host=""), notices=(notice,)) for each in others),
        Settlement(item_id=delivered.item_id, outcome=Delivered(reply=OK, host="mx")),
        Settlement(item_id=deferred.item_id, outcome=Deferred(reply=LATER, host="mx"), next_at=Instant(7_000)),
        Settlement(item_id=failed.item_id, outcome=Failed(reply=NEVER, host="mx"), notices=(notice,)),
    ]
    found = await store.queue.settle("one", settlements)
    assert {delivered.item_id, failed.item_id, deferred.item_id} == set(found)
    left = {item.recipient: item.next_at for item in await store.queue.items()}
    assert left == {"a@x.example": Instant(1), "d@x.example": Instant(7_000), "alice@example.com": notice.queued_at}
    assert [await store.queue.content(mail_id) for mail_id in mails] == [mail().raw] * 2


async def test_only_what_is_to_be_sent_wakes_runners(store: Store, bus: RecordingBus) -> None:
    await store.queue.enqueue([mail("a@x.example", "b@x.example", "c@x.example")], next_at=Instant(1))
    delivered, failed, deferred = await lease(store)
    bus.published.clear()
    assert await settle(store, "one", delivered.item_id, Delivered(reply=OK, host="mx"))
    assert bus.published == []
    notice = mail("alice@example.com", reverse_path=NULL_PATH)
    assert await settle(store, "one", failed.item_id, Failed(reply=NEVER, host="mx"), notices=(notice,))
    assert bus.published == [QUEUE_TOPIC]
    assert await settle(store, "one", deferred.item_id, Deferred(reply=LATER, host="mx"), next_at=Instant(9_000))
    assert bus.published == [QUEUE_TOPIC, QUEUE_TOPIC]


async def test_settle_of_nothing_is_false(store: Store) -> None:
    assert not await settle(store, "one", QueueItemId(99), Delivered(reply=OK, host=""))


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


async def test_figures_tell_how_much_there_is_of_what_and_for_whom(store: Store) -> None:
    none = QueueFigures(
        statuses={}, priorities={}, due=0, mails=0, size_bytes=0, oldest_at=None, domains=(), held_back=()
    )
    assert await store.queue.figures(now=Instant(2_000), domains=10) == none
    await store.queue.enqueue([mail("sending@z.example")], next_at=Instant(1))
    await lease(store, now=2_000)
    await store.queue.enqueue([replace(mail(), queued_at=Instant(500))], next_at=Instant(1), state=QueueState.HELD)
    await store.queue.enqueue(
        [mail("due@X.example", '"a@y.example"@x.example', size_bytes=700)], next_at=Instant(2_000)
    )
    person = replace(mail("later@y.example"), priority=Priority.SUBMISSION, queued_at=Instant(1_100))
    await store.queue.enqueue([person], next_at=Instant(2_001))
    found = await store.queue.figures(now=Instant(2_000), domains=2)
    assert found == QueueFigures(
        statuses={Status.SENDING: 1, Status.HELD: 1, Status.WAITING: 3},
        due=2,
        mails=4,
        size_bytes=3 * len(mail().raw) + len(mail(size_bytes=700).raw),
        oldest_at=Instant(500),
        domains=(("x.example", 3), ("y.example", 1)),
        priorities={
            Priority.SUBMISSION: PriorityFigures(recipients=1, oldest_at=Instant(1_100)),
            Priority.BULK: PriorityFigures(recipients=4, oldest_at=Instant(500)),
        },
        held_back=(),
    )
    # A lease that has passed leaves its recipient due.
    later = await store.queue.figures(now=Instant(2_500), domains=2)
    assert (later.statuses, later.due) == ({Status.HELD: 1, Status.WAITING: 4}, 4)


async def test_figures_tell_which_destinations_are_held_back_until_they_are_tried(store: Store) -> None:
    await store.queue.enqueue([mail("a@x.example", "b@x.example", "c@y.example")], next_at=Instant(1))
    a, b, c = await lease(store)
    for item, name, until in ((a, "mx.x.example", 3_000), (b, "mx.x.example", 2_900), (c, "*.y.example", 2_800)):
        held_back = Deferred(reply=LATER, host="", until=Instant(until), waits_for=name)
        await settle(store, "one", item.item_id, held_back, next_at=Instant(until))
    found = await store.queue.figures(now=Instant(2_000), domains=10)
    assert found.held_back == (
        HeldBack(
            destination="mx.x.example", recipients=2, oldest_at=Instant(1_000), next_at=Instant(2_900), why=LATER.text
        ),
        HeldBack(
            destination="*.y.example", recipients=1, oldest_at=Instant(1_000), next_at=Instant(2_800), why=LATER.text
        ),
    )
    assert [item.waits_for for item in await store.queue.items()] == ["mx.x.example", "mx.x.example", "*.y.example"]
    for item in await lease(store, now=3_000):
        await settle(store, "one", item.item_id, Deferred(reply=LATER, host="mx"), next_at=Instant(9_000))
    assert (await store.queue.figures(now=Instant(3_000), domains=10)).held_back == ()


async def test_a_recipient_without_a_domain_counts_as_it_is_written(store: Store) -> None:
    await store.queue.enqueue([mail("postmaster", "a@x.example")], next_at=Instant(1))
    found = await store.queue.figures(now=Instant(2_000), domains=10)
    assert found.domains == (("postmaster", 1), ("x.example", 1))


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


@pytest.mark.parametrize(
    "tls",
    [
        TlsUsed(policy="sts", version="TLSv1.3", cipher="TLS_AES_256_GCM_SHA384"),
        TlsUsed(policy="dane", failure=TlsFailure.STARTTLS_NOT_SUPPORTED),
        TlsUsed(policy="opportunistic", least=LeastTls.VERIFIED, failure=TlsFailure.CERTIFICATE_EXPIRED),
    ],
)
async def test_the_tls_of_the_last_attempt_is_kept(store: Store, tls: TlsUsed) -> None:
    await store.queue.enqueue([mail()], next_at=Instant(1))
    for used in (tls, None):
        (item,) = await lease(store)
        deferred = Deferred(reply=LATER, host="mx.x.example", tls=used)
        assert await settle(store, "one", item.item_id, deferred, next_at=Instant(2_000))
        assert [item.last_tls for item in await store.queue.items()] == [used]


async def test_what_the_last_attempt_left_from_is_kept(store: Store) -> None:
    await store.queue.enqueue([mail()], next_at=Instant(1))
    for source in (Source("2001:db8::1", "out.us.test"), None):
        (item,) = await lease(store)
        deferred = Deferred(reply=LATER, host="mx.x.example", source=source)
        assert await settle(store, "one", item.item_id, deferred, next_at=Instant(2_000))
        assert [item.last_source for item in await store.queue.items()] == [source]


async def test_what_is_suspicious_stays_so(store: Store) -> None:
    await store.queue.enqueue(
        [replace(mail("a@x.example"), is_suspicious=True), mail("b@x.example")], next_at=Instant(1)
    )
    assert {item.recipient: item.is_suspicious for item in await lease(store)} == {
        "a@x.example": True,
        "b@x.example": False,
    }


async def page(store: Store, *, after: int = 0, now: int = 2_000, limit: int = 100) -> list[QueueEntry]:
    return list(await store.queue.page(after=QueueItemId(after), now=Instant(now), limit=limit))


async def test_the_queue_is_read_a_page_at_a_time_with_what_becomes_of_each(store: Store) -> None:
    await store.queue.enqueue([mail("sending@x.example")], next_at=Instant(10))
    await lease(store)
    await store.queue.enqueue([mail("waiting@x.example")], next_at=Instant(5_000))
    await store.queue.enqueue([mail("held@x.example")], next_at=Instant(5_000), state=QueueState.HELD)
    first = await page(store, limit=2)
    assert [(entry.item.recipient, entry.status, entry.due_at) for entry in first] == [
        ("sending@x.example", Status.SENDING, 2_500),
        ("waiting@x.example", Status.WAITING, 5_000),
    ]
    (last,) = await page(store, after=first[-1].item.item_id, limit=2)
    assert (last.item.recipient, last.status) == ("held@x.example", Status.HELD)
    assert [first[0].item.item_id] == [
        entry.item.item_id for entry in await page(store, now=2_500, limit=1) if entry.status is Status.WAITING
    ]


async def test_what_waits_is_held_and_released_and_tried_at_once(store: Store, bus: RecordingBus) -> None:
    await store.queue.enqueue([mail()], next_at=Instant(9_000))
    ids = [entry.item.item_id for entry in await page(store)]
    waiting, held = QueueState.WAITING, QueueState.HELD
    assert list(await store.queue.put(ids, was=held, state=waiting, now=Instant(2_000))) == []
    assert list(await store.queue.put(ids, was=waiting, state=held, now=Instant(2_000))) == ids
    assert await lease(store, now=10_000) == []
    assert await store.queue.next_due() is None
    bus.published.clear()
    assert list(await store.queue.put([*ids, QueueItemId(999)], was=held, state=waiting, now=Instant(2_100))) == ids
    assert bus.published == [QUEUE_TOPIC]
    assert await store.queue.next_due() == 2_100
    (item,) = await lease(store, now=2_100)
    # When its next attempt would have been tells whether its sender has heard of a delay.
    assert (item.item_id, item.next_at, item.tries) == (ids[0], 9_000, 0)


async def test_what_its_sender_has_held_is_not_put_forward(store: Store) -> None:
    await store.queue.enqueue([replace(mail(), queued_at=Instant(9_000))], next_at=Instant(9_000))
    ids = [entry.item.item_id for entry in await page(store)]
    waiting = QueueState.WAITING
    assert list(await store.queue.put(ids, was=waiting, state=waiting, now=Instant(2_000))) == []
    assert (await lease(store, now=8_999), await store.queue.next_due()) == ([], 9_000)
    assert list(await store.queue.put(ids, was=waiting, state=waiting, now=Instant(9_500))) == ids


async def test_what_is_put_forward_comes_before_what_was_due_later(store: Store) -> None:
    await store.queue.enqueue([mail("first@x.example")], next_at=Instant(3_000))
    await store.queue.enqueue([mail("wished@x.example")], next_at=Instant(9_000))
    wished = [entry.item.item_id for entry in await page(store)][1:]
    await store.queue.put(wished, was=QueueState.WAITING, state=QueueState.WAITING, now=Instant(2_000))
    assert [item.recipient for item in await lease(store, now=9_000)] == ["wished@x.example", "first@x.example"]


async def test_what_is_being_attempted_is_left_alone_until_its_lease_has_passed(store: Store) -> None:
    await store.queue.enqueue([mail()], next_at=Instant(1))
    ids = [item.item_id for item in await lease(store, now=2_000)]
    waiting, held = QueueState.WAITING, QueueState.HELD
    assert list(await store.queue.put(ids, was=waiting, state=held, now=Instant(2_499))) == []
    assert list(await store.queue.take("me", ids, now=Instant(2_499), until=Instant(9_000))) == []
    assert list(await store.queue.drop(ids, now=Instant(2_499))) == []
    assert list(await store.queue.put(ids, was=waiting, state=held, now=Instant(2_500))) == ids
    assert not await settle(store, "one", ids[0], Delivered(reply=OK, host="mx"))


@pytest.mark.parametrize("state", [QueueState.WAITING, QueueState.HELD])
async def test_what_a_person_takes_is_theirs_to_settle(store: Store, state: QueueState) -> None:
    await store.queue.enqueue([mail()], next_at=Instant(9_000), state=state)
    ids = [entry.item.item_id for entry in await page(store)]
    (taken,) = await store.queue.take("me", [*ids, QueueItemId(999)], now=Instant(2_000), until=Instant(10_000))
    assert (taken.item_id, taken.state) == (ids[0], state)
    assert await lease(store, now=9_999) == []
    notice = mail("alice@example.com", reverse_path=NULL_PATH)
    assert await settle(store, "me", ids[0], Failed(reply=NEVER, host=""), notices=(notice,))
    assert [entry.item.reverse_path for entry in await page(store)] == [NULL_PATH]


@pytest.mark.parametrize("size_bytes", [500, LARGE_BYTES])
async def test_what_is_dropped_leaves_and_its_mail_with_the_last(store: Store, size_bytes: int) -> None:
    (mail_id,) = await store.queue.enqueue(
        [mail("bob@x.example", "eve@y.example", size_bytes=size_bytes)], next_at=Instant(9_000)
    )
    first, second = [entry.item.item_id for entry in await page(store)]
    (dropped,) = await store.queue.drop([first, QueueItemId(999)], now=Instant(2_000))
    assert (dropped.item_id, dropped.recipient, dropped.mail_id) == (first, "bob@x.example", mail_id)
    assert await store.queue.content(mail_id) == mail(size_bytes=size_bytes).raw
    assert [item.item_id for item in await store.queue.drop([first, second], now=Instant(2_000))] == [second]
    assert await page(store) == []
    with pytest.raises(NotFound):
        await store.queue.content(mail_id)


async def test_what_waits_for_a_relay_that_is_set_up_otherwise_now_is_due_at_once(
    store: Store, bus: RecordingBus
) -> None:
    now, much_later = Instant(2_000), Instant(9_000)
    for recipient, relay, until, next_at in (
        ("changed@x.example", "old", None, much_later),
        ("left-alone@x.example", "old", much_later, much_later),
        ("same@x.example", "new", None, much_later),
        ("direct@x.example", "", None, much_later),
        ("held@x.example", "old", None, None),
    ):
        await store.queue.enqueue([mail(recipient)], next_at=now)
        (item,) = await lease(store)
        outcome = Deferred(reply=LATER, host="", until=until, relay=relay)
        assert await settle(store, "one", item.item_id, outcome, next_at=next_at)
    bus.published.clear()
    assert await store.queue.retry_others(["new", "another"], now=now) == 2
    assert QUEUE_TOPIC in bus.published
    assert [item.recipient for item in await lease(store)] == ["changed@x.example", "left-alone@x.example"]
    assert await store.queue.retry_others(["new"], now=now) == 0  # leased


async def test_once_it_is_due_another_worker_that_sees_the_change_changes_nothing(store: Store) -> None:
    await store.queue.enqueue([mail()], next_at=Instant(2_000))
    (item,) = await lease(store)
    await settle(store, "one", item.item_id, Deferred(reply=LATER, host="", relay="old"), next_at=Instant(9_000))
    assert [await store.queue.retry_others([], now=Instant(now)) for now in (3_000, 3_001)] == [1, 0]
    (item,) = await lease(store, now=3_001)
    await settle(store, "one", item.item_id, Deferred(reply=LATER, host="", relay="new"), next_at=Instant(9_000))
    assert await store.queue.retry_others(["new"], now=Instant(4_000)) == 0
    assert await store.queue.next_due() == 9_000
