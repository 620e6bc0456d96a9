"""ports.sharing on every engine."""

import pytest

from mailstack.model.errors import NotFound, TooMany
from mailstack.model.ids import AccountId, MailboxId
from mailstack.model.instant import SECOND_MS
from mailstack.model.mailbox import MailboxRole
from mailstack.model.rights import Grant, RightsOperation, parse_rights, rights_text
from mailstack.ports.bus import account_topic
from mailstack.ports.store import Store
from tests.support.fake_clock import FakeClock
from tests.support.recording_bus import RecordingBus
from tests.support.stores import mailbox_with, make_account

NOWHERE = MailboxId(999)


@pytest.fixture
async def inbox(store: Store, account_id: AccountId) -> MailboxId:
    return await mailbox_with(store, account_id, MailboxRole.INBOX)


@pytest.fixture
async def bob(store: Store) -> AccountId:
    return await make_account(store, "bob@example.com")


def for_bob(bob: AccountId, rights: str = "lr", *, identifier: str = "bob@example.com") -> Grant:
    return Grant(identifier=identifier, account_id=bob, rights=parse_rights(rights))


def for_all(rights: str = "lr", *, identifier: str = "anyone") -> Grant:
    return Grant(identifier=identifier, account_id=None, rights=parse_rights(rights))


async def test_grants_are_kept_by_identifier(
    store: Store, account_id: AccountId, inbox: MailboxId, bob: AccountId
) -> None:
    await store.sharing.change(account_id, inbox, for_bob(bob))
    await store.sharing.change(account_id, inbox, for_all("l"))
    assert [for_all("l"), for_bob(bob)] == list(await store.sharing.grants(account_id, inbox))
    assert {inbox: [for_all("l"), for_bob(bob)]} == dict(await store.sharing.all_grants(account_id))


async def test_set_add_remove(store: Store, account_id: AccountId, inbox: MailboxId, bob: AccountId) -> None:
    async def change(operation: RightsOperation, rights: str) -> str:
        return rights_text(await store.sharing.change(account_id, inbox, for_bob(bob, rights), operation))

    assert await change(RightsOperation.ADD, "l") == "l"
    assert await change(RightsOperation.ADD, "rs") == "lrs"
    assert await change(RightsOperation.REMOVE, "r") == "ls"
    assert await change(RightsOperation.SET, "w") == "w"
    assert await change(RightsOperation.REMOVE, "w") == ""
    assert not await store.sharing.grants(account_id, inbox)


@pytest.mark.parametrize(
    ("operation", "rights", "left"),
    [(RightsOperation.ADD, "l", "l"), (RightsOperation.REMOVE, "l", ""), (RightsOperation.SET, "lr", "lr")],
)
async def test_a_later_account_of_the_same_login_inherits_nothing(
    store: Store, account_id: AccountId, inbox: MailboxId, bob: AccountId, operation: RightsOperation, rights: str,
    left: str,
) -> None:  # fmt: skip
    gone = AccountId("0" * 16)
    await store.sharing.change(account_id, inbox, for_bob(gone, "lrswite"))
    assert rights_text(await store.sharing.change(account_id, inbox, for_bob(bob, rights), operation)) == left
    assert list(await store.sharing.grants(account_id, inbox)) == ([for_bob(bob, left)] if left else [])


async def test_a_change_is_one_row_in_the_log_and_announced(
    store: Store, account_id: AccountId, inbox: MailboxId, bob: AccountId, bus: RecordingBus
) -> None:
    before = await store.changes.mod_seq(account_id)
    await store.sharing.change(account_id, inbox, for_bob(bob))
    await store.sharing.change(account_id, inbox, for_bob(bob))
    (row,) = await store.changes.since(account_id, before)
    assert (row.mailbox_id, row.uid) == (inbox, None)
    assert account_topic(account_id) in bus.published


async def test_no_such_mailbox(store: Store, account_id: AccountId, bob: AccountId) -> None:
    with pytest.raises(NotFound):
        await store.sharing.grants(account_id, NOWHERE)
    with pytest.raises(NotFound):
        await store.sharing.change(account_id, NOWHERE, for_bob(bob))


async def test_a_list_has_an_end(store: Store, account_id: AccountId, inbox: MailboxId) -> None:
    for number in range(500):
        grant = Grant(identifier=f"a{number}@example.com", account_id=None, rights=parse_rights("l"))
        await store.sharing.change(account_id, inbox, grant)
    with pytest.raises(TooMany):
        await store.sharing.change(account_id, inbox, for_all())
    assert len(await store.sharing.grants(account_id, inbox)) == 500


async def test_a_child_inherits(store: Store, account_id: AccountId, inbox: MailboxId, bob: AccountId) -> None:
    await store.sharing.change(account_id, inbox, for_bob(bob))
    child = await store.mailboxes.create(account_id, parent_id=inbox, name="child")
    await store.sharing.inherit(account_id, parent=inbox, child=child.mailbox_id)
    assert [for_bob(bob)] == list(await store.sharing.grants(account_id, child.mailbox_id))


async def test_a_list_goes_with_its_mailbox(store: Store, account_id: AccountId, bob: AccountId) -> None:
    """RFC 4314 §4: DELETE deletes the list."""
    made = await store.mailboxes.create(account_id, parent_id=None, name="made")
    await store.sharing.change(account_id, made.mailbox_id, for_bob(bob))
    await store.mailboxes.destroy(account_id, made.mailbox_id)
    assert not await store.sharing.all_grants(account_id)


async def test_owners_are_found_by_who_they_share_with(
    store: Store, account_id: AccountId, inbox: MailboxId, bob: AccountId
) -> None:
    carol = await make_account(store, "carol@example.com")
    await store.sharing.change(account_id, inbox, for_bob(bob))
    assert [account_id] == list(await store.sharing.owners(bob))
    assert not await store.sharing.owners(carol)
    assert await store.sharing.owners_of_many([bob, carol]) == {bob: [account_id], carol: []}
    await store.sharing.change(account_id, inbox, for_all(identifier="authenticated"))
    assert [account_id] == list(await store.sharing.owners(carol))
    assert not await store.sharing.owners(account_id)
    of_many = await store.sharing.owners_of_many([bob, carol, account_id])
    assert of_many == {bob: [account_id], carol: [account_id], account_id: []}
    assert await store.sharing.owners_of_many([]) == {}


async def test_the_index_may_name_too_much_and_is_mended(
    store: Store, account_id: AccountId, inbox: MailboxId, bob: AccountId, clock: FakeClock
) -> None:
    """The lists are the truth. An entry of the last hour is left: its list may be on its way in another process."""
    await store.sharing.change(account_id, inbox, for_bob(bob))
    await store.sharing.change(account_id, inbox, for_bob(bob, ""))
    await store.sharing.forget(bob, account_id)
    assert [account_id] == list(await store.sharing.owners(bob))
    clock.advance(3601 * SECOND_MS)
    await store.sharing.forget(bob, account_id)
    assert not await store.sharing.owners(bob)


async def test_the_index_is_made_again_from_the_lists(
    store: Store, account_id: AccountId, inbox: MailboxId, bob: AccountId, clock: FakeClock
) -> None:
    await store.sharing.change(account_id, inbox, for_bob(bob))
    await store.sharing.change(account_id, inbox, for_all())
    nobody = Grant(identifier="nobody@example.com", account_id=None, rights=parse_rights("l"))
    await store.sharing.change(account_id, inbox, nobody)
    assert await store.sharing.note_all(account_id) == 0
    # As in a copy of the index that is older than the lists.
    clock.advance(3601 * SECOND_MS)
    await store.sharing.forget(bob, account_id)
    await store.sharing.forget(None, account_id)
    assert not await store.sharing.owners(bob)
    assert await store.sharing.note_all(account_id) == 2
    assert list(await store.sharing.owners(bob)) == [account_id]


async def test_subscriptions_to_others(store: Store, account_id: AccountId, inbox: MailboxId, bob: AccountId) -> None:
    start = await store.changes.mod_seq(account_id)
    told = [await store.sharing.subscribe(bob, account_id, inbox, is_subscribed=True) for _ in range(2)]
    assert await store.sharing.subscriptions(bob) == {(account_id, inbox)}
    told += [await store.sharing.subscribe(bob, account_id, inbox, is_subscribed=False) for _ in range(2)]
    assert not await store.sharing.subscriptions(bob)
    # Seen in the account where it is looked for.
    assert told == [start + 1, None, start + 2, None]
    assert [row.mod_seq for row in await store.changes.since(account_id, start)] == [start + 1, start + 2]


async def test_a_subscription_to_nothing_tells_nobody(store: Store, account_id: AccountId, bob: AccountId) -> None:
    for owner in (account_id, AccountId("0123456789abcdef")):
        assert await store.sharing.subscribe(bob, owner, MailboxId(999), is_subscribed=True) is None
