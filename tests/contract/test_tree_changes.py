"""ports.tree_changes on every engine."""

import pytest

from mailstack.model.annotation import SORT_ORDER
from mailstack.model.errors import AlreadyExists, Conflict, Forbidden, Invalid, NotFound
from mailstack.model.ids import AccountId, MailboxId, ModSeq
from mailstack.model.mailbox import MailboxRole
from mailstack.model.mailbox_changes import Destroyed, MailboxChange, NewMailbox, Obstacle, shape_of
from mailstack.model.rights import Grant, parse_rights
from mailstack.ports.bus import account_topic
from mailstack.ports.store import Store
from tests.support.recording_bus import RecordingBus
from tests.support.stores import mailbox_with, new_message

NOWHERE = MailboxId(999)


async def made(store: Store, account_id: AccountId, name: str, parent_id: MailboxId | None = None) -> MailboxId:
    new = NewMailbox(parent_id=parent_id, name=name)
    return (await store.tree_changes.create(account_id, new, viewer=account_id)).mailbox_id


async def shapes(store: Store, account_id: AccountId) -> dict[MailboxId, tuple[object, ...]]:
    return {each.mailbox_id: shape_of(each) for each in await store.mailboxes.list(account_id)}


async def test_created_with_all_that_belongs_to_it(store: Store, account_id: AccountId, bus: RecordingBus) -> None:
    top = await made(store, account_id, "Top")
    grant = Grant(identifier="anyone", account_id=None, rights=parse_rights("lr"))
    await store.sharing.change(account_id, top, grant)
    await store.mailboxes.subscribe_absent(account_id, "Top/In", is_subscribed=True)
    start = await store.changes.mod_seq(account_id)
    new = NewMailbox(
        parent_id=top,
        name="In",
        is_subscribed=True,
        inherit_from=top,
        path="Top/In",
        entries=[(SORT_ORDER, b"7")],
    )
    mailbox = await store.tree_changes.create(account_id, new, viewer=account_id)
    assert mailbox in await store.mailboxes.list(account_id)
    assert (shape_of(mailbox), mailbox.is_subscribed) == ((top, "In", None), True)
    assert mailbox.status.highest_mod_seq == await store.changes.mod_seq(account_id) == start + 1
    assert await store.sharing.grants(account_id, mailbox.mailbox_id) == [grant]
    assert await store.annotations.values(account_id, SORT_ORDER, viewer=account_id) == {mailbox.mailbox_id: b"7"}
    assert await store.mailboxes.absent_subscriptions(account_id) == frozenset()
    assert bus.published[-1] == account_topic(account_id)


async def test_what_cannot_be_created_leaves_nothing(store: Store, account_id: AccountId) -> None:
    before, start = await shapes(store, account_id), await store.changes.mod_seq(account_id)
    for new, fault in (
        (NewMailbox(parent_id=NOWHERE, name="A"), NotFound),
        (NewMailbox(parent_id=None, name="Sent"), AlreadyExists),
        (NewMailbox(parent_id=None, name="A", role=MailboxRole.SENT), AlreadyExists),
    ):
        with pytest.raises(fault):
            await store.tree_changes.create(account_id, new, viewer=account_id)
    with pytest.raises(Conflict):
        await store.tree_changes.create(
            account_id, NewMailbox(parent_id=None, name="A"), viewer=account_id, if_mod_seq=ModSeq(start - 1)
        )
    assert (await shapes(store, account_id), await store.changes.mod_seq(account_id)) == (before, start)


async def test_names_and_roles_go_round(store: Store, account_id: AccountId, bus: RecordingBus) -> None:
    sent = await mailbox_with(store, account_id, MailboxRole.SENT)
    junk = await mailbox_with(store, account_id, MailboxRole.JUNK)
    top = await made(store, account_id, "Top")
    start = await store.changes.mod_seq(account_id)
    changes = {
        sent: MailboxChange(name="Junk", role=MailboxRole.JUNK),
        junk: MailboxChange(name="Top", role=MailboxRole.SENT, is_subscribed=False),
        top: MailboxChange(name="Sent", parent_id=None, entries=[(SORT_ORDER, b"1")]),
    }
    assert await store.tree_changes.update(account_id, changes, viewer=account_id, if_mod_seq=start) == start + 1
    after = await shapes(store, account_id)
    assert [after[one] for one in (sent, junk, top)] == [
        (None, "Junk", MailboxRole.JUNK),
        (None, "Top", MailboxRole.SENT),
        (None, "Sent", None),
    ]
    rows = await store.changes.since(account_id, start)
    assert {(row.mod_seq, row.mailbox_id) for row in rows} == {(start + 1, one) for one in (sent, junk, top)}
    subscribed = {each.mailbox_id: each.is_subscribed for each in await store.mailboxes.list(account_id)}
    assert (subscribed[sent], subscribed[junk]) == (True, False)
    assert bus.published[-1] == account_topic(account_id)


async def test_what_is_as_it_was_is_no_change(store: Store, account_id: AccountId) -> None:
    sent = await mailbox_with(store, account_id, MailboxRole.SENT)
    change = MailboxChange(name="Sent", role=MailboxRole.SENT, is_subscribed=True, entries=[(SORT_ORDER, None)])
    assert await store.tree_changes.update(account_id, {sent: change}, viewer=account_id) is None
    assert await store.tree_changes.update(account_id, {}, viewer=account_id) is None


async def test_one_that_does_not_fit_keeps_all_as_they_are(store: Store, account_id: AccountId) -> None:
    sent = await mailbox_with(store, account_id, MailboxRole.SENT)
    inbox = await mailbox_with(store, account_id, MailboxRole.INBOX)
    top = await made(store, account_id, "Top")
    below = await made(store, account_id, "Below", top)
    before, start = await shapes(store, account_id), await store.changes.mod_seq(account_id)
    for mailbox_id, change, fault in (
        (top, MailboxChange(name="Junk"), AlreadyExists),
        (top, MailboxChange(name="inbox"), AlreadyExists),
        (top, MailboxChange(role=MailboxRole.JUNK), AlreadyExists),
        (top, MailboxChange(parent_id=below), Invalid),
        (top, MailboxChange(parent_id=NOWHERE), NotFound),
        (top, MailboxChange(role=MailboxRole.INBOX), Forbidden),
        (inbox, MailboxChange(name="Other"), Forbidden),
        (inbox, MailboxChange(parent_id=top), Forbidden),
        (NOWHERE, MailboxChange(name="Other"), NotFound),
    ):
        changes = {sent: MailboxChange(name="Gone", entries=[(SORT_ORDER, b"3")]), mailbox_id: change}
        with pytest.raises(fault):
            await store.tree_changes.update(account_id, changes, viewer=account_id)
    changes = {sent: MailboxChange(name="Gone")}
    with pytest.raises(Conflict):
        await store.tree_changes.update(account_id, changes, viewer=account_id, if_mod_seq=ModSeq(start - 1))
    assert (await shapes(store, account_id), await store.changes.mod_seq(account_id)) == (before, start)
    assert await store.annotations.values(account_id, SORT_ORDER, viewer=account_id) == {}


async def test_destroyed_with_messages_only_where_that_is_said(store: Store, account_id: AccountId) -> None:
    top = await made(store, account_id, "Top")
    below = await made(store, account_id, "Below", top)
    await store.messages.append(account_id, below, [new_message()])
    destroy = store.tree_changes.destroy
    start = await store.changes.mod_seq(account_id)
    assert await destroy(account_id, top, with_messages=True) == Destroyed(None, Obstacle.CHILDREN)
    assert await destroy(account_id, below, with_messages=False) == Destroyed(None, Obstacle.MESSAGES)
    with pytest.raises(Conflict):
        await destroy(account_id, below, with_messages=True, if_mod_seq=ModSeq(start - 1))
    assert await store.changes.mod_seq(account_id) == start
    gone = await destroy(account_id, below, with_messages=True, path="Top/Below", if_mod_seq=start)
    assert gone == Destroyed(ModSeq(start + 1), None)
    assert await store.messages.used_bytes(account_id) == 0
    assert await store.mailboxes.absent_subscriptions(account_id) == {"Top/Below"}
    assert await destroy(account_id, top, with_messages=False) == Destroyed(ModSeq(start + 2), None)
    with pytest.raises(NotFound):
        await destroy(account_id, top, with_messages=False)
    inbox = await mailbox_with(store, account_id, MailboxRole.INBOX)
    with pytest.raises(Forbidden):
        await destroy(account_id, inbox, with_messages=True)
