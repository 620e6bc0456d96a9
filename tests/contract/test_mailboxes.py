"""ports.mailboxes on every engine."""

from random import Random

import pytest

from mailstack.model.errors import AlreadyExists, Conflict, Forbidden, Invalid, NotFound
from mailstack.model.flags import SEEN
from mailstack.model.ids import AccountId, MailboxId, Uid
from mailstack.model.mailbox import STANDARD_MAILBOXES, MailboxRole
from mailstack.model.message import FlagChange, FlagOperation
from mailstack.ports.bus import account_topic
from mailstack.ports.store import Store
from tests.support.recording_bus import RecordingBus
from tests.support.stores import mailbox_with, new_message, uids

NOWHERE = MailboxId(999)


@pytest.mark.in_memory
async def test_standard_mailboxes_are_there_from_the_first_use(store: Store, account_id: AccountId) -> None:
    listed = await store.mailboxes.list(account_id)
    assert list(STANDARD_MAILBOXES) == [(mailbox.name, mailbox.role) for mailbox in listed]
    assert all(mailbox.is_subscribed and mailbox.parent_id is None for mailbox in listed)
    assert len({mailbox.uid_validity for mailbox in listed}) == len(listed)


async def test_an_account_that_is_not_in_the_directory_has_none(store: Store) -> None:
    with pytest.raises(NotFound):
        await store.mailboxes.list(AccountId("0123456789abcdef"))


@pytest.mark.in_memory
async def test_a_path_is_found_from_the_top_down(store: Store, account_id: AccountId) -> None:
    work = await store.mailboxes.create(account_id, parent_id=None, name="Work")
    made = await store.mailboxes.create(account_id, parent_id=work.mailbox_id, name="2026")
    assert await store.mailboxes.find(account_id, ("Work",)) == work
    assert await store.mailboxes.find(account_id, ("Work", "2026")) == made
    for names in (("2026",), ("Work", "2026", "2026"), ("Work", "work"), ("Nothing", "2026"), ()):
        assert await store.mailboxes.find(account_id, names) is None


async def test_who_has_children(store: Store, account_id: AccountId) -> None:
    work = await store.mailboxes.create(account_id, parent_id=None, name="Work")
    made = await store.mailboxes.create(account_id, parent_id=work.mailbox_id, name="2026")
    assert await store.mailboxes.has_children(account_id, work.mailbox_id)
    assert not await store.mailboxes.has_children(account_id, made.mailbox_id)


@pytest.mark.in_memory
async def test_create_below_a_parent(store: Store, account_id: AccountId, bus: RecordingBus) -> None:
    work = await store.mailboxes.create(account_id, parent_id=None, name="Work")
    made = await store.mailboxes.create(account_id, parent_id=work.mailbox_id, name="2026")
    assert made in await store.mailboxes.list(account_id)
    assert (work.mailbox_id, "2026", None, Uid(1), False) == (
        made.parent_id,
        made.name,
        made.role,
        made.status.uid_next,
        made.is_subscribed,
    )
    assert bus.published[-1] == account_topic(account_id)


@pytest.mark.in_memory
@pytest.mark.parametrize("name", ["Drafts", "INBOX", "inbox", "InBox"])
async def test_a_taken_name_is_refused(store: Store, account_id: AccountId, name: str) -> None:
    with pytest.raises(AlreadyExists):
        await store.mailboxes.create(account_id, parent_id=None, name=name)


@pytest.mark.in_memory
async def test_a_name_is_taken_only_among_siblings_and_in_its_own_case(store: Store, account_id: AccountId) -> None:
    work = await store.mailboxes.create(account_id, parent_id=None, name="Work")
    await store.mailboxes.create(account_id, parent_id=work.mailbox_id, name="Work")
    await store.mailboxes.create(account_id, parent_id=None, name="work")
    await store.mailboxes.create(account_id, parent_id=work.mailbox_id, name="Inbox")


@pytest.mark.in_memory
async def test_a_taken_role_is_refused(store: Store, account_id: AccountId) -> None:
    with pytest.raises(AlreadyExists):
        await store.mailboxes.create(account_id, parent_id=None, name="Bin", role=MailboxRole.TRASH)


@pytest.mark.in_memory
async def test_create_below_nothing_is_not_found(store: Store, account_id: AccountId) -> None:
    with pytest.raises(NotFound):
        await store.mailboxes.create(account_id, parent_id=NOWHERE, name="x")


async def test_a_mailbox_made_anew_has_another_id_and_a_larger_uid_validity(
    store: Store, account_id: AccountId
) -> None:
    first = await store.mailboxes.create(account_id, parent_id=None, name="Work")
    await store.mailboxes.destroy(account_id, first.mailbox_id)
    second = await store.mailboxes.create(account_id, parent_id=None, name="Work")
    assert second.uid_validity > first.uid_validity
    assert second.mailbox_id > first.mailbox_id


async def test_rename_moves_within_the_tree_and_keeps_what_lies_in_it(store: Store, account_id: AccountId) -> None:
    work = await store.mailboxes.create(account_id, parent_id=None, name="Work")
    other = await store.mailboxes.create(account_id, parent_id=None, name="Other")
    await store.messages.append(account_id, work.mailbox_id, [new_message()])
    await store.mailboxes.rename(account_id, work.mailbox_id, parent_id=other.mailbox_id, name="Done")
    renamed = {mailbox.mailbox_id: mailbox for mailbox in await store.mailboxes.list(account_id)}[work.mailbox_id]
    assert (other.mailbox_id, "Done", work.uid_validity) == (renamed.parent_id, renamed.name, renamed.uid_validity)
    assert (await store.mailboxes.status(account_id, work.mailbox_id)).messages == 1


async def test_rename_to_a_taken_name_below_itself_or_of_the_inbox_is_refused(
    store: Store, account_id: AccountId
) -> None:
    work = await store.mailboxes.create(account_id, parent_id=None, name="Work")
    below = await store.mailboxes.create(account_id, parent_id=work.mailbox_id, name="Below")
    inbox = await mailbox_with(store, account_id, MailboxRole.INBOX)
    with pytest.raises(AlreadyExists):
        await store.mailboxes.rename(account_id, work.mailbox_id, parent_id=None, name="Trash")
    for parent_id in (work.mailbox_id, below.mailbox_id):
        with pytest.raises(Invalid):
            await store.mailboxes.rename(account_id, work.mailbox_id, parent_id=parent_id, name="Work")
    with pytest.raises(Forbidden):
        await store.mailboxes.rename(account_id, inbox, parent_id=None, name="Work2")
    with pytest.raises(NotFound):
        await store.mailboxes.rename(account_id, NOWHERE, parent_id=None, name="x")


async def test_subscribe_and_unsubscribe(store: Store, account_id: AccountId) -> None:
    inbox = await mailbox_with(store, account_id, MailboxRole.INBOX)
    await store.mailboxes.subscribe(account_id, inbox, is_subscribed=False)
    assert not (await store.mailboxes.list(account_id))[0].is_subscribed
    before = await store.changes.mod_seq(account_id)
    await store.mailboxes.subscribe(account_id, inbox, is_subscribed=False)
    assert await store.changes.mod_seq(account_id) == before


async def test_status_counts_what_lies_in_the_mailbox(store: Store, account_id: AccountId) -> None:
    inbox = await mailbox_with(store, account_id, MailboxRole.INBOX)
    messages = [
        new_message(1, size_bytes=300),
        new_message(2, size_bytes=400, keywords=frozenset({SEEN})),
        new_message(3, is_deleted=True),
    ]
    appended = await store.messages.append(account_id, inbox, messages)
    status = await store.mailboxes.status(account_id, inbox)
    assert (3, 2, 1, sum(len(message.raw) for message in messages), 4, appended[-1].mod_seq) == (
        status.messages,
        status.unseen,
        status.deleted,
        status.size_bytes,
        status.uid_next,
        status.highest_mod_seq,
    )


async def test_destroy_takes_the_messages_that_lie_nowhere_else(store: Store, account_id: AccountId) -> None:
    work = await store.mailboxes.create(account_id, parent_id=None, name="Work")
    inbox = await mailbox_with(store, account_id, MailboxRole.INBOX)
    first, second = await store.messages.append(account_id, work.mailbox_id, [new_message(1), new_message(2)])
    await store.messages.copy(account_id, work.mailbox_id, uids(first.uid), inbox)
    await store.mailboxes.destroy(account_id, work.mailbox_id)
    ids = [
        stored.message_id for stored in await store.messages.stored(account_id, [first.message_id, second.message_id])
    ]
    assert [first.message_id] == ids
    assert await store.messages.read(account_id, first.message_id) == new_message(1).raw
    with pytest.raises(NotFound):
        await store.mailboxes.status(account_id, work.mailbox_id)


async def test_destroy_of_a_parent_of_the_inbox_or_of_nothing_is_refused(store: Store, account_id: AccountId) -> None:
    work = await store.mailboxes.create(account_id, parent_id=None, name="Work")
    await store.mailboxes.create(account_id, parent_id=work.mailbox_id, name="Below")
    with pytest.raises(Conflict):
        await store.mailboxes.destroy(account_id, work.mailbox_id)
    with pytest.raises(Forbidden):
        await store.mailboxes.destroy(account_id, await mailbox_with(store, account_id, MailboxRole.INBOX))
    with pytest.raises(NotFound):
        await store.mailboxes.destroy(account_id, NOWHERE)


async def test_a_role_goes_from_one_mailbox_to_another(store: Store, account_id: AccountId) -> None:
    drafts = await mailbox_with(store, account_id, MailboxRole.DRAFTS)
    made = await store.mailboxes.create(account_id, parent_id=None, name="made")
    await store.mailboxes.assign_role(account_id, made.mailbox_id, MailboxRole.DRAFTS)
    assert await mailbox_with(store, account_id, MailboxRole.DRAFTS) == made.mailbox_id
    roles = {mailbox.mailbox_id: mailbox.role for mailbox in await store.mailboxes.list(account_id)}
    assert roles[drafts] is None
    await store.mailboxes.assign_role(account_id, made.mailbox_id, None)
    roles = {mailbox.mailbox_id: mailbox.role for mailbox in await store.mailboxes.list(account_id)}
    assert roles[made.mailbox_id] is None


async def test_the_inbox_keeps_its_role(store: Store, account_id: AccountId) -> None:
    inbox = await mailbox_with(store, account_id, MailboxRole.INBOX)
    made = await store.mailboxes.create(account_id, parent_id=None, name="made")
    for mailbox_id, role in ((inbox, None), (inbox, MailboxRole.JUNK), (made.mailbox_id, MailboxRole.INBOX)):
        with pytest.raises(Forbidden):
            await store.mailboxes.assign_role(account_id, mailbox_id, role)


async def test_keywords_are_all_that_were_ever_used_there(store: Store, account_id: AccountId) -> None:
    inbox = await mailbox_with(store, account_id, MailboxRole.INBOX)
    trash = await mailbox_with(store, account_id, MailboxRole.TRASH)
    await store.messages.append(account_id, inbox, [new_message(keywords=frozenset({SEEN, "b"})), new_message()])
    await store.messages.copy(account_id, inbox, uids(1), trash)
    change = FlagChange(operation=FlagOperation.SET, keywords=frozenset({"a"}), is_deleted=False)
    await store.messages.change_flags(account_id, inbox, uids(1), change)
    assert await store.mailboxes.keywords(account_id, inbox) == ["a", "b"]
    assert await store.mailboxes.keywords(account_id, trash) == ["a", "b"]
    assert await store.mailboxes.keywords(account_id, NOWHERE) == []


async def test_names_without_a_mailbox_that_are_subscribed_to(store: Store, account_id: AccountId) -> None:
    for path in ("a/b", "a/b", "c"):
        await store.mailboxes.subscribe_absent(account_id, path, is_subscribed=True)
    await store.mailboxes.subscribe_absent(account_id, "c", is_subscribed=False)
    assert await store.mailboxes.absent_subscriptions(account_id) == {"a/b"}


async def test_a_path_of_any_length_that_clients_may_use_can_be_subscribed_to(
    store: Store, account_id: AccountId
) -> None:
    chance = Random(1)
    paths = ["/".join("".join(chr(chance.randrange(0x4E00, 0x9FA0)) for _ in range(84)) for _ in range(11))]
    paths.append(paths[0][:-1])
    for path in (*paths, *paths):
        await store.mailboxes.subscribe_absent(account_id, path, is_subscribed=True)
    assert await store.mailboxes.absent_subscriptions(account_id) == set(paths)
    await store.mailboxes.subscribe_absent(account_id, paths[0], is_subscribed=False)
    assert await store.mailboxes.absent_subscriptions(account_id) == {paths[1]}
