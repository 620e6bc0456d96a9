"""ports.messages on every engine."""

import random
from collections.abc import AsyncIterator
from functools import partial

import pytest

from mailstack.model.changes import ChangeKind
from mailstack.model.errors import Conflict, Invalid, NotFound, QuotaExceeded
from mailstack.model.flags import DRAFT, FLAGGED, MAX_KEYWORDS_PER_MESSAGE, SEEN, Keywords
from mailstack.model.ids import AccountId, MailboxId, MessageId, ModSeq, Uid
from mailstack.model.mailbox import MailboxRole
from mailstack.model.message import Column, FlagChange, FlagOperation, NewMessage, Placement, StoredMessage
from mailstack.model.numset import NumSet
from mailstack.ports.bus import account_topic
from mailstack.ports.store import Store
from tests.support.digests import digest_of
from tests.support.fake_clock import FakeClock
from tests.support.recording_bus import RecordingBus
from tests.support.stores import mailbox_with, new_message, uids

EVERY = NumSet(((1, 2**32 - 1),))
LARGE_BYTES = 300_000


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
        stored = await store.messages.stored(account_id, [placement.message_id for placement in placements])
        status = await store.mailboxes.status(account_id, mailbox.mailbox_id)
        assert (status.messages, status.unseen, status.deleted, status.size_bytes) == (
            len(placements),
            sum(SEEN not in placement.keywords for placement in placements),
            sum(placement.is_deleted for placement in placements),
            sum(message.size_bytes for message in stored),
        )
        assert all(placement.mod_seq <= status.highest_mod_seq for placement in placements)
        assert all(placement.uid < status.uid_next for placement in placements)


def add(*keywords: str, is_deleted: bool = False, unchanged_since: int | None = None) -> FlagChange:
    return FlagChange(
        operation=FlagOperation.ADD,
        keywords=frozenset(keywords),
        is_deleted=is_deleted,
        unchanged_since=None if unchanged_since is None else ModSeq(unchanged_since),
    )


async def test_append_is_listed_stored_and_read_back(
    store: Store, account_id: AccountId, inbox: MailboxId, bus: RecordingBus
) -> None:
    message = new_message(1, keywords=frozenset({SEEN, "$Label"}), is_deleted=True)
    (appended,) = await store.messages.append(account_id, inbox, [message])
    assert await store.messages.placements(account_id, inbox) == [
        Placement(Uid(1), appended.message_id, appended.mod_seq, True, f"$Label {SEEN}")
    ]
    (stored,) = await store.messages.stored(account_id, [appended.message_id])
    assert (message.digest, message.received_at, len(message.raw)) == (
        stored.digest,
        stored.received_at,
        stored.size_bytes,
    )
    assert await store.messages.read(account_id, appended.message_id) == message.raw
    assert bus.published[-1] == account_topic(account_id)


async def test_a_digest_of_hostile_text_is_kept_as_well_as_it_can_be(
    store: Store, account_id: AccountId, inbox: MailboxId
) -> None:
    message = new_message(subject="nul \x00 and \N{SNOWMAN}")
    (appended,) = await store.messages.append(account_id, inbox, [message])
    (stored,) = await store.messages.stored(account_id, [appended.message_id])
    assert stored.digest.subject == "nul \N{REPLACEMENT CHARACTER} and \N{SNOWMAN}"


async def test_append_to_no_mailbox_is_not_found_and_changes_nothing(store: Store, account_id: AccountId) -> None:
    before = await store.changes.mod_seq(account_id)
    with pytest.raises(NotFound):
        await store.messages.append(account_id, MailboxId(999), [new_message()])
    assert await store.changes.mod_seq(account_id) == before
    assert await store.messages.used_bytes(account_id) == 0


@pytest.mark.parametrize("size_bytes", [0, 4_096, 65_537, LARGE_BYTES])
async def test_ranges_make_up_the_whole(store: Store, account_id: AccountId, inbox: MailboxId, size_bytes: int) -> None:
    raw = random.Random(size_bytes).randbytes(size_bytes)
    message = NewMessage(raw=raw, received_at=new_message().received_at, digest=digest_of(raw))
    (appended,) = await store.messages.append(account_id, inbox, [message])
    read = partial(store.messages.read_range, account_id, appended.message_id)
    assert raw == b"".join([await read(start, start + 10_000) for start in range(0, size_bytes + 20_000, 10_000)])
    assert (await read(5, 9), await read(9, 5), await read(size_bytes, size_bytes + 1)) == (raw[5:9], b"", b"")
    with pytest.raises(NotFound):
        await store.messages.read_range(account_id, MessageId(999), 0, 1)


async def test_a_long_listing_is_complete(store: Store, account_id: AccountId, inbox: MailboxId) -> None:
    appended = await store.messages.append(account_id, inbox, [new_message(number) for number in range(1_500)])
    placements = await store.messages.placements(account_id, inbox)
    assert list(range(1, 1_501)) == [placement.uid for placement in placements]
    ids = [each.message_id for each in appended]
    assert ids == [stored.message_id for stored in await store.messages.stored(account_id, ids)]


async def test_columns_hold_what_stored_and_placements_say(
    store: Store, account_id: AccountId, inbox: MailboxId
) -> None:
    messages = [
        new_message(1, message_id="one@x.example", subject="Re: A subject"),
        new_message(2, references=["one@x.example", "gone@x.example"]),
    ]
    appended = await store.messages.append(account_id, inbox, messages)
    stored = await store.messages.stored(account_id, [each.message_id for each in appended])
    wanted = [column for column in Column if column is not Column.SAVED_AT]
    expected = [
        (placed.uid, *(value_of(column, one) for column in wanted))
        for placed, one in zip(appended, stored, strict=True)
    ]
    assert expected == list(await store.messages.columns(account_id, inbox, wanted))


def value_of(column: Column, stored: StoredMessage) -> object:
    name = "message_id" if column in (Column.HEADER_ID, Column.EMAIL_ID) else column.value
    of_message = (Column.EMAIL_ID, Column.MESSAGE_ID, Column.THREAD_ID, Column.SIZE_BYTES, Column.RECEIVED_AT)
    return getattr(stored if column in of_message else stored.digest, name)


@pytest.mark.parametrize("count", [3, 1_500])
async def test_the_table_holds_what_placements_say(
    store: Store, account_id: AccountId, inbox: MailboxId, count: int
) -> None:
    await store.messages.append(account_id, inbox, [new_message(number) for number in range(count)])
    await store.messages.change_flags(account_id, inbox, uids(2), add(SEEN, "$x", is_deleted=True))
    for asked in (None, uids(1, 2, 500), uids(77_777)):
        table = await store.messages.table(account_id, inbox, asked)
        placements = await store.messages.placements(account_id, inbox, asked)
        assert placements == [table.placement(at) for at in range(len(table))]
    with pytest.raises(NotFound):
        await store.messages.table(account_id, MailboxId(999))


async def test_saved_is_when_it_came_into_this_mailbox(
    store: Store, account_id: AccountId, inbox: MailboxId, trash: MailboxId, clock: FakeClock
) -> None:
    await store.messages.append(account_id, inbox, [new_message(1)])
    saved = clock()
    clock.advance(5_000)
    await store.messages.copy(account_id, inbox, EVERY, trash)
    assert [
        list(await store.messages.columns(account_id, mailbox_id, [Column.SAVED_AT])) for mailbox_id in (inbox, trash)
    ] == [[(1, saved)], [(1, saved + 5_000)]]


async def test_copies_share_the_number_of_the_email(
    store: Store, account_id: AccountId, inbox: MailboxId, trash: MailboxId
) -> None:
    """RFC 8474 §5.1: whatever becomes of the one that brought the bytes."""

    async def email_ids(mailbox_id: MailboxId) -> list[int]:
        return [number for _, number in await store.messages.columns(account_id, mailbox_id, [Column.EMAIL_ID])]

    await store.messages.append(account_id, inbox, [new_message(1), new_message(1)])
    first, second = await email_ids(inbox)
    assert first != second
    await store.messages.copy(account_id, inbox, uids(1), inbox)
    await store.messages.copy(account_id, inbox, uids(1), trash)
    await store.messages.copy(account_id, inbox, uids(3), trash)
    assert await email_ids(inbox) == [first, second, first]
    assert await email_ids(trash) == [first, first]
    await store.messages.change_flags(account_id, inbox, uids(1), add(is_deleted=True))
    await store.messages.expunge(account_id, inbox)
    await store.messages.move(account_id, trash, uids(1), inbox)
    assert await email_ids(inbox) == [second, first, first]
    assert await email_ids(trash) == [first]


@pytest.mark.parametrize("wanted", [(), (Column.SUBJECT,), (Column.PREVIEW, Column.REFERENCES)])
async def test_columns_of_some_uids_ascend_and_pass_over_those_that_are_not_there(
    store: Store, account_id: AccountId, inbox: MailboxId, trash: MailboxId, wanted: tuple[Column, ...]
) -> None:
    await store.messages.append(account_id, inbox, [new_message(number) for number in range(200)])
    await store.messages.move(account_id, inbox, uids(3), trash)
    rows = await store.messages.columns(account_id, inbox, wanted, uids(1, 2, 3, 7, 500))
    assert [row[0] for row in rows] == [1, 2, 7]
    assert {len(row) for row in rows} == {1 + len(wanted)}
    assert len(await store.messages.columns(account_id, inbox, wanted)) == 199
    with pytest.raises(NotFound):
        await store.messages.columns(account_id, MailboxId(999), wanted)


@pytest.mark.parametrize("count", [2, 60, 130])
async def test_stored_keeps_the_order_asked_and_leaves_out_what_is_gone(
    store: Store, account_id: AccountId, inbox: MailboxId, count: int
) -> None:
    appended = await store.messages.append(account_id, inbox, [new_message(number) for number in range(count)])
    expected = [each.message_id for each in reversed(appended)]
    asked = [*expected[:1], MessageId(999), *expected[1:]]
    assert expected == [stored.message_id for stored in await store.messages.stored(account_id, asked)]


@pytest.mark.parametrize(
    ("change", "keywords", "is_deleted"),
    [
        (add(FLAGGED), frozenset({SEEN, FLAGGED}), False),
        (add(is_deleted=True), frozenset({SEEN}), True),
        (FlagChange(operation=FlagOperation.REMOVE, keywords=frozenset({SEEN}), is_deleted=False), frozenset(), False),
        (
            FlagChange(operation=FlagOperation.SET, keywords=frozenset({DRAFT}), is_deleted=True),
            frozenset({DRAFT}),
            True,
        ),
        (FlagChange(operation=FlagOperation.SET, keywords=frozenset(), is_deleted=False), frozenset(), False),
    ],
)
async def test_change_flags(
    store: Store, account_id: AccountId, inbox: MailboxId, change: FlagChange, keywords: Keywords, is_deleted: bool
) -> None:
    (appended,) = await store.messages.append(account_id, inbox, [new_message(keywords=frozenset({SEEN}))])
    changed = await store.messages.change_flags(account_id, inbox, uids(1, 2), change)
    (placement,) = await store.messages.placements(account_id, inbox)
    assert (placement,) == changed.changed
    assert (keywords, is_deleted) == (placement.keywords, placement.is_deleted)
    assert placement.mod_seq > appended.mod_seq


async def test_a_change_that_changes_nothing_takes_no_mod_seq(
    store: Store, account_id: AccountId, inbox: MailboxId, bus: RecordingBus
) -> None:
    await store.messages.append(account_id, inbox, [new_message(keywords=frozenset({SEEN})), new_message()])
    before = await store.messages.placements(account_id, inbox)
    changed = await store.messages.change_flags(account_id, inbox, uids(1), add(SEEN))
    assert changed.changed == (before[0],)
    assert await store.messages.placements(account_id, inbox) == before


async def test_unchanged_since_refuses_what_has_changed_and_changes_the_rest(
    store: Store, account_id: AccountId, inbox: MailboxId
) -> None:
    first, _ = await store.messages.append(account_id, inbox, [new_message(1), new_message(2)])
    theirs = await store.messages.change_flags(account_id, inbox, uids(2), add(FLAGGED))
    changed = await store.messages.change_flags(
        account_id, inbox, uids(1, 2), add(SEEN, FLAGGED, unchanged_since=first.mod_seq)
    )
    assert (Uid(2),) == changed.refused
    assert [(Uid(1), changed.mod_seq)] == [(placement.uid, placement.mod_seq) for placement in changed.changed]
    assert theirs.mod_seq is not None
    assert changed.mod_seq == theirs.mod_seq + 1
    assert [SEEN in placement.keywords for placement in await store.messages.placements(account_id, inbox)] == [
        True,
        False,
    ]


async def test_unchanged_since_looks_at_the_flags_that_are_turned_over(
    store: Store, account_id: AccountId, inbox: MailboxId
) -> None:
    """RFC 7162 §3.1.12: other flags have changed, these have not."""
    first, _ = await store.messages.append(account_id, inbox, [new_message(1), new_message(2)])
    await store.messages.change_flags(account_id, inbox, uids(2), add(FLAGGED))
    changed = await store.messages.change_flags(account_id, inbox, uids(1, 2), add(SEEN, unchanged_since=first.mod_seq))
    assert changed.refused == ()
    assert {changed.mod_seq} == {placement.mod_seq for placement in changed.changed}


async def test_what_changes_no_flag_has_no_mod_seq(store: Store, account_id: AccountId, inbox: MailboxId) -> None:
    await store.messages.append(account_id, inbox, [new_message()])
    await store.messages.change_flags(account_id, inbox, uids(1), add(SEEN))
    assert (await store.messages.change_flags(account_id, inbox, uids(1), add(SEEN))).mod_seq is None


async def test_too_many_keywords_are_refused(store: Store, account_id: AccountId, inbox: MailboxId) -> None:
    await store.messages.append(account_id, inbox, [new_message()])
    with pytest.raises(Invalid):
        await store.messages.change_flags(
            account_id, inbox, uids(1), add(*(f"k{number}" for number in range(MAX_KEYWORDS_PER_MESSAGE + 1)))
        )


async def test_change_flags_in_no_mailbox_is_not_found(store: Store, account_id: AccountId) -> None:
    with pytest.raises(NotFound):
        await store.messages.change_flags(account_id, MailboxId(999), uids(1), add(SEEN))


async def test_a_copy_shares_the_message_and_its_keywords_but_not_deleted(
    store: Store, account_id: AccountId, inbox: MailboxId, trash: MailboxId
) -> None:
    (appended,) = await store.messages.append(account_id, inbox, [new_message(keywords=frozenset({FLAGGED}))])
    used = await store.messages.used_bytes(account_id)
    copied = await store.messages.copy(account_id, inbox, EVERY, trash)
    assert ((Uid(1), Uid(1)),) == copied.pairs
    assert copied.uid_validity == (await store.mailboxes.status(account_id, trash)).uid_validity
    await store.messages.change_flags(account_id, inbox, EVERY, add(SEEN, is_deleted=True))
    (here,) = await store.messages.placements(account_id, inbox)
    (there,) = await store.messages.placements(account_id, trash)
    assert (appended.message_id, frozenset({SEEN, FLAGGED}), False) == (
        there.message_id,
        there.keywords,
        there.is_deleted,
    )
    assert there.mod_seq == here.mod_seq
    assert await store.messages.used_bytes(account_id) == used


async def test_a_copy_into_the_same_mailbox_is_a_second_message_with_the_same_bytes(
    store: Store, account_id: AccountId, inbox: MailboxId
) -> None:
    (appended,) = await store.messages.append(account_id, inbox, [new_message()])
    await store.messages.copy(account_id, inbox, EVERY, inbox)
    first, second = await store.messages.placements(account_id, inbox)
    assert first.message_id == appended.message_id != second.message_id
    assert await store.messages.read(account_id, second.message_id) == new_message().raw
    assert await store.messages.used_bytes(account_id) == 2 * len(new_message().raw)
    await store.messages.change_flags(account_id, inbox, uids(1), add(SEEN, is_deleted=True))
    assert [Uid(1)] == list(await store.messages.expunge(account_id, inbox))
    assert await store.messages.read(account_id, second.message_id) == new_message().raw
    assert not (await store.messages.placements(account_id, inbox))[0].keywords


async def test_a_copy_past_the_quota_is_refused_whole(
    store: Store, account_id: AccountId, inbox: MailboxId, trash: MailboxId
) -> None:
    await store.messages.append(account_id, inbox, [new_message()])
    quota_bytes = len(new_message().raw)
    await store.messages.copy(account_id, inbox, EVERY, trash, quota_bytes=quota_bytes)
    with pytest.raises(QuotaExceeded):
        await store.messages.copy(account_id, inbox, EVERY, trash, quota_bytes=quota_bytes)
    assert len(await store.messages.placements(account_id, trash)) == 1


@pytest.mark.parametrize("size_bytes", [500, LARGE_BYTES])
async def test_move_takes_it_out_of_the_source(
    store: Store, account_id: AccountId, inbox: MailboxId, trash: MailboxId, size_bytes: int
) -> None:
    messages = [new_message(number, size_bytes=size_bytes, keywords=frozenset({SEEN})) for number in range(3)]
    appended = await store.messages.append(account_id, inbox, messages)
    moved = await store.messages.move(account_id, inbox, uids(1, 3), trash)
    assert moved.pairs == ((1, 1), (3, 2))
    assert [placement.uid for placement in await store.messages.placements(account_id, inbox)] == [2]
    there = await store.messages.placements(account_id, trash)
    assert [appended[0].message_id, appended[2].message_id] == [placement.message_id for placement in there]
    assert await store.messages.read(account_id, there[1].message_id) == messages[2].raw


async def test_move_within_a_mailbox_gives_a_new_uid(store: Store, account_id: AccountId, inbox: MailboxId) -> None:
    await store.messages.append(account_id, inbox, [new_message(size_bytes=LARGE_BYTES)])
    assert (await store.messages.move(account_id, inbox, EVERY, inbox)).pairs == ((1, 2),)
    (placement,) = await store.messages.placements(account_id, inbox)
    assert await store.messages.read(account_id, placement.message_id) == new_message(size_bytes=LARGE_BYTES).raw


@pytest.mark.parametrize("source_is_missing", [True, False])
async def test_copy_and_move_from_or_to_no_mailbox_are_not_found(
    store: Store, account_id: AccountId, inbox: MailboxId, source_is_missing: bool
) -> None:
    source, target = (MailboxId(999), inbox) if source_is_missing else (inbox, MailboxId(999))
    with pytest.raises(NotFound):
        await store.messages.copy(account_id, source, EVERY, target)
    with pytest.raises(NotFound):
        await store.messages.move(account_id, source, EVERY, target)


@pytest.mark.parametrize("size_bytes", [500, LARGE_BYTES])
async def test_expunge_destroys_what_is_deleted_and_only_that(
    store: Store, account_id: AccountId, inbox: MailboxId, size_bytes: int
) -> None:
    messages = [new_message(number, size_bytes=size_bytes, is_deleted=number != 1) for number in range(4)]
    appended = await store.messages.append(account_id, inbox, messages)
    assert list(await store.messages.expunge(account_id, inbox, uids(2, 3))) == [3]
    assert list(await store.messages.expunge(account_id, inbox)) == [1, 4]
    assert list(await store.messages.expunge(account_id, inbox)) == []
    ids = [stored.message_id for stored in await store.messages.stored(account_id, [a.message_id for a in appended])]
    assert [appended[1].message_id] == ids
    assert await store.messages.used_bytes(account_id) == len(messages[1].raw)


async def test_expunge_of_one_placement_leaves_the_message_in_the_other_mailbox(
    store: Store, account_id: AccountId, inbox: MailboxId, trash: MailboxId
) -> None:
    (appended,) = await store.messages.append(account_id, inbox, [new_message()])
    await store.messages.copy(account_id, inbox, EVERY, trash)
    await store.messages.change_flags(account_id, inbox, EVERY, add(is_deleted=True))
    await store.messages.expunge(account_id, inbox)
    assert await store.messages.read(account_id, appended.message_id) == new_message().raw


async def test_uids_are_never_given_again(store: Store, account_id: AccountId, inbox: MailboxId) -> None:
    await store.messages.append(account_id, inbox, [new_message(is_deleted=True)])
    await store.messages.expunge(account_id, inbox)
    (appended,) = await store.messages.append(account_id, inbox, [new_message()])
    assert appended.uid == 2


async def test_answers_join_the_thread_of_what_they_answer(
    store: Store, account_id: AccountId, inbox: MailboxId
) -> None:
    appended = await store.messages.append(
        account_id,
        inbox,
        [
            new_message(1, message_id="one@x.example"),
            new_message(2, message_id="two@x.example", references=["one@x.example"], subject="Re: A subject"),
            new_message(3, references=["gone@x.example", "two@x.example"], subject="Re: A subject"),
            new_message(4, references=["one@x.example"], subject="Another subject"),
            new_message(5),
        ],
    )
    stored = await store.messages.stored(account_id, [each.message_id for each in appended])
    first, second, third, fourth, fifth = (each.thread_id for each in stored)
    assert first == second == third
    assert len({first, fourth, fifth}) == 3


async def test_any_sequence_of_changes_keeps_the_counts_true(
    store: Store, account_id: AccountId, inbox: MailboxId, trash: MailboxId
) -> None:
    chance = random.Random(7)
    operations = tuple(FlagOperation)
    for step in range(150):
        place, other = chance.sample([inbox, trash], 2)
        some = uids(*(chance.randint(1, 30) for _ in range(3)))
        match chance.randrange(6):
            case 0 | 1:
                await store.messages.append(account_id, place, [new_message(step, is_deleted=chance.random() < 0.3)])
            case 2:
                change = FlagChange(
                    operation=chance.choice(operations),
                    keywords=frozenset(chance.sample([SEEN, FLAGGED, "$x"], chance.randint(0, 2))),
                    is_deleted=chance.random() < 0.3,
                )
                await store.messages.change_flags(account_id, place, some, change)
            case 3:
                await store.messages.copy(account_id, place, some, chance.choice([place, other]))
            case 4:
                await store.messages.move(account_id, place, some, chance.choice([place, other]))
            case _:
                await store.messages.expunge(account_id, place, chance.choice([None, some]))
    placed = {
        placement.message_id
        for mailbox_id in (inbox, trash)
        for placement in await store.messages.placements(account_id, mailbox_id)
    }
    stored = await store.messages.stored(account_id, sorted(placed))
    assert await store.messages.used_bytes(account_id) == sum(message.size_bytes for message in stored)
    for message in stored:
        assert len(await store.messages.read(account_id, message.message_id)) == message.size_bytes


async def test_replace_brings_one_and_takes_one(
    store: Store, account_id: AccountId, inbox: MailboxId, trash: MailboxId, bus: RecordingBus
) -> None:
    await store.messages.append(account_id, inbox, [new_message(1), new_message(2), new_message(3)])
    before = await store.changes.mod_seq(account_id)
    new = new_message(4, keywords=frozenset({DRAFT}))

    in_place = await store.messages.replace(account_id, inbox, Uid(2), inbox, new)
    elsewhere = await store.messages.replace(account_id, inbox, Uid(3), trash, new)

    assert (in_place.uid, elsewhere.uid) == (4, 1)
    assert [one.uid for one in await store.messages.placements(account_id, inbox)] == [1, 4]
    assert [one.keywords_text for one in await store.messages.placements(account_id, trash)] == [DRAFT]
    assert await store.messages.read(account_id, in_place.message_id) == new.raw
    rows = await store.changes.since(account_id, before, mailbox_id=inbox, limit=10)
    assert [(row.kind, row.uid) for row in rows] == [
        (ChangeKind.DESTROYED, 2),
        (ChangeKind.CREATED, 4),
        (ChangeKind.DESTROYED, 3),
    ]
    assert bus.published[-1] == account_topic(account_id)


async def test_replace_counts_the_quota_of_afterwards(store: Store, account_id: AccountId, inbox: MailboxId) -> None:
    await store.messages.append(account_id, inbox, [new_message(1, size_bytes=800)])

    await store.messages.replace(account_id, inbox, Uid(1), inbox, new_message(2, size_bytes=900), quota_bytes=1_000)
    with pytest.raises(QuotaExceeded):
        await store.messages.replace(
            account_id, inbox, Uid(2), inbox, new_message(3, size_bytes=1_100), quota_bytes=1_000
        )

    assert [one.uid for one in await store.messages.placements(account_id, inbox)] == [2]


@pytest.mark.parametrize(("uid", "target"), [(9, None), (1, 4711)])
async def test_a_replace_that_fails_leaves_all_as_it_was(
    store: Store, account_id: AccountId, inbox: MailboxId, uid: int, target: int | None
) -> None:
    await store.messages.append(account_id, inbox, [new_message(1)])
    before = await store.mailboxes.status(account_id, inbox)

    with pytest.raises(Conflict if target is None else NotFound):
        await store.messages.replace(
            account_id,
            inbox,
            Uid(uid),
            inbox if target is None else MailboxId(target),
            new_message(2, size_bytes=LARGE_BYTES),
        )

    assert await store.mailboxes.status(account_id, inbox) == before
    assert await store.messages.used_bytes(account_id) == before.size_bytes
