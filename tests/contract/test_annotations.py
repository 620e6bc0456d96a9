"""ports.annotations on every engine."""

from collections.abc import Mapping

import pytest

from mailstack.model.annotation import MAX_TOTAL_OCTETS, SORT_ORDER
from mailstack.model.errors import NotFound, TooMany
from mailstack.model.ids import AccountId, MailboxId
from mailstack.model.mailbox import MailboxRole
from mailstack.ports.store import Store
from tests.support.stores import mailbox_with

VIEWER = AccountId("f" * 16)
OTHER = AccountId("e" * 16)


@pytest.fixture
async def inbox(store: Store, account_id: AccountId) -> MailboxId:
    return await mailbox_with(store, account_id, MailboxRole.INBOX)


async def change(
    store: Store,
    account_id: AccountId,
    mailbox_id: MailboxId | None,
    viewer: AccountId = VIEWER,
    *,
    limit: int = 10,
    **entries: bytes | None,
) -> None:
    """entries: private_x for /private/x."""
    named = [(f"/{name.replace('_', '/')}", value) for name, value in entries.items()]
    await store.annotations.change(account_id, mailbox_id, named, viewer=viewer, limit=limit)


async def read(
    store: Store, account_id: AccountId, mailbox_id: MailboxId | None, viewer: AccountId = VIEWER
) -> Mapping[str, bytes]:
    return await store.annotations.read(account_id, mailbox_id, viewer=viewer)


async def test_set_replace_and_remove(store: Store, account_id: AccountId, inbox: MailboxId) -> None:
    await change(store, account_id, inbox, private_a=b"1", shared_b=b"\0\xff")
    await change(store, account_id, inbox, private_a=b"2")
    assert await read(store, account_id, inbox) == {"/private/a": b"2", "/shared/b": b"\0\xff"}
    await change(store, account_id, inbox, private_a=None)
    assert await read(store, account_id, inbox) == {"/shared/b": b"\0\xff"}


async def test_private_entries_are_each_viewer_s_own(store: Store, account_id: AccountId, inbox: MailboxId) -> None:
    await change(store, account_id, inbox, private_a=b"mine", shared_b=b"ours")
    await change(store, account_id, inbox, OTHER, private_a=b"theirs")
    assert await read(store, account_id, inbox) == {"/private/a": b"mine", "/shared/b": b"ours"}
    assert await read(store, account_id, inbox, OTHER) == {"/private/a": b"theirs", "/shared/b": b"ours"}


async def test_the_account_s_own_entries_are_apart(store: Store, account_id: AccountId, inbox: MailboxId) -> None:
    await change(store, account_id, None, private_a=b"server")
    assert await read(store, account_id, None) == {"/private/a": b"server"}
    assert await read(store, account_id, inbox) == {}
    assert await store.annotations.read_all(account_id, viewer=VIEWER) == {}


async def test_all_mailboxes_at_once(store: Store, account_id: AccountId, inbox: MailboxId) -> None:
    sent = await mailbox_with(store, account_id, MailboxRole.SENT)
    await change(store, account_id, inbox, shared_a=b"1")
    await change(store, account_id, sent, private_a=b"2")
    assert await store.annotations.read_all(account_id, viewer=VIEWER) == {
        inbox: {"/shared/a": b"1"},
        sent: {"/private/a": b"2"},
    }


async def test_more_than_the_limit_changes_nothing(store: Store, account_id: AccountId, inbox: MailboxId) -> None:
    await change(store, account_id, inbox, shared_a=b"1")
    with pytest.raises(TooMany):
        await change(store, account_id, inbox, limit=2, shared_b=b"1", shared_c=b"1")
    assert await read(store, account_id, inbox) == {"/shared/a": b"1"}


async def test_nobody_uses_up_what_others_may_set(store: Store, account_id: AccountId, inbox: MailboxId) -> None:
    await change(store, account_id, inbox, OTHER, limit=2, private_a=b"1", private_b=b"1")
    with pytest.raises(TooMany):
        await change(store, account_id, inbox, OTHER, limit=2, private_c=b"1")
    await change(store, account_id, inbox, limit=2, private_a=b"1", private_b=b"1", shared_a=b"1", shared_b=b"1")
    with pytest.raises(TooMany):
        await change(store, account_id, inbox, OTHER, limit=2, shared_c=b"1")


async def test_an_account_has_an_end(store: Store, account_id: AccountId) -> None:
    value = b"x" * (MAX_TOTAL_OCTETS // 2)
    for name in ("one", "two"):
        made = await store.mailboxes.create(account_id, parent_id=None, name=name)
        await change(store, account_id, made.mailbox_id, private_a=value)
    made = await store.mailboxes.create(account_id, parent_id=None, name="three")
    with pytest.raises(TooMany):
        await change(store, account_id, made.mailbox_id, private_a=b"x")
    await change(store, account_id, made.mailbox_id, shared_a=b"x")
    await change(store, account_id, made.mailbox_id, OTHER, private_a=b"x")


async def test_what_changes_nothing_is_no_change(store: Store, account_id: AccountId, inbox: MailboxId) -> None:
    await change(store, account_id, inbox, shared_a=b"1")
    before = await store.changes.mod_seq(account_id)
    await change(store, account_id, inbox, shared_a=b"1", shared_b=None)
    assert await store.changes.mod_seq(account_id) == before


async def test_a_change_is_one_row_in_the_log(store: Store, account_id: AccountId, inbox: MailboxId) -> None:
    before = await store.changes.mod_seq(account_id)
    await change(store, account_id, inbox, shared_a=b"1", shared_b=b"1")
    (row,) = await store.changes.since(account_id, before)
    assert (row.mailbox_id, row.uid) == (inbox, None)


async def test_entries_go_with_their_mailbox(store: Store, account_id: AccountId) -> None:
    made = await store.mailboxes.create(account_id, parent_id=None, name="made")
    await change(store, account_id, made.mailbox_id, shared_a=b"1")
    await store.mailboxes.destroy(account_id, made.mailbox_id)
    with pytest.raises(NotFound):
        await read(store, account_id, made.mailbox_id)
    with pytest.raises(NotFound):
        await change(store, account_id, made.mailbox_id, shared_a=b"1")


async def test_one_entry_of_all_mailboxes(store: Store, account_id: AccountId, inbox: MailboxId) -> None:
    trash = await mailbox_with(store, account_id, MailboxRole.TRASH)
    await change(store, account_id, inbox, private_a=b"1", shared_a=b"2")
    await change(store, account_id, trash, OTHER, private_a=b"3", shared_a=b"4")
    await change(store, account_id, None, private_a=b"5")
    assert await store.annotations.values(account_id, "/private/a", viewer=VIEWER) == {inbox: b"1"}
    assert await store.annotations.values(account_id, "/shared/a", viewer=VIEWER) == {inbox: b"2", trash: b"4"}


async def test_where_a_mailbox_stands_does_not_count(store: Store, account_id: AccountId, inbox: MailboxId) -> None:
    await change(store, account_id, inbox, limit=1, private_a=b"1")
    await store.annotations.change(account_id, inbox, [(SORT_ORDER, b"7")], viewer=VIEWER, limit=1)
    with pytest.raises(TooMany):
        await change(store, account_id, inbox, limit=1, private_b=b"1")
    assert await store.annotations.values(account_id, SORT_ORDER, viewer=VIEWER) == {inbox: b"7"}
