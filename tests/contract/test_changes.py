"""ports.changes on every engine."""

import pytest

from mailstack.model.changes import Change, ChangedType, ChangeKind, LogHead
from mailstack.model.flags import SEEN
from mailstack.model.ids import AccountId, MailboxId, MessageId, ModSeq, Uid
from mailstack.model.mailbox import MailboxRole
from mailstack.model.message import FlagChange, FlagOperation
from mailstack.model.numset import NumSet
from mailstack.ports.store import Store
from tests.support.stores import mailbox_with, make_account, new_message, uids

EVERY = NumSet(((1, 2**32 - 1),))
SEE = FlagChange(operation=FlagOperation.ADD, keywords=frozenset({SEEN}), is_deleted=False)
DELETE = FlagChange(operation=FlagOperation.ADD, keywords=frozenset(), is_deleted=True)


@pytest.fixture
async def inbox(store: Store, account_id: AccountId) -> MailboxId:
    return await mailbox_with(store, account_id, MailboxRole.INBOX)


def of_message(mod_seq: int, kind: ChangeKind, mailbox_id: MailboxId, message_id: int, uid: int) -> Change:
    return Change(
        mod_seq=ModSeq(mod_seq),
        type=ChangedType.MESSAGE,
        kind=kind,
        mailbox_id=mailbox_id,
        message_id=MessageId(message_id),
        uid=Uid(uid),
    )


async def test_every_write_leaves_its_rows_under_one_mod_seq_each(
    store: Store, account_id: AccountId, inbox: MailboxId
) -> None:
    start = await store.changes.mod_seq(account_id)
    await store.messages.append(account_id, inbox, [new_message(1), new_message(2)])
    await store.messages.change_flags(account_id, inbox, uids(2), SEE)
    await store.messages.change_flags(account_id, inbox, uids(1), DELETE)
    await store.messages.expunge(account_id, inbox)
    assert await store.changes.since(account_id, start) == [
        of_message(start + 1, ChangeKind.CREATED, inbox, 1, 1),
        of_message(start + 1, ChangeKind.CREATED, inbox, 2, 2),
        of_message(start + 2, ChangeKind.UPDATED, inbox, 2, 2),
        of_message(start + 3, ChangeKind.UPDATED, inbox, 1, 1),
        of_message(start + 4, ChangeKind.DESTROYED, inbox, 1, 1),
    ]
    assert await store.changes.mod_seq(account_id) == start + 4


async def test_a_move_leaves_a_tombstone_and_a_new_place(store: Store, account_id: AccountId, inbox: MailboxId) -> None:
    trash = await mailbox_with(store, account_id, MailboxRole.TRASH)
    await store.messages.append(account_id, inbox, [new_message()])
    start = await store.changes.mod_seq(account_id)
    await store.messages.move(account_id, inbox, EVERY, trash)
    changes = await store.changes.since(account_id, start)
    assert {(ChangeKind.DESTROYED, inbox), (ChangeKind.CREATED, trash)} == {
        (change.kind, change.mailbox_id) for change in changes
    }


async def test_a_keyword_change_is_logged_in_every_mailbox_of_the_message(
    store: Store, account_id: AccountId, inbox: MailboxId
) -> None:
    trash = await mailbox_with(store, account_id, MailboxRole.TRASH)
    await store.messages.append(account_id, inbox, [new_message()])
    await store.messages.copy(account_id, inbox, EVERY, trash)
    start = await store.changes.mod_seq(account_id)
    await store.messages.change_flags(account_id, trash, EVERY, SEE)
    assert [inbox, trash] == [change.mailbox_id for change in await store.changes.since(account_id, start)]


async def test_mailboxes_come_and_go_in_the_log(store: Store, account_id: AccountId) -> None:
    start = await store.changes.mod_seq(account_id)
    made = await store.mailboxes.create(account_id, parent_id=None, name="Work")
    await store.mailboxes.rename(account_id, made.mailbox_id, parent_id=None, name="Play")
    await store.messages.append(account_id, made.mailbox_id, [new_message()])
    await store.mailboxes.destroy(account_id, made.mailbox_id)
    found = [(change.type, change.kind, change.uid) for change in await store.changes.since(account_id, start)]
    assert found == [
        (ChangedType.MAILBOX, ChangeKind.CREATED, None),
        (ChangedType.MAILBOX, ChangeKind.UPDATED, None),
        (ChangedType.MESSAGE, ChangeKind.CREATED, 1),
        (ChangedType.MAILBOX, ChangeKind.DESTROYED, None),
        (ChangedType.MESSAGE, ChangeKind.DESTROYED, 1),
    ]


async def test_since_one_mailbox(store: Store, account_id: AccountId, inbox: MailboxId) -> None:
    trash = await mailbox_with(store, account_id, MailboxRole.TRASH)
    start = await store.changes.mod_seq(account_id)
    await store.messages.append(account_id, inbox, [new_message()])
    await store.messages.append(account_id, trash, [new_message()])
    found = await store.changes.since(account_id, start, mailbox_id=trash)
    assert found == [of_message(start + 2, ChangeKind.CREATED, trash, 2, 1)]


async def test_since_the_highest_is_nothing(store: Store, account_id: AccountId) -> None:
    assert list(await store.changes.since(account_id, await store.changes.mod_seq(account_id))) == []


async def test_a_limit_never_parts_the_changes_of_one_mod_seq(
    store: Store, account_id: AccountId, inbox: MailboxId
) -> None:
    start = await store.changes.mod_seq(account_id)
    await store.messages.append(account_id, inbox, [new_message(1)])
    await store.messages.append(account_id, inbox, [new_message(number) for number in range(2, 402)])
    await store.messages.append(account_id, inbox, [new_message(999)])
    sizes = []
    while changes := await store.changes.since(account_id, start, limit=100):
        sizes.append(len(changes))
        start = changes[-1].mod_seq
    assert sizes == [1, 400, 1]


async def test_destroyed_since_names_what_left_this_mailbox(
    store: Store, account_id: AccountId, inbox: MailboxId
) -> None:
    trash = await mailbox_with(store, account_id, MailboxRole.TRASH)
    await store.messages.append(account_id, inbox, [new_message(number) for number in range(5)])
    before = await store.changes.mod_seq(account_id)
    await store.messages.move(account_id, inbox, uids(4), trash)
    between = await store.changes.mod_seq(account_id)
    await store.messages.change_flags(account_id, inbox, uids(1, 2), DELETE)
    await store.messages.expunge(account_id, inbox)
    assert await store.changes.destroyed_since(account_id, inbox, before) == [1, 2, 4]
    assert await store.changes.destroyed_since(account_id, inbox, between) == [1, 2]
    assert await store.changes.destroyed_since(account_id, trash, before) == []


async def test_the_heads_of_many_accounts_are_told_together(store: Store, account_id: AccountId) -> None:
    other = await make_account(store, "bob@example.com")
    empty = await make_account(store, "carol@example.com")
    gone = AccountId("0123456789abcdef")
    await store.messages.append(other, await mailbox_with(store, other, MailboxRole.INBOX), [new_message()])
    inbox = await mailbox_with(store, account_id, MailboxRole.INBOX)
    before = await store.changes.heads([account_id, other])
    (appended,) = await store.messages.append(account_id, inbox, [new_message()])
    after = await store.changes.heads([account_id, other, gone])
    used_bytes = await store.messages.used_bytes(account_id)
    assert after == {
        account_id: LogHead(ModSeq(before[account_id].mod_seq + 1), appended.message_id, used_bytes),
        other: before[other],
    }
    assert after[account_id].mod_seq == await store.changes.mod_seq(account_id)
    await store.messages.change_flags(account_id, inbox, uids(1), DELETE)
    await store.messages.expunge(account_id, inbox)
    (expunged,) = (await store.changes.heads([account_id])).values()
    assert (expunged.message_id, expunged.used_bytes) == (appended.message_id, 0)
    assert await store.changes.heads([empty]) == {}
    assert await store.changes.heads([]) == {}
