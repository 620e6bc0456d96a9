"""Email/changes."""

from typing import Any

import pytest

from mailstack.model.ids import AccountId, EmailId, MessageId
from mailstack.model.mailbox import MailboxRole
from mailstack.model.message import FlagChange, FlagOperation
from mailstack.model.objectid import email_object_id
from mailstack.servers.jmap.email_changes import METHOD as CHANGES
from mailstack.servers.jmap.email_get import METHOD as GET
from mailstack.servers.jmap.thread_changes import METHOD as THREAD_CHANGES
from tests.support.jmap_calls import ask, fault_of, put, share
from tests.support.jmap_world import JmapWorld
from tests.support.stores import mailbox_with, new_message, uids


async def state_of(world: JmapWorld) -> str:
    state: str = (await ask(world, GET, ids=[]))["state"]
    return state


def objects(account_id: AccountId, *message_ids: MessageId) -> list[str]:
    return [email_object_id(account_id, EmailId(each)) for each in message_ids]


async def test_what_came_changed_and_went(world: JmapWorld) -> None:
    account_id, store = (await world.account()).account_id, world.imap.store
    inbox = await mailbox_with(store, account_id, MailboxRole.INBOX)
    flagged, gone = await put(world, MailboxRole.INBOX, new_message(1), new_message(2))
    state = await state_of(world)
    (new,) = await put(world, MailboxRole.SENT, new_message(3))
    change = FlagChange(operation=FlagOperation.ADD, keywords=frozenset({"\\Flagged"}), is_deleted=False)
    await store.messages.change_flags(account_id, inbox, uids(1), change)
    await store.emails.destroy(account_id, [gone])
    now = await state_of(world)
    assert await ask(world, CHANGES, sinceState=state) == {
        "accountId": account_id,
        "oldState": state,
        "newState": now,
        "hasMoreChanges": False,
        "created": objects(account_id, new),
        "updated": objects(account_id, flagged),
        "destroyed": objects(account_id, gone),
    }
    nothing = await ask(world, CHANGES, sinceState=now)
    assert (nothing["newState"], nothing["created"], nothing["updated"], nothing["destroyed"]) == (now, [], [], [])


async def test_many_are_told_in_pieces(world: JmapWorld) -> None:
    account_id = (await world.account()).account_id
    state = await state_of(world)
    came = await put(world, MailboxRole.INBOX, *map(new_message, range(5)))
    told: list[str] = []
    has_more, rounds = True, 0
    while has_more:
        answer = await ask(world, CHANGES, sinceState=state, maxChanges=2)
        assert answer["oldState"] == state
        assert len(answer["created"]) <= 2
        told += answer["created"]
        state, has_more, rounds = answer["newState"], answer["hasMoreChanges"], rounds + 1
    assert sorted(told) == sorted(objects(account_id, *came))
    assert (rounds, state) == (3, await state_of(world))


@pytest.mark.parametrize(
    ("arguments", "type_"),
    [
        ({"sinceState": "999999"}, "cannotCalculateChanges"),
        ({"sinceState": "x"}, "cannotCalculateChanges"),
        ({"sinceState": "0", "maxChanges": 0}, "invalidArguments"),
        ({"sinceState": 1}, "invalidArguments"),
        ({}, "invalidArguments"),
        ({"sinceState": "0", "colour": 1}, "invalidArguments"),
    ],
)
async def test_refused(world: JmapWorld, arguments: dict[str, Any], type_: str) -> None:
    assert await fault_of(world, CHANGES, **arguments) == type_


async def test_of_anothers_mail_what_may_be_read(world: JmapWorld) -> None:
    owner = await world.account("u0")
    await share(world, await mailbox_with(world.imap.store, owner.account_id, MailboxRole.INBOX), "lr")
    state = await state_of(world)
    (shared,) = await put(world, MailboxRole.INBOX, new_message(1))
    await put(world, MailboxRole.SENT, new_message(2))
    answer = await ask(world, CHANGES, "u1", of="u0", sinceState=state)
    assert (answer["created"], answer["updated"]) == (objects(owner.account_id, shared), [])
    assert answer["newState"] == await state_of(world)


async def test_of_a_shared_mailbox_that_is_gone_nothing_can_be_told(world: JmapWorld) -> None:
    """Who could read it is gone with it."""
    store, account_id = world.imap.store, (await world.account()).account_id
    for role in (MailboxRole.SENT, MailboxRole.ARCHIVE):
        await share(world, await mailbox_with(store, account_id, role), "lr")
    await put(world, MailboxRole.ARCHIVE, new_message())
    state = await state_of(world)
    await put(world, MailboxRole.SENT, new_message())
    assert len((await ask(world, CHANGES, "u1", of="u0", sinceState=state))["created"]) == 1
    await store.mailboxes.destroy(account_id, await mailbox_with(store, account_id, MailboxRole.ARCHIVE))
    assert len((await ask(world, CHANGES, sinceState=state))["destroyed"]) == 1
    owner = {"accountId": account_id}
    for method in (CHANGES, THREAD_CHANGES):
        assert await fault_of(world, method, "u1", sinceState=state, **owner) == "cannotCalculateChanges"


async def test_changes_of_anothers_are_asked_for_anew_when_rights_have_changed(world: JmapWorld) -> None:
    owner = await world.account("u0")
    inbox = await mailbox_with(world.imap.store, owner.account_id, MailboxRole.INBOX)
    sent = await mailbox_with(world.imap.store, owner.account_id, MailboxRole.SENT)
    await share(world, inbox, "lr")
    await put(world, MailboxRole.SENT, new_message(1))
    for letters in ("lr", "l"):
        state = await state_of(world)
        await share(world, sent, letters)
        for method in (CHANGES, THREAD_CHANGES):
            told = await fault_of(world, method, "u1", of="u0", sinceState=state)
            assert told == "cannotCalculateChanges"
            assert await fault_of(world, method, sinceState=state) == ""
