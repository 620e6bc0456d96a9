"""ports.email_submissions on every engine, and what the queue tells of them."""

import asyncio

import pytest

from mailstack.model.delivery import Deferred, Delivered, Failed, Outcome, QueueItem, QueueState, Settlement, SmtpReply
from mailstack.model.email_submission import SUBMISSIONS_KEPT_MS, Arrival, EmailSubmission, SubmissionList, UndoStatus
from mailstack.model.errors import Conflict, NotFound, TooMany
from mailstack.model.ids import AccountId, SubmissionId
from mailstack.model.instant import DAY_MS, Instant
from mailstack.model.mailbox import MailboxRole
from mailstack.model.object_journal import JournalPoint, ObjectKind
from mailstack.ports.bus import account_topic
from mailstack.ports.store import Store
from tests.support.email_submissions import mail_of, submission
from tests.support.fake_clock import FakeClock
from tests.support.quota import quota
from tests.support.recording_bus import RecordingBus
from tests.support.stores import account_resource, apply, destroyed, mailbox_with, make_account, new_message

ALICE, BOB = AccountId("a" * 16), AccountId("b" * 16)
NOW = Instant(2_000)
MOST = 3


async def add(store: Store, *submissions: EmailSubmission, most: int = MOST, if_number: int | None = None) -> None:
    for each in submissions:
        await store.email_submissions.add(ALICE, each, [mail_of(each)], now=NOW, most=most, if_number=if_number)


async def the(store: Store, name: str) -> EmailSubmission:
    (found,) = await store.email_submissions.get(ALICE, [SubmissionId(name)])
    return found


async def lease(store: Store, *, now: int = 5_000) -> list[QueueItem]:
    return list(await store.queue.lease("one", now=Instant(now), until=Instant(now + 500), quota=quota(10)))


async def number(store: Store) -> int:
    return await store.object_journal.number(ALICE, ObjectKind.SUBMISSION)


async def names(store: Store) -> list[str]:
    return [head.submission_id for head in (await store.email_submissions.heads(ALICE)).heads]


async def test_what_was_given_is_there_and_its_mail_is_queued(store: Store, bus: RecordingBus) -> None:
    await add(store, submission("late", send_at=9_000), submission("early", "a@x.example", "b@y.example"))
    assert await the(store, "early") == submission("early", "a@x.example", "b@y.example")
    assert await names(store) == ["early", "late"]
    assert (await store.email_submissions.heads(ALICE)).number == await number(store) == 2
    assert await lease(store, now=4_999) == []
    assert account_topic(ALICE) in bus.published
    assert [(item.recipient, item.submission_id) for item in await store.queue.items()] == [
        ("bob@x.example", "late"),
        ("a@x.example", "early"),
        ("b@y.example", "early"),
    ]


async def test_nobody_sees_those_of_others(store: Store) -> None:
    await add(store, submission("one"))
    one = [SubmissionId("one")]
    assert await store.email_submissions.heads(BOB) == SubmissionList(number=0, heads=[])
    assert await store.email_submissions.get(BOB, one) == []
    with pytest.raises(NotFound):
        await store.email_submissions.cancel(BOB, one[0], now=NOW)
    assert list(await store.email_submissions.destroy(BOB, one, now=NOW)) == []
    assert len(await store.queue.items()) == 1


async def test_what_is_canceled_leaves_the_queue_with_all_its_recipients(store: Store, bus: RecordingBus) -> None:
    await add(store, submission("one", "a@x.example", "b@y.example"), submission("other"))
    before = await number(store)
    bus.published.clear()
    assert await store.email_submissions.cancel(ALICE, SubmissionId("one"), now=NOW)
    assert (await the(store, "one")).head.undo_status is UndoStatus.CANCELED
    assert [item.submission_id for item in await store.queue.items()] == ["other"]
    changed = await store.object_journal.changed(ALICE, ObjectKind.SUBMISSION, JournalPoint(before), limit=9)
    assert (list(changed.updated), account_topic(ALICE) in bus.published) == (["one"], True)
    assert not await store.email_submissions.cancel(ALICE, SubmissionId("one"), now=NOW)


async def test_what_is_on_its_way_is_final(store: Store) -> None:
    await add(store, submission("one", "a@x.example", "b@y.example"))
    before = await number(store)
    assert len(await lease(store)) == 2
    assert (await the(store, "one")).head.undo_status is UndoStatus.FINAL
    assert await number(store) == before + 1
    assert not await store.email_submissions.cancel(ALICE, SubmissionId("one"), now=Instant(9_000))
    assert len(await store.queue.items()) == 2
    # Leased once more, it is as final as before.
    assert (len(await lease(store, now=9_000)), await number(store)) == (2, before + 1)


async def test_what_a_person_takes_in_hand_is_final_as_well(store: Store) -> None:
    await add(store, submission("one"))
    (item,) = await store.queue.items()
    await store.queue.take("me", [item.item_id], now=NOW, until=Instant(9_000))
    assert (await the(store, "one")).head.undo_status is UndoStatus.FINAL


async def test_either_it_goes_or_it_is_canceled(store: Store) -> None:
    await add(store, *(submission(f"s{each}") for each in range(8)), most=8)
    canceled, leased = await asyncio.gather(
        asyncio.gather(*(store.email_submissions.cancel(ALICE, SubmissionId(f"s{at}"), now=NOW) for at in range(8))),
        asyncio.gather(*(lease(store) for _ in range(3))),
    )
    gone = {item.submission_id for items in (*leased, await lease(store)) for item in items}
    assert {f"s{at}" for at, is_canceled in enumerate(canceled) if not is_canceled} == gone


@pytest.mark.parametrize(
    ("outcome", "arrival", "reply"),
    [
        (Delivered(reply=SmtpReply(code=250, status="2.0.0", text="taken"), host="mx"), "unknown", "250 2.0.0 taken"),
        (
            Delivered(reply=SmtpReply(code=250, status="2.1.5", text="stored"), host="us", is_final=True),
            "yes",
            "250 2.1.5 stored",
        ),
        (Failed(reply=SmtpReply(code=550, status="5.7.1", text="no\nnever"), host="mx"), "no", "550 5.7.1 no never"),
        (Deferred(reply=SmtpReply(code=451, status="4.7.1", text="later"), host="mx"), "queued", "451 4.7.1 later"),
    ],
)
async def test_what_becomes_of_each_recipient_is_told(
    store: Store, bus: RecordingBus, outcome: Outcome, arrival: str, reply: str
) -> None:
    await add(store, submission("one", "a@x.example", "b@y.example"))
    first, _ = await lease(store)
    before = await number(store)
    bus.published.clear()
    await store.queue.settle("one", [Settlement(item_id=first.item_id, outcome=outcome, next_at=Instant(9_000))])
    told, other = (await the(store, "one")).recipients
    assert (told.arrival, told.reply, other.arrival) == (arrival, reply, Arrival.QUEUED)
    assert (await number(store), account_topic(ALICE) in bus.published) == (before + 1, True)


async def test_what_is_held_back_and_what_another_has_is_no_news(store: Store) -> None:
    await add(store, submission("one"))
    (item,) = await lease(store)
    before = await number(store)
    later = SmtpReply(code=450, status="4.4.5", text="busy")
    held_back = Deferred(reply=later, host="", until=Instant(6_000))
    await store.queue.settle("other", [Settlement(item_id=item.item_id, outcome=held_back, next_at=Instant(6_000))])
    await store.queue.settle("one", [Settlement(item_id=item.item_id, outcome=held_back, next_at=Instant(6_000))])
    assert (await number(store), (await the(store, "one")).recipients) == (before, submission("one").recipients)


async def test_what_a_person_drops_is_not_delivered_and_final(store: Store) -> None:
    await add(store, submission("one"))
    await store.queue.drop([item.item_id for item in await store.queue.items()], now=NOW)
    found = await the(store, "one")
    assert (found.head.undo_status, found.recipients[0].arrival) == (UndoStatus.FINAL, Arrival.NO)


async def test_what_a_person_holds_can_still_be_canceled(store: Store) -> None:
    await add(store, submission("one", send_at=1_000))
    ids = [item.item_id for item in await store.queue.items()]
    await store.queue.put(ids, was=QueueState.WAITING, state=QueueState.HELD, now=NOW)
    assert await store.email_submissions.cancel(ALICE, SubmissionId("one"), now=NOW)
    assert await store.queue.items() == []


async def test_destroyed_ones_go_on_and_are_told_of_no_more(store: Store) -> None:
    await add(store, submission("one"), submission("two"))
    gone = await store.email_submissions.destroy(ALICE, [SubmissionId("one"), SubmissionId("none")], now=NOW)
    assert (list(gone), await names(store)) == (["one"], ["two"])
    before = await number(store)
    one, _ = await lease(store)
    assert await number(store) == before + 1  # of two
    sent = Delivered(reply=SmtpReply(code=250, status="2.0.0", text="taken"), host="mx")
    await store.queue.settle("one", [Settlement(item_id=one.item_id, outcome=sent)])
    assert (one.submission_id, await number(store)) == ("one", before + 1)


async def test_the_oldest_that_went_give_way_and_those_that_wait_do_not(store: Store) -> None:
    went = submission("went", send_at=1_000, undo_status=UndoStatus.FINAL)
    await add(store, submission("first"), went, submission("second"), submission("third"))
    assert await names(store) == ["first", "second", "third"]
    before = await number(store)
    with pytest.raises(TooMany):
        await add(store, submission("fourth"))
    assert (await names(store), await number(store)) == (["first", "second", "third"], before)
    assert len(await store.queue.items()) == 4


async def test_what_depends_on_a_number_is_not_written_under_another(store: Store) -> None:
    await add(store, submission("one"), if_number=0)
    late = await number(store) + 1
    with pytest.raises(Conflict):
        await add(store, submission("two"), if_number=late)
    with pytest.raises(Conflict):
        await store.email_submissions.cancel(ALICE, SubmissionId("one"), now=NOW, if_number=late)
    with pytest.raises(Conflict):
        await store.email_submissions.destroy(ALICE, [SubmissionId("one")], now=NOW, if_number=late)
    assert (await names(store), len(await store.queue.items())) == (["one"], 1)
    assert await store.email_submissions.cancel(ALICE, SubmissionId("one"), now=NOW, if_number=late - 1)


async def test_they_go_with_an_account_that_goes_for_good(store: Store, clock: FakeClock) -> None:
    bob = await make_account(store, "bob@example.com")
    await store.email_submissions.add(bob, submission("his"), [], now=NOW, most=MOST)
    await add(store, submission("hers"))
    inbox = await mailbox_with(store, bob, MailboxRole.INBOX)
    await store.messages.append(bob, inbox, [new_message()])
    await apply(store, destroyed(account_resource("bob@example.com")))
    assert len((await store.email_submissions.heads(bob)).heads) == 1
    await store.trash.purge(now=Instant(clock() + 30 * DAY_MS + 1))
    assert (await store.email_submissions.heads(bob)).heads == []
    assert await names(store) == ["hers"]


async def test_those_that_went_long_ago_are_forgotten(store: Store) -> None:
    await add(store, submission("one", send_at=1_000), submission("two", send_at=2_000))
    before = await number(store)
    assert await store.email_submissions.forget(now=Instant(1_000 + SUBMISSIONS_KEPT_MS)) == 1
    assert await names(store) == ["two"]
    changed = await store.object_journal.changed(ALICE, ObjectKind.SUBMISSION, JournalPoint(before), limit=9)
    assert list(changed.destroyed) == ["one"]
    assert await store.email_submissions.forget(now=Instant(1_000 + SUBMISSIONS_KEPT_MS)) == 0
