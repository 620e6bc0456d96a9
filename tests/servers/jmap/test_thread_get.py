"""Thread/get and Thread/changes."""

from dataclasses import replace

import pytest

from mailstack.model.errors import TooMany
from mailstack.model.ids import EmailId, ThreadId
from mailstack.model.mailbox import MailboxRole
from mailstack.model.objectid import email_object_id, thread_object_id
from mailstack.servers.jmap.thread_changes import METHOD as CHANGES
from mailstack.servers.jmap.thread_get import METHOD as GET
from mailstack.wire.jmap.limits import JmapLimits
from tests.support.jmap_calls import ask, put, share
from tests.support.jmap_world import JmapWorld
from tests.support.stores import mailbox_with, new_message


async def test_messages_of_a_thread_as_they_were_received(world: JmapWorld) -> None:
    account_id = (await world.account()).account_id
    (answer,) = await put(world, MailboxRole.INBOX, new_message(2, message_id="b@x", references=["a@x"]))
    (first,) = await put(world, MailboxRole.SENT, new_message(1, message_id="a@x"))
    thread = thread_object_id(account_id, ThreadId(answer))
    got = await ask(world, GET, ids=[thread, "T1"])
    emails = [email_object_id(account_id, EmailId(each)) for each in (first, answer)]
    assert (got["list"], got["notFound"]) == ([{"id": thread, "emailIds": emails}], ["T1"])
    assert (await ask(world, GET, ids=[thread], properties=["id"]))["list"] == [{"id": thread}]


async def test_all_that_there_are_as_long_as_they_are_few(world: JmapWorld) -> None:
    account_id = (await world.account()).account_id
    (first,) = await put(world, MailboxRole.INBOX, new_message(1, message_id="a@x"))
    await put(world, MailboxRole.SENT, new_message(2, message_id="b@x", references=["a@x"]))
    (other,) = await put(world, MailboxRole.INBOX, new_message(3, message_id="c@x", subject="C"))
    listed = (await ask(world, GET, ids=None))["list"]
    there = [thread_object_id(account_id, ThreadId(each)) for each in (first, other)]
    assert sorted((each["id"], len(each["emailIds"])) for each in listed) == [(there[0], 2), (there[1], 1)]
    two, one = (
        replace(world, service=replace(world.service, limits=JmapLimits(objects_in_get=most))) for most in (2, 1)
    )
    assert len((await ask(two, GET, ids=None))["list"]) == 2
    with pytest.raises(TooMany):
        await ask(one, GET, ids=None)


async def test_of_anothers_what_may_be_read(world: JmapWorld) -> None:
    owner = await world.account("u0")
    (first,) = await put(world, MailboxRole.INBOX, new_message(1, message_id="a@x"))
    (answer,) = await put(world, MailboxRole.SENT, new_message(2, message_id="b@x", references=["a@x"]))
    (other,) = await put(world, MailboxRole.INBOX, new_message(3, message_id="c@x", subject="C"))
    await share(world, await mailbox_with(world.imap.store, owner.account_id, MailboxRole.SENT), "lr")
    thread, hidden = (thread_object_id(owner.account_id, ThreadId(each)) for each in (first, other))
    got = await ask(world, GET, "u1", of="u0", ids=[thread, hidden])
    assert (got["list"][0]["emailIds"], got["notFound"]) == (
        [email_object_id(owner.account_id, EmailId(answer))],
        [hidden],
    )


async def test_changes(world: JmapWorld) -> None:
    account_id = (await world.account()).account_id
    (old,) = await put(world, MailboxRole.INBOX, new_message(1, message_id="a@x"))
    state = (await ask(world, GET, ids=[]))["state"]
    await put(world, MailboxRole.INBOX, new_message(2, message_id="b@x", references=["a@x"]))
    (new,) = await put(world, MailboxRole.INBOX, new_message(3, message_id="c@x", subject="C"))
    answer = await ask(world, CHANGES, sinceState=state)
    assert answer["created"] == [thread_object_id(account_id, ThreadId(new))]
    assert answer["updated"] == [thread_object_id(account_id, ThreadId(old))]
    assert (answer["destroyed"], answer["oldState"], answer["hasMoreChanges"]) == ([], state, False)
    assert answer["newState"] == (await ask(world, GET, ids=[]))["state"]
