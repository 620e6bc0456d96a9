"""ports.emails on every engine."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

import pytest

from mailstack.model.changes import ChangedIds, ChangedType, ChangeKind, LogPoint
from mailstack.model.email import EmailsUpdated, EmailUpdate, SetPatch
from mailstack.model.errors import Conflict, Invalid, NotFound, QuotaExceeded
from mailstack.model.flags import FLAGGED, MAX_KEYWORDS_PER_MESSAGE, SEEN
from mailstack.model.ids import AccountId, MailboxId, MessageId, ModSeq, ThreadId, Uid
from mailstack.model.instant import DAY_MS, Instant
from mailstack.model.mailbox import MailboxRole
from mailstack.model.message import FlagChange, FlagOperation
from mailstack.model.numset import NumSet, numset_of
from mailstack.model.rights import Grant, parse_rights
from mailstack.ports.bus import account_topic
from mailstack.ports.store import Store
from tests.support.fake_clock import FakeClock
from tests.support.recording_bus import RecordingBus
from tests.support.stores import mailbox_with, new_message, uids

EVERY = NumSet(((1, 2**32 - 1),))
NOBODY = MessageId(999)
DELETE = FlagChange(operation=FlagOperation.ADD, keywords=frozenset(), is_deleted=True)
UNDELETE = FlagChange(operation=FlagOperation.REMOVE, keywords=frozenset(), is_deleted=True)
SEE = FlagChange(operation=FlagOperation.ADD, keywords=frozenset({SEEN}), is_deleted=False)


@pytest.fixture
async def inbox(store: Store, account_id: AccountId) -> MailboxId:
    return await mailbox_with(store, account_id, MailboxRole.INBOX)


@pytest.fixture
async def trash(store: Store, account_id: AccountId) -> MailboxId:
    return await mailbox_with(store, account_id, MailboxRole.TRASH)


@pytest.fixture(autouse=True)
async def counts_are_true(store: Store, account_id: AccountId) -> AsyncIterator[None]:
    """After every test here: the counts that STATUS reads are those of a recount."""
    yield
    for mailbox in await store.mailboxes.list(account_id):
        placements = await store.messages.placements(account_id, mailbox.mailbox_id)
        status = await store.mailboxes.status(account_id, mailbox.mailbox_id)
        assert (status.messages, status.unseen, status.deleted) == (
            len(placements),
            sum(SEEN not in placement.keywords for placement in placements),
            sum(placement.is_deleted for placement in placements),
        )
        assert all(placement.mod_seq <= status.highest_mod_seq for placement in placements)


def keywords(message_id: MessageId, *added: str, removed: Collection[str] = ()) -> EmailUpdate:
    patch = SetPatch(added=frozenset(added), removed=frozenset(removed))
    return EmailUpdate(message_id=message_id, keywords=patch)


def mailboxes(message_id: MessageId, *whole: MailboxId) -> EmailUpdate:
    return EmailUpdate(message_id=message_id, mailboxes=SetPatch(whole=frozenset(whole)))


def told(changed: ChangedIds[int]) -> Sequence[Sequence[int]]:
    return changed.created, changed.updated, changed.destroyed


async def put(store: Store, account_id: AccountId, mailbox_id: MailboxId, *numbers: int) -> list[MessageId]:
    appended = await store.messages.append(account_id, mailbox_id, [new_message(number) for number in numbers or (1,)])
    return [each.message_id for each in appended]


async def test_where_messages_lie_and_what_they_are_is_told_together(
    store: Store, account_id: AccountId, inbox: MailboxId, trash: MailboxId
) -> None:
    (first,) = await put(store, account_id, inbox)
    (second,) = await put(store, account_id, trash)
    await store.messages.copy(account_id, inbox, EVERY, trash)
    await store.messages.change_flags(account_id, trash, uids(2), DELETE)
    found = await store.emails.placed(account_id, [second, first, NOBODY])
    assert sorted(found) == [first, second]
    assert [(place.mailbox_id, place.uid, place.is_deleted) for place in found[first].places] == [
        (inbox, 1, False),
        (trash, 2, True),
    ]
    (stored,) = await store.messages.stored(account_id, [first])
    assert (found[first].thread_id, found[first].size_bytes) == (stored.thread_id, stored.size_bytes)
    assert await store.emails.placed(account_id, []) == {}


async def test_with_the_deleted_flag_it_is_seen_in_other_mailboxes_only(
    store: Store, account_id: AccountId, inbox: MailboxId, trash: MailboxId
) -> None:
    first, second = await put(store, account_id, inbox, 1, 2)
    await store.messages.copy(account_id, inbox, uids(1), trash)
    await store.messages.change_flags(account_id, inbox, EVERY, DELETE)
    found = await store.emails.placed(account_id, [first, second])
    assert {message_id: email.mailbox_ids for message_id, email in found.items()} == {first: {trash}}
    assert found[first].all_mailbox_ids == {inbox, trash}
    assert await store.emails.placed(account_id, [first], within=[inbox]) == {}
    threads = [ThreadId(first), ThreadId(second)]
    assert await store.emails.of_threads(account_id, threads) == {threads[0]: [first]}
    assert await store.emails.of_threads(account_id, threads, within=[inbox]) == {}
    result = await store.emails.update(account_id, [keywords(second, SEEN), mailboxes(second, trash)])
    assert [type(fault) for fault in result.refused.values()] == [NotFound]
    assert await store.emails.destroy(account_id, [second]) == []


async def test_put_where_it_has_the_deleted_flag_it_is_seen_there_again(
    store: Store, account_id: AccountId, inbox: MailboxId, trash: MailboxId
) -> None:
    first, second, third = await put(store, account_id, inbox, 1, 2, 3)
    await store.messages.copy(account_id, inbox, EVERY, trash)
    await store.messages.change_flags(account_id, inbox, EVERY, DELETE)
    start = LogPoint(await store.changes.mod_seq(account_id))
    both = EmailUpdate(
        message_id=first,
        keywords=SetPatch(added=frozenset({SEEN})),
        mailboxes=SetPatch(added=frozenset({inbox})),
    )
    result = await store.emails.update(account_id, [both, mailboxes(second, inbox), keywords(third, SEEN)])
    assert [(each.mailboxes_before, each.mailboxes) for each in result.updated] == [
        (frozenset({trash}), frozenset({inbox, trash})),
        (frozenset({trash}), frozenset({inbox})),
        (frozenset({trash}), frozenset({trash})),
    ]
    there = await store.messages.placements(account_id, inbox)
    assert [(each.uid, each.is_deleted, each.keywords_text) for each in there] == [
        (1, False, SEEN),
        (2, False, ""),
        (3, True, SEEN),
    ]
    assert {each.mod_seq for each in there} == {result.mod_seq}
    assert told(await store.emails.changed(account_id, start, limit=9)) == ((), (first, second, third), ())
    in_inbox = await store.emails.changed(account_id, start, within=[inbox], limit=9)
    assert told(in_inbox) == ((first, second), (), ())


async def test_destroyed_it_is_gone_where_it_had_the_deleted_flag_too(
    store: Store, account_id: AccountId, inbox: MailboxId, trash: MailboxId
) -> None:
    (first,) = await put(store, account_id, inbox)
    await store.messages.copy(account_id, inbox, EVERY, trash)
    await store.messages.change_flags(account_id, inbox, EVERY, DELETE)
    assert await store.emails.destroy(account_id, [first], within=[inbox]) == []
    assert await store.emails.destroy(account_id, [first]) == [first]
    assert await store.messages.placements(account_id, inbox) == []
    assert await store.messages.used_bytes(account_id) == 0


async def test_what_lies_elsewhere_is_passed_over(
    store: Store, account_id: AccountId, inbox: MailboxId, trash: MailboxId
) -> None:
    (first,) = await put(store, account_id, inbox)
    (second,) = await put(store, account_id, trash)
    await store.messages.copy(account_id, inbox, EVERY, trash)
    found = await store.emails.placed(account_id, [first, second], within=[inbox])
    assert {message_id: email.mailbox_ids for message_id, email in found.items()} == {first: {inbox}}


async def test_a_copy_that_shares_the_bytes_is_an_email_of_its_own(
    store: Store, account_id: AccountId, inbox: MailboxId
) -> None:
    (first,) = await put(store, account_id, inbox)
    await store.messages.copy(account_id, inbox, EVERY, inbox)
    found = await store.emails.placed(account_id, [first, MessageId(first + 1)])
    assert {message_id: int(email.email_id) for message_id, email in found.items()} == {first: first, first + 1: first}


async def test_created_in_several_mailboxes_it_is_one_message(
    store: Store, account_id: AccountId, inbox: MailboxId, trash: MailboxId, bus: RecordingBus
) -> None:
    start = await store.changes.mod_seq(account_id)
    message = new_message(keywords=frozenset({SEEN, "$x"}))
    made = await store.emails.create(account_id, [trash, inbox], message)
    assert (made.mailbox_ids, made.keywords, made.size_bytes) == (
        frozenset({inbox, trash}),
        frozenset({SEEN, "$x"}),
        len(message.raw),
    )
    assert await store.emails.placed(account_id, [made.message_id]) == {made.message_id: made}
    assert await store.messages.read(account_id, made.message_id) == message.raw
    assert await store.messages.used_bytes(account_id) == len(message.raw)
    changes = await store.changes.since(account_id, start)
    assert {(change.mod_seq, change.mailbox_id) for change in changes} == {(start + 1, inbox), (start + 1, trash)}
    assert await store.mailboxes.keywords(account_id, trash) == ["$x"]
    assert bus.published[-1] == account_topic(account_id)


async def test_what_cannot_be_created_leaves_nothing(store: Store, account_id: AccountId, inbox: MailboxId) -> None:
    start = await store.changes.mod_seq(account_id)
    with pytest.raises(Invalid):
        await store.emails.create(account_id, [], new_message())
    with pytest.raises(NotFound):
        await store.emails.create(account_id, [inbox, MailboxId(999)], new_message())
    with pytest.raises(QuotaExceeded):
        await store.emails.create(account_id, [inbox], new_message(), quota_bytes=10)
    with pytest.raises(Conflict):
        await store.emails.create(account_id, [inbox], new_message(), if_mod_seq=ModSeq(start - 1))
    assert await store.changes.mod_seq(account_id) == start
    assert await store.messages.used_bytes(account_id) == 0


async def test_keywords_of_many_change_everywhere_under_one_mod_seq(
    store: Store, account_id: AccountId, inbox: MailboxId, trash: MailboxId
) -> None:
    first, second, third = await put(store, account_id, inbox, 1, 2, 3)
    await store.messages.copy(account_id, inbox, uids(1), trash)
    start = await store.changes.mod_seq(account_id)
    updates = [keywords(first, SEEN, "$x"), keywords(second, SEEN), keywords(third, removed=[FLAGGED])]
    result = await store.emails.update(account_id, updates)
    assert result.mod_seq == start + 1
    assert [(one.message_id, one.keywords) for one in result.updated] == [
        (first, {SEEN, "$x"}),
        (second, {SEEN}),
        (third, frozenset()),
    ]
    rows = await store.changes.since(account_id, start)
    assert [(row.mod_seq, row.mailbox_id, row.message_id) for row in rows] == [
        (start + 1, inbox, first),
        (start + 1, inbox, second),
        (start + 1, trash, first),
    ]
    (placement,) = await store.messages.placements(account_id, trash)
    assert (placement.keywords, placement.mod_seq) == (frozenset({SEEN, "$x"}), start + 1)
    assert await store.mailboxes.keywords(account_id, trash) == ["$x"]


async def test_nothing_to_change_is_no_change(
    store: Store, account_id: AccountId, inbox: MailboxId, trash: MailboxId
) -> None:
    (first,) = await put(store, account_id, inbox)
    start = await store.changes.mod_seq(account_id)
    result = await store.emails.update(account_id, [mailboxes(first, inbox)])
    assert (result.mod_seq, [one.message_id for one in result.updated]) == (None, [first])
    assert await store.emails.update(account_id, []) == EmailsUpdated(updated=[], refused={}, mod_seq=None)
    assert await store.changes.mod_seq(account_id) == start


async def test_a_move_with_new_keywords_leaves_the_message_what_it_is(
    store: Store, account_id: AccountId, inbox: MailboxId, trash: MailboxId, bus: RecordingBus
) -> None:
    first, second = await put(store, account_id, inbox, 1, 2)
    update = EmailUpdate(
        message_id=first,
        keywords=SetPatch(whole=frozenset({SEEN})),
        mailboxes=SetPatch(added=frozenset({trash}), removed=frozenset({inbox})),
    )
    result = await store.emails.update(account_id, [update, mailboxes(second, inbox, trash)])
    assert (result.updated[0].mailboxes_before, result.updated[0].mailboxes) == (frozenset({inbox}), frozenset({trash}))
    found = await store.emails.placed(account_id, [first, second])
    assert (found[first].mailbox_ids, found[second].mailbox_ids) == (frozenset({trash}), frozenset({inbox, trash}))
    assert found[first].keywords == frozenset({SEEN})
    assert [placement.uid for placement in await store.messages.placements(account_id, inbox)] == [2]
    assert await store.changes.destroyed_since(account_id, inbox, ModSeq((result.mod_seq or 0) - 1)) == [1]
    assert len(await store.messages.read(account_id, first)) == found[first].size_bytes
    assert bus.published[-1] == account_topic(account_id)


async def test_each_update_is_refused_alone(store: Store, account_id: AccountId, inbox: MailboxId) -> None:
    first, second, third, fourth = await put(store, account_id, inbox, 1, 2, 3, 4)
    too_many = [f"k{number}" for number in range(MAX_KEYWORDS_PER_MESSAGE + 1)]
    updates = [
        keywords(NOBODY, SEEN),
        mailboxes(first, inbox, MailboxId(999)),
        EmailUpdate(message_id=second, mailboxes=SetPatch(removed=frozenset({inbox}))),
        keywords(third, *too_many),
        keywords(fourth, SEEN),
    ]
    result = await store.emails.update(account_id, updates)
    assert {message_id: type(fault) for message_id, fault in result.refused.items()} == {
        NOBODY: NotFound,
        first: Invalid,
        second: Invalid,
        third: Invalid,
    }
    assert [one.message_id for one in result.updated] == [fourth]
    found = await store.emails.placed(account_id, [first, second, third])
    assert all(email.mailbox_ids == {inbox} and not email.keywords for email in found.values())


async def test_who_sees_one_mailbox_moves_within_it_only(
    store: Store, account_id: AccountId, inbox: MailboxId, trash: MailboxId
) -> None:
    (first,) = await put(store, account_id, inbox)
    await store.messages.copy(account_id, inbox, EVERY, trash)
    result = await store.emails.update(account_id, [mailboxes(first, inbox)], within=[inbox])
    assert result.mod_seq is None
    assert await store.emails.destroy(account_id, [first], within=[inbox]) == [first]
    assert (await store.emails.placed(account_id, [first]))[first].mailbox_ids == {trash}
    result = await store.emails.update(account_id, [keywords(first, SEEN)], within=[inbox])
    assert isinstance(result.refused[first], NotFound)


async def test_who_sees_one_mailbox_changes_the_message_that_others_see(
    store: Store, account_id: AccountId, inbox: MailboxId, trash: MailboxId
) -> None:
    (first,) = await put(store, account_id, inbox)
    await store.messages.copy(account_id, inbox, EVERY, trash)
    update = EmailUpdate(
        message_id=first,
        keywords=SetPatch(added=frozenset({SEEN})),
        mailboxes=SetPatch(added=frozenset({trash})),
    )
    await store.emails.update(account_id, [update], within=[inbox])
    (there,) = await store.messages.placements(account_id, trash)
    assert (there.message_id, there.uid, there.keywords_text) == (first, Uid(1), SEEN)


async def test_destroyed_is_out_of_all_mailboxes(
    store: Store, account_id: AccountId, inbox: MailboxId, trash: MailboxId
) -> None:
    first, second = await put(store, account_id, inbox, 1, 2)
    await store.messages.copy(account_id, inbox, uids(1), trash)
    start = await store.changes.mod_seq(account_id)
    assert await store.emails.destroy(account_id, [second, NOBODY, first]) == [first, second]
    assert await store.changes.mod_seq(account_id) == start + 1
    assert await store.emails.placed(account_id, [first, second]) == {}
    with pytest.raises(NotFound):
        await store.messages.read(account_id, first)
    assert await store.messages.used_bytes(account_id) == 0
    assert await store.emails.destroy(account_id, [first]) == []
    assert await store.changes.mod_seq(account_id) == start + 1


async def test_what_has_changed_meanwhile_stops_a_write(store: Store, account_id: AccountId, inbox: MailboxId) -> None:
    (first,) = await put(store, account_id, inbox)
    highest = await store.changes.mod_seq(account_id)
    before = ModSeq(highest - 1)
    with pytest.raises(Conflict):
        await store.emails.update(account_id, [keywords(first, SEEN)], if_mod_seq=before)
    with pytest.raises(Conflict):
        await store.emails.destroy(account_id, [first], if_mod_seq=before)
    assert (await store.emails.update(account_id, [keywords(first, SEEN)], if_mod_seq=highest)).mod_seq
    assert await store.emails.destroy(account_id, [first], if_mod_seq=ModSeq(highest + 1)) == [first]


async def test_threads_have_their_messages_as_they_were_received(
    store: Store, account_id: AccountId, inbox: MailboxId, trash: MailboxId
) -> None:
    late = new_message(9, message_id="a@x")
    reply = new_message(5, message_id="b@x", references=["a@x"], subject="Re: A subject")
    other = new_message(7, message_id="c@x", subject="Another")
    appended = await store.messages.append(account_id, inbox, [late, reply])
    (alone,) = await store.messages.append(account_id, trash, [other])
    first, second = (ThreadId(appended[0].message_id), ThreadId(alone.message_id))
    asked = [first, second, ThreadId(999)]
    assert await store.emails.of_threads(account_id, asked) == {
        first: [appended[1].message_id, appended[0].message_id],
        second: [alone.message_id],
    }
    assert list(await store.emails.of_threads(account_id, asked, within=[trash])) == [second]


async def test_changes_are_told_once_each(
    store: Store, account_id: AccountId, inbox: MailboxId, trash: MailboxId
) -> None:
    first, second, third = await put(store, account_id, inbox, 1, 2, 3)
    start = LogPoint(await store.changes.mod_seq(account_id))
    await store.emails.update(account_id, [keywords(first, SEEN)])
    await store.messages.copy(account_id, inbox, uids(1), trash)
    await store.messages.move(account_id, inbox, uids(2), trash)
    await store.emails.destroy(account_id, [third])
    (fourth, fifth) = await put(store, account_id, inbox, 4, 5)
    await store.emails.destroy(account_id, [fifth])
    highest = await store.changes.mod_seq(account_id)
    assert await store.emails.changed(account_id, start, limit=100) == ChangedIds(
        created=(fourth,), updated=(first, second), destroyed=(third,), point=LogPoint(highest), has_more=False
    )
    in_inbox = await store.emails.changed(account_id, start, within=[inbox], limit=100)
    assert told(in_inbox) == ((fourth,), (first,), (second, third))
    in_trash = await store.emails.changed(account_id, start, within=[trash], limit=100)
    assert told(in_trash) == ((first, second), (), ())
    threads = await store.emails.changed_threads(account_id, start, limit=100)
    assert told(threads) == ((fourth,), (), (third,))


Told = Sequence[Sequence[int]]
FIRST = (1,)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ((), (DELETE,), ((), (), FIRST)),
        ((), (DELETE, UNDELETE), ((), FIRST, ())),
        ((), (SEE, DELETE, UNDELETE, DELETE), ((), (), FIRST)),
        ((), (DELETE, None), ((), (), FIRST)),
        ((), (UNDELETE,), ((), (), ())),
        ((DELETE,), (UNDELETE,), (FIRST, (), ())),
        ((DELETE,), (SEE,), ((), (), ())),
        ((DELETE,), (SEE, UNDELETE), (FIRST, (), ())),
        ((DELETE,), (UNDELETE, DELETE), ((), (), ())),
        ((DELETE,), (None,), ((), (), ())),
        ((DELETE,), (UNDELETE, DELETE, None), ((), (), ())),
    ],
    ids=[
        "hidden",
        "hidden-and-shown",
        "seen-and-hidden-twice",
        "hidden-and-gone",
        "never-hidden",
        "shown",
        "changed-unseen",
        "changed-and-shown",
        "shown-and-hidden",
        "gone-unseen",
        "shown-hidden-and-gone",
    ],
)
async def test_what_the_deleted_flag_does_is_told(
    store: Store,
    account_id: AccountId,
    inbox: MailboxId,
    before: Sequence[FlagChange],
    after: Sequence[FlagChange | None],
    expected: Told,
) -> None:
    """Of an email, and of a thread, which has changed only when it came or went. None: expunged."""
    assert await put(store, account_id, inbox) == [*FIRST]
    for change in before:
        await store.messages.change_flags(account_id, inbox, EVERY, change)
    start = LogPoint(await store.changes.mod_seq(account_id))
    for each in after:
        if each is None:
            await store.messages.expunge(account_id, inbox)
        else:
            await store.messages.change_flags(account_id, inbox, EVERY, each)
    assert told(await store.emails.changed(account_id, start, limit=9)) == expected
    threads = (expected[0], (), expected[2])
    assert told(await store.emails.changed_threads(account_id, start, limit=9)) == threads


async def test_one_that_came_with_the_deleted_flag_was_never_there(
    store: Store, account_id: AccountId, inbox: MailboxId, trash: MailboxId
) -> None:
    start = LogPoint(await store.changes.mod_seq(account_id))
    await store.messages.append(account_id, inbox, [new_message(is_deleted=True)])
    await store.messages.copy(account_id, inbox, EVERY, trash)
    changed = await store.emails.changed(account_id, start, limit=9)
    assert told(changed) == ((), (), ())
    await store.messages.change_flags(account_id, trash, EVERY, UNDELETE)
    assert told(await store.emails.changed(account_id, changed.point, limit=9)) == (FIRST, (), ())
    await store.messages.expunge(account_id, inbox)
    assert told(await store.emails.changed(account_id, start, limit=9)) == (FIRST, (), ())


async def test_keywords_that_change_elsewhere_leave_it_as_hidden_as_it_was(
    store: Store, account_id: AccountId, inbox: MailboxId, trash: MailboxId
) -> None:
    await put(store, account_id, inbox)
    await store.messages.copy(account_id, inbox, EVERY, trash)
    await store.messages.change_flags(account_id, trash, EVERY, DELETE)
    start = LogPoint(await store.changes.mod_seq(account_id))
    await store.messages.change_flags(account_id, inbox, EVERY, SEE)
    await store.emails.update(account_id, [keywords(MessageId(1), "$x")])
    in_trash = await store.emails.changed(account_id, start, within=[trash], limit=9)
    assert told(in_trash) == ((), (), ())
    await store.messages.change_flags(account_id, trash, EVERY, UNDELETE)
    in_trash = await store.emails.changed(account_id, start, within=[trash], limit=9)
    assert told(in_trash) == (FIRST, (), ())


async def test_the_changes_of_one_mod_seq_are_told_in_parts(
    store: Store, account_id: AccountId, inbox: MailboxId
) -> None:
    start = LogPoint(await store.changes.mod_seq(account_id))
    put_in = await put(store, account_id, inbox, *range(5))
    highest = await store.changes.mod_seq(account_id)
    one = await store.emails.changed(account_id, start, limit=2)
    assert (list(one.created), one.point, one.has_more) == (put_in[:2], LogPoint(highest, put_in[1]), True)
    two = await store.emails.changed(account_id, one.point, limit=3)
    assert (list(two.created), two.point, two.has_more) == (put_in[2:], LogPoint(highest), False)


async def test_a_reply_that_goes_changes_its_thread_and_the_last_one_ends_it(
    store: Store, account_id: AccountId, inbox: MailboxId
) -> None:
    root = new_message(1, message_id="a@x")
    reply = new_message(2, message_id="b@x", references=["a@x"], subject="Re: A subject")
    first, second = [each.message_id for each in await store.messages.append(account_id, inbox, [root, reply])]
    start = LogPoint(await store.changes.mod_seq(account_id))
    await store.emails.destroy(account_id, [first])
    changed = await store.emails.changed_threads(account_id, start, limit=9)
    assert told(changed) == ((), (first,), ())
    await store.emails.destroy(account_id, [second])
    ended = await store.emails.changed_threads(account_id, changed.point, limit=9)
    assert told(ended) == ((), (), (first,))
    assert await store.changes.since(account_id, start.mod_seq, limit=1)
    whole = await store.emails.changed_threads(account_id, start, limit=9)
    assert told(whole) == ((), (), (first,))


async def test_mailboxes_that_only_count_anew_are_told_apart(
    store: Store, account_id: AccountId, inbox: MailboxId, trash: MailboxId
) -> None:
    start = LogPoint(await store.changes.mod_seq(account_id))
    await put(store, account_id, inbox)
    made = await store.mailboxes.create(account_id, parent_id=None, name="Work")
    await put(store, account_id, made.mailbox_id)
    await store.mailboxes.rename(account_id, trash, parent_id=None, name="Bin")
    passing = await store.mailboxes.create(account_id, parent_id=None, name="Passing")
    await store.mailboxes.destroy(account_id, passing.mailbox_id)
    changed = await store.emails.changed_mailboxes(account_id, start, limit=9)
    assert (changed.created, set(changed.updated), changed.destroyed) == ((made.mailbox_id,), {inbox, trash}, ())
    assert changed.counted_only == {inbox}
    await store.mailboxes.destroy(account_id, made.mailbox_id)
    ended = await store.emails.changed_mailboxes(account_id, changed.point, limit=9)
    assert told(ended) == ((), (), (made.mailbox_id,))


async def test_what_was_seen_before_rights_changed_nobody_tells(
    store: Store, account_id: AccountId, inbox: MailboxId, trash: MailboxId
) -> None:
    emails = store.emails
    made = (await store.mailboxes.create(account_id, parent_id=None, name="Work")).mailbox_id
    below = (await store.mailboxes.create(account_id, parent_id=None, name="Below")).mailbox_id

    async def told_since(start: LogPoint) -> list[bool]:
        answers = []
        for asking in (emails.changed, emails.changed_threads, emails.changed_mailboxes):
            await asking(account_id, start, limit=9)
            try:
                await asking(account_id, start, within=[inbox], limit=9)
                answers.append(True)
            except Conflict:
                answers.append(False)
        return answers

    async def share(rights: str) -> None:
        grant = Grant(identifier="anyone", account_id=None, rights=parse_rights(rights))
        await store.sharing.change(account_id, trash, grant)

    steps: list[tuple[Callable[[], Awaitable[object]], list[bool]]] = [
        (lambda: share("lr"), [False, False, False]),
        (lambda: share("lr"), [True, True, True]),
        (lambda: share(""), [False, False, False]),
        (lambda: put(store, account_id, trash), [True, True, True]),
        (lambda: store.mailboxes.subscribe(account_id, trash, is_subscribed=False), [True, True, True]),
        (lambda: store.mailboxes.rename(account_id, made, parent_id=None, name="Other"), [True, True, True]),
        (lambda: store.mailboxes.rename(account_id, below, parent_id=made, name="Below"), [False, False, False]),
        (lambda: store.mailboxes.create(account_id, parent_id=None, name="New"), [True, True, False]),
        (lambda: share("lr"), [False, False, False]),
        (lambda: store.sharing.inherit(account_id, parent=made, child=below), [True, True, True]),
        (lambda: store.sharing.inherit(account_id, parent=trash, child=below), [False, False, False]),
        (lambda: store.mailboxes.destroy(account_id, below), [False, False, False]),
    ]
    for number, (step, expected) in enumerate(steps):
        start = LogPoint(await store.changes.mod_seq(account_id))
        await step()
        assert await told_since(start) == expected, number


async def test_of_a_mailbox_that_is_only_known_nothing_is_told_of_what_lies_there(
    store: Store, account_id: AccountId, inbox: MailboxId, trash: MailboxId
) -> None:
    start = LogPoint(await store.changes.mod_seq(account_id))
    await put(store, account_id, inbox)
    await put(store, account_id, trash)
    changed = await store.emails.changed_mailboxes(account_id, start, within=[inbox], known=[trash], limit=9)
    assert told(changed) == ((), (inbox,), ())
    assert changed.counted_only == {inbox}
    await store.mailboxes.subscribe(account_id, trash, is_subscribed=False)
    changed = await store.emails.changed_mailboxes(account_id, start, within=[inbox], known=[trash], limit=9)
    assert told(changed) == ((), (inbox, trash), ())
    assert changed.counted_only == {inbox}
    changed = await store.emails.changed_mailboxes(account_id, start, within=[inbox], limit=9)
    assert told(changed) == ((), (inbox,), ())


async def test_who_has_missed_too_much_is_told_so(
    store: Store, account_id: AccountId, inbox: MailboxId, clock: FakeClock
) -> None:
    start = LogPoint(await store.changes.mod_seq(account_id))
    await put(store, account_id, inbox)
    await store.changes.compact(account_id, now=Instant(clock() + 40 * DAY_MS))
    for asking in (store.emails.changed, store.emails.changed_threads, store.emails.changed_mailboxes):
        with pytest.raises(Conflict):
            await asking(account_id, start, limit=9)
        with pytest.raises(Conflict):
            await asking(account_id, LogPoint(ModSeq(1 << 40)), limit=9)


@dataclass(kw_only=True)
class Watcher:
    """Keeps what a client knows up to date by changes alone."""

    store: Store
    account_id: AccountId
    within: Collection[MailboxId] | None
    point: LogPoint
    known: dict[str, set[int]] = field(default_factory=dict)

    async def follow(self, limit: int) -> None:
        try:
            await self._follow(limit)
        except Conflict:
            # Who sees some only cannot be told since a mailbox went, or was moved.
            rows = await self.store.changes.since(self.account_id, self.point.mod_seq)
            kinds = {row.kind for row in rows if row.type is ChangedType.MAILBOX}
            assert self.within is not None
            assert kinds & {ChangeKind.ACCESS, ChangeKind.DESTROYED}
            self.point = LogPoint(await self.store.changes.mod_seq(self.account_id))
            self.known = await self.there()

    async def _follow(self, limit: int) -> None:
        emails = self.store.emails
        asked: Mapping[str, Callable[[LogPoint], Awaitable[ChangedIds[int]]]] = {
            "emails": lambda point: emails.changed(self.account_id, point, within=self.within, limit=limit),
            "threads": lambda point: emails.changed_threads(self.account_id, point, within=self.within, limit=limit),
            "mailboxes": lambda point: emails.changed_mailboxes(self.account_id, point, within=None, limit=limit),
        }
        ends = []
        for name, ask in asked.items():
            known, point = self.known.setdefault(name, set()), self.point
            while True:
                changed = await ask(point)
                assert len(changed.created) + len(changed.updated) + len(changed.destroyed) <= limit
                assert known.isdisjoint(changed.created)
                assert known.issuperset([*changed.updated, *changed.destroyed])
                known |= set(changed.created)
                known -= set(changed.destroyed)
                assert changed.point != point or not changed.has_more
                point = changed.point
                if not changed.has_more:
                    break
            ends.append(point)
        self.point = ends[-1]

    async def there(self) -> dict[str, set[int]]:
        everything = [MessageId(number) for number in range(1, 300)]
        placed = await self.store.emails.placed(self.account_id, everything, within=self.within)
        return {
            "emails": set(placed),
            "threads": {email.thread_id for email in placed.values()},
            "mailboxes": {mailbox.mailbox_id for mailbox in await self.store.mailboxes.list(self.account_id)},
        }


@pytest.mark.parametrize("seed", range(4))
async def test_changes_lead_from_any_state_to_the_present_one(store: Store, account_id: AccountId, seed: int) -> None:
    random = Random(seed)
    there = [mailbox.mailbox_id for mailbox in await store.mailboxes.list(account_id)]
    start = LogPoint(await store.changes.mod_seq(account_id))
    watchers = [
        Watcher(store=store, account_id=account_id, within=within, point=start)
        for within in (None, None, there[:2], there[1:2])
    ]
    for watcher in watchers:
        watcher.known = await watcher.there()
    for _ in range(60):
        await do_anything(store, account_id, random)
        for watcher in watchers:
            if random.random() < 0.2:
                await watcher.follow(random.randint(1, 6))
                assert watcher.known == await watcher.there()
    for watcher in watchers:
        await watcher.follow(1)
        assert watcher.known == await watcher.there()


async def do_anything(store: Store, account_id: AccountId, random: Random) -> None:
    there = [mailbox.mailbox_id for mailbox in await store.mailboxes.list(account_id)]
    source, target = random.choice(there), random.choice(there)
    placed = await store.emails.placed(account_id, [MessageId(number) for number in range(1, 300)])
    some = random.sample(sorted(placed), min(len(placed), random.randint(1, 4)))
    match random.randrange(12):
        case 0 | 1:
            named = [(f"{number}@x", f"{random.randrange(6)}@x") for number in random.sample(range(6), 2)]
            is_deleted = random.random() < 0.2
            messages = [new_message(message_id=one, references=[other], is_deleted=is_deleted) for one, other in named]
            await store.messages.append(account_id, source, messages)
        case 2:
            await store.emails.create(account_id, {source, target}, new_message())
        case 3:
            updates = [mailboxes(one, *random.sample(there, random.randint(1, 3))) for one in some]
            await store.emails.update(account_id, updates)
        case 4:
            await store.emails.update(account_id, [keywords(one, random.choice((SEEN, "$x"))) for one in some])
        case 5:
            await store.emails.destroy(account_id, some[:2])
        case 6:
            await store.messages.move(account_id, source, EVERY, target)
        case 7:
            await store.messages.copy(account_id, source, uids(1, 2, 3), target)
        case 8 | 9:
            change = random.choice((DELETE, DELETE, UNDELETE, SEE))
            placements = await store.messages.placements(account_id, source)
            some_there = random.sample(placements, min(len(placements), random.randint(1, 5)))
            await store.messages.change_flags(account_id, source, numset_of(each.uid for each in some_there), change)
        case 10:
            await store.messages.expunge(account_id, source)
        case _:
            made = await store.mailboxes.create(account_id, parent_id=None, name=f"Box {random.random()}")
            await store.messages.copy(account_id, source, EVERY, made.mailbox_id)
            if random.random() < 0.5:
                await store.mailboxes.destroy(account_id, made.mailbox_id)
