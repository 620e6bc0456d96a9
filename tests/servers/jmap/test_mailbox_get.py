"""Mailbox/get and Mailbox/changes."""

import pytest

from mailstack.model.flags import DRAFT, SEEN
from mailstack.model.mailbox import MailboxRole
from mailstack.model.objectid import mailbox_object_id
from mailstack.servers.jmap.mailbox_changes import METHOD as CHANGES
from mailstack.servers.jmap.mailbox_get import METHOD as GET
from mailstack.servers.jmap.mailbox_object import COUNTS
from tests.support.jmap_calls import ask, fault_of, put, share
from tests.support.jmap_world import JmapWorld
from tests.support.stores import mailbox_with, new_message

_ALL_RIGHTS = dict.fromkeys(
    (
        "mayReadItems",
        "mayAddItems",
        "mayRemoveItems",
        "maySetSeen",
        "maySetKeywords",
        "mayCreateChild",
        "mayRename",
        "mayDelete",
        "maySubmit",
    ),
    True,
)


async def test_the_mailboxes_that_an_account_is_born_with(world: JmapWorld) -> None:
    answer = await ask(world, GET)
    assert [(each["name"], each["role"], each["sortOrder"]) for each in answer["list"]] == [
        ("Inbox", "inbox", 1),
        ("Drafts", "drafts", 2),
        ("Sent", "sent", 3),
        ("Junk", "junk", 5),
        ("Trash", "trash", 6),
        ("Archive", "archive", 4),
    ]
    assert (answer["notFound"], answer["list"][1]["myRights"]) == ([], _ALL_RIGHTS)
    assert answer["list"][0]["myRights"] == {**_ALL_RIGHTS, "mayRename": False, "mayDelete": False}


async def test_counts(world: JmapWorld) -> None:
    """Two of one thread, one of them seen; a draft that is not seen; one alone; two that are \\Deleted."""
    await put(world, MailboxRole.INBOX, new_message(1, message_id="a@x", keywords=frozenset({SEEN})))
    await put(world, MailboxRole.INBOX, new_message(2, message_id="b@x", references=["a@x"]))
    await put(world, MailboxRole.INBOX, new_message(3, message_id="c@x", subject="C", keywords=frozenset({DRAFT})))
    await put(world, MailboxRole.INBOX, new_message(4, message_id="d@x", subject="D"))
    await put(world, MailboxRole.INBOX, new_message(5, message_id="e@x", subject="E", is_deleted=True))
    await put(world, MailboxRole.INBOX, new_message(6, message_id="f@x", references=["a@x"], is_deleted=True))
    inbox = (await ask(world, GET, properties=[*COUNTS]))["list"][0]
    assert [inbox[name] for name in COUNTS] == [4, 2, 3, 2]
    assert {*inbox} == {"id", *COUNTS}


async def test_ids_that_are_there_and_others(world: JmapWorld) -> None:
    known = (await ask(world, GET))["list"][2]["id"]
    answer = await ask(world, GET, ids=[known, "nothing", "#k", known], properties=["name"])
    assert (answer["list"], answer["notFound"]) == ([{"id": known, "name": "Sent"}], ["nothing", "#k"])


async def test_unknown_properties(world: JmapWorld) -> None:
    assert await fault_of(world, GET, properties=["colour"]) == "invalidArguments"


async def test_too_many_ids(world: JmapWorld) -> None:
    assert await fault_of(world, GET, ids=[f"x{number}" for number in range(1_001)]) == "requestTooLarge"


async def test_of_anothers_only_what_may_be_looked_up_and_what_is_above(world: JmapWorld) -> None:
    store, owner = world.imap.store, await world.account("u0")
    top = await store.mailboxes.create(owner.account_id, parent_id=None, name="Top")
    below = await store.mailboxes.create(owner.account_id, parent_id=top.mailbox_id, name="Below")
    await store.messages.append(owner.account_id, below.mailbox_id, [new_message()])
    await share(world, below.mailbox_id, "lrs")
    listed = (await ask(world, GET, "u1", of="u0"))["list"]
    assert [(each["name"], each["isSubscribed"], each["totalEmails"]) for each in listed] == [
        ("Top", False, 0),
        ("Below", False, 1),
    ]
    assert [sorted(name for name, may in each["myRights"].items() if may) for each in listed] == [
        [],
        ["mayReadItems", "maySetSeen"],
    ]
    assert listed[1]["parentId"] == listed[0]["id"] == mailbox_object_id(owner.account_id, top.mailbox_id)


async def test_what_may_not_be_read_is_not_counted(world: JmapWorld) -> None:
    await put(world, MailboxRole.SENT, new_message())
    owner = await world.account("u0")
    await share(world, await mailbox_with(world.imap.store, owner.account_id, MailboxRole.SENT), "l")
    (sent,) = (await ask(world, GET, "u1", of="u0"))["list"]
    assert (sent["name"], [sent[name] for name in COUNTS]) == ("Sent", [0, 0, 0, 0])


async def test_changes_of_counts_only(world: JmapWorld) -> None:
    before = await ask(world, GET)
    await put(world, MailboxRole.INBOX, new_message())
    answer = await ask(world, CHANGES, sinceState=before["state"])
    assert (answer["updated"], answer["updatedProperties"]) == ([before["list"][0]["id"]], [*COUNTS])
    assert (answer["created"], answer["destroyed"], answer["hasMoreChanges"]) == ([], [], False)
    assert answer["newState"] == (await ask(world, GET))["state"]
    await world.imap.store.mailboxes.create((await world.account()).account_id, parent_id=None, name="a")
    assert (await ask(world, CHANGES, sinceState=before["state"]))["updatedProperties"] is None


async def test_changes_page_by_page(world: JmapWorld) -> None:
    before, store, account_id = await ask(world, GET), world.imap.store, (await world.account()).account_id
    made = [await store.mailboxes.create(account_id, parent_id=None, name=name) for name in "abc"]
    await store.mailboxes.destroy(account_id, made[0].mailbox_id)
    state, found, has_more = before["state"], [], True
    while has_more:
        page = await ask(world, CHANGES, sinceState=state, maxChanges=1)
        state, has_more = page["newState"], page["hasMoreChanges"]
        found += page["created"]
        assert page["updatedProperties"] is None
    assert found[-2:] == [mailbox_object_id(account_id, each.mailbox_id) for each in made[1:]]


@pytest.mark.parametrize("state", ["", "x", "999999"])
async def test_changes_since_what_never_was(world: JmapWorld, state: str) -> None:
    assert await fault_of(world, CHANGES, sinceState=state) == "cannotCalculateChanges"


async def test_no_changes_at_all_are_not_to_be_asked_for(world: JmapWorld) -> None:
    assert await fault_of(world, CHANGES, sinceState="1", maxChanges=0) == "invalidArguments"


async def test_changes_of_anothers_are_those_of_what_may_be_read(world: JmapWorld) -> None:
    store, owner = world.imap.store, await world.account("u0")
    sent = await mailbox_with(store, owner.account_id, MailboxRole.SENT)
    await share(world, sent, "lr")
    await share(world, await mailbox_with(store, owner.account_id, MailboxRole.TRASH), "l")
    state = (await ask(world, GET, "u1", of="u0"))["state"]
    assert (await ask(world, CHANGES, "u1", of="u0", sinceState=state))["updated"] == []
    for role in (MailboxRole.SENT, MailboxRole.TRASH, MailboxRole.JUNK):
        await put(world, role, new_message())
    answer = await ask(world, CHANGES, "u1", of="u0", sinceState=state)
    assert (answer["updated"], answer["updatedProperties"]) == (
        [mailbox_object_id(owner.account_id, sent)],
        [*COUNTS],
    )
    assert (answer["created"], answer["destroyed"]) == ([], [])


async def test_changes_of_anothers_are_asked_for_anew_when_rights_have_changed(world: JmapWorld) -> None:
    store, owner = world.imap.store, await world.account("u0")
    sent = await mailbox_with(store, owner.account_id, MailboxRole.SENT)
    await share(world, sent, "lr")
    for letters in ("l", "lr", "lrs"):
        state = (await ask(world, GET, "u1", of="u0"))["state"]
        await share(world, sent, letters)
        assert await fault_of(world, CHANGES, "u1", of="u0", sinceState=state) == "cannotCalculateChanges"
        # The owner's own rights are what they were.
        assert (await ask(world, CHANGES, sinceState=state))["created"] == []
