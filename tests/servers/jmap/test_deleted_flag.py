"""What has \\Deleted is not there for any method until the flag goes again. RFC 8621 §4.1.1."""

from dataclasses import dataclass

import pytest

from mailstack.model.flags import SEEN
from mailstack.model.ids import AccountId, EmailId, MailboxId, MessageId, ThreadId
from mailstack.model.mailbox import MailboxRole
from mailstack.model.message import FlagChange, FlagOperation
from mailstack.model.numset import NumSet
from mailstack.model.objectid import (
    MailBlob,
    blob_object_id,
    email_object_id,
    mailbox_object_id,
    thread_object_id,
)
from mailstack.servers.jmap.email_get import METHOD as EMAIL_GET
from mailstack.servers.jmap.email_parse import METHOD as EMAIL_PARSE
from mailstack.servers.jmap.email_query import METHOD as EMAIL_QUERY
from mailstack.servers.jmap.email_set import METHOD as EMAIL_SET
from mailstack.servers.jmap.mailbox_get import METHOD as MAILBOX_GET
from mailstack.servers.jmap.mailbox_object import COUNTS
from mailstack.servers.jmap.mailbox_set import METHOD as MAILBOX_SET
from mailstack.servers.jmap.search_snippet_get import METHOD as SNIPPET_GET
from mailstack.servers.jmap.thread_get import METHOD as THREAD_GET
from tests.support.jmap_calls import ask, put, share
from tests.support.jmap_world import JmapWorld
from tests.support.stores import mailbox_with, new_message

EVERY = NumSet(((1, 2**32 - 1),))


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """A message in the inbox that has \\Deleted there."""

    world: JmapWorld
    account_id: AccountId
    message_id: MessageId

    @property
    def id(self) -> str:
        return email_object_id(self.account_id, EmailId(self.message_id))

    async def mailbox(self, role: MailboxRole) -> MailboxId:
        return await mailbox_with(self.world.imap.store, self.account_id, role)

    async def object_id(self, role: MailboxRole) -> str:
        return mailbox_object_id(self.account_id, await self.mailbox(role))

    async def mark(self, role: MailboxRole, operation: FlagOperation = FlagOperation.ADD) -> None:
        change = FlagChange(operation=operation, keywords=frozenset(), is_deleted=True)
        await self.world.imap.store.messages.change_flags(self.account_id, await self.mailbox(role), EVERY, change)

    async def copy_to(self, role: MailboxRole) -> None:
        """And seen there."""
        inbox = await self.mailbox(MailboxRole.INBOX)
        await self.world.imap.store.messages.copy(self.account_id, inbox, EVERY, await self.mailbox(role))
        await self.mark(role, FlagOperation.REMOVE)


@pytest.fixture
async def marked(world: JmapWorld) -> Marked:
    (message_id,) = await put(world, MailboxRole.INBOX, new_message())
    made = Marked(world=world, account_id=(await world.account()).account_id, message_id=message_id)
    await made.mark(MailboxRole.INBOX)
    return made


async def found(marked: Marked) -> list[bool]:
    """Whether each method knows of it."""
    thread = thread_object_id(marked.account_id, ThreadId(marked.message_id))
    blob = blob_object_id(marked.account_id, MailBlob(marked.message_id))
    world = marked.world
    return [
        bool((await ask(world, EMAIL_GET, ids=[marked.id]))["list"]),
        not (await ask(world, EMAIL_GET, ids=[marked.id]))["notFound"],
        bool((await ask(world, THREAD_GET, ids=[thread]))["list"]),
        bool((await ask(world, EMAIL_QUERY))["ids"]),
        bool((await ask(world, EMAIL_QUERY, collapseThreads=True, filter={"minSize": 1}))["ids"]),
        bool((await ask(world, EMAIL_QUERY, filter={"inMailboxOtherThan": []}))["ids"]),
        bool((await ask(world, SNIPPET_GET, emailIds=[marked.id]))["list"]),
        not (await ask(world, EMAIL_PARSE, blobIds=[blob]))["notFound"],
    ]


async def test_no_method_knows_of_it(marked: Marked) -> None:
    assert not any(await found(marked))
    await marked.mark(MailboxRole.INBOX, FlagOperation.REMOVE)
    assert all(await found(marked))
    await marked.copy_to(MailboxRole.TRASH)
    await marked.mark(MailboxRole.INBOX)
    assert all(await found(marked))


async def test_it_is_not_counted_but_by_the_quota(marked: Marked) -> None:
    (inbox,) = (await ask(marked.world, MAILBOX_GET, ids=[await marked.object_id(MailboxRole.INBOX)]))["list"]
    assert [inbox[name] for name in COUNTS] == [0, 0, 0, 0]
    assert await marked.world.imap.store.messages.used_bytes(marked.account_id) > 0


async def test_it_can_be_neither_changed_nor_destroyed(marked: Marked) -> None:
    answer = await ask(marked.world, EMAIL_SET, update={marked.id: {"keywords/$seen": True}})
    assert answer["notUpdated"][marked.id]["type"] == "notFound"
    answer = await ask(marked.world, EMAIL_SET, destroy=[marked.id])
    assert answer["notDestroyed"][marked.id]["type"] == "notFound"
    (there,) = await marked.world.imap.store.messages.placements(
        marked.account_id, await marked.mailbox(MailboxRole.INBOX)
    )
    assert (there.is_deleted, there.keywords) == (True, frozenset())


async def test_where_it_is_seen_it_is_what_it_is_there(marked: Marked) -> None:
    await marked.copy_to(MailboxRole.TRASH)
    inbox, trash = await marked.object_id(MailboxRole.INBOX), await marked.object_id(MailboxRole.TRASH)
    assert await mailboxes_of(marked) == [trash]
    assert (await ask(marked.world, EMAIL_QUERY, filter={"inMailbox": inbox}))["ids"] == []
    assert (await ask(marked.world, EMAIL_QUERY, filter={"inMailboxOtherThan": [trash]}))["ids"] == []
    answer = await ask(marked.world, EMAIL_SET, update={marked.id: {f"mailboxIds/{trash}": None}})
    assert answer["notUpdated"][marked.id]["type"] == "invalidProperties"
    answer = await ask(marked.world, EMAIL_SET, update={marked.id: {f"mailboxIds/{inbox}": True}})
    assert answer["updated"] == {marked.id: None}
    assert await mailboxes_of(marked) == sorted([inbox, trash])


async def test_destroyed_it_leaves_the_mailbox_where_it_was_marked_too(marked: Marked) -> None:
    await marked.copy_to(MailboxRole.TRASH)
    assert (await ask(marked.world, EMAIL_SET, destroy=[marked.id]))["destroyed"] == [marked.id]
    store = marked.world.imap.store
    assert await store.messages.placements(marked.account_id, await marked.mailbox(MailboxRole.INBOX)) == []


@pytest.mark.parametrize(("letters", "fault"), [("lr", "forbidden"), ("lrte", None)])
async def test_others_destroy_it_with_rights_to_both_mailboxes(marked: Marked, letters: str, fault: str | None) -> None:
    await marked.copy_to(MailboxRole.TRASH)
    await share(marked.world, await marked.mailbox(MailboxRole.TRASH), "lrte")
    await share(marked.world, await marked.mailbox(MailboxRole.INBOX), letters)
    answer = await ask(marked.world, EMAIL_SET, "u1", of="u0", destroy=[marked.id])
    assert (answer["notDestroyed"] or {marked.id: {"type": None}})[marked.id]["type"] == fault


async def test_a_mailbox_with_nothing_else_is_empty(world: JmapWorld, marked: Marked) -> None:
    await put(world, MailboxRole.ARCHIVE, new_message(is_deleted=True))
    archive = await marked.object_id(MailboxRole.ARCHIVE)
    assert (await ask(world, MAILBOX_SET, destroy=[archive]))["destroyed"] == [archive]


async def test_a_thread_has_the_keywords_of_those_that_are_seen(world: JmapWorld) -> None:
    seen = new_message(1, message_id="a@x", keywords=frozenset({SEEN}))
    other = new_message(2, message_id="b@x", references=["a@x"], is_deleted=True)
    await put(world, MailboxRole.INBOX, seen, other)
    every = await ask(world, EMAIL_QUERY, filter={"allInThreadHaveKeyword": "$seen"})
    assert len(every["ids"]) == 1


async def mailboxes_of(marked: Marked) -> list[str]:
    (email,) = (await ask(marked.world, EMAIL_GET, ids=[marked.id], properties=["mailboxIds"]))["list"]
    return sorted(email["mailboxIds"])
