"""Which thread a message belongs to, on every engine. RFC 8621 §3."""

from collections.abc import Sequence
from random import Random

import pytest

from mailstack.model.changes import ChangeKind
from mailstack.model.ids import AccountId, MailboxId, MessageId, ThreadId
from mailstack.model.mailbox import MailboxRole
from mailstack.model.message import FlagChange, FlagOperation
from mailstack.ports.store import Store
from tests.support.stores import mailbox_with, new_message, uids


@pytest.fixture
async def inbox(store: Store, account_id: AccountId) -> MailboxId:
    return await mailbox_with(store, account_id, MailboxRole.INBOX)


class Threads:
    def __init__(self, store: Store, account_id: AccountId, inbox: MailboxId) -> None:
        self.store, self.account_id, self.inbox = store, account_id, inbox

    async def put(self, message_id: str, *references: str, subject: str = "A subject") -> MessageId:
        message = new_message(message_id=message_id, references=references, subject=subject)
        (appended,) = await self.store.messages.append(self.account_id, self.inbox, [message])
        return appended.message_id

    async def of(self, *message_ids: MessageId) -> Sequence[ThreadId]:
        stored = await self.store.messages.stored(self.account_id, message_ids)
        return [one.thread_id for one in stored]


@pytest.fixture
def threads(store: Store, account_id: AccountId, inbox: MailboxId) -> Threads:
    return Threads(store, account_id, inbox)


async def test_a_late_parent_finds_its_replies(threads: Threads) -> None:
    reply = await threads.put("b@x", "a@x", subject="Re: A subject")
    late = await threads.put("a@x")
    assert len(set(await threads.of(reply, late))) == 1


async def test_answers_to_a_missing_parent_are_one_thread(threads: Threads) -> None:
    one = await threads.put("b@x", "gone@x")
    two = await threads.put("c@x", "gone@x")
    assert len(set(await threads.of(one, two))) == 1


async def test_another_subject_begins_another_thread(threads: Threads) -> None:
    first = await threads.put("a@x")
    changed = await threads.put("b@x", "a@x", subject="Something else")
    follows = await threads.put("c@x", "a@x", "b@x", subject="Re: Something else")
    threads_found = await threads.of(first, changed, follows)
    assert threads_found[0] != threads_found[1] == threads_found[2]


async def test_white_space_and_case_make_no_other_subject(threads: Threads) -> None:
    first = await threads.put("a@x", subject="A  Subject")
    second = await threads.put("b@x", "a@x", subject="Re: a subject ")
    assert len(set(await threads.of(first, second))) == 1


async def test_a_message_between_two_threads_joins_that_of_its_nearest_reference(
    threads: Threads, store: Store
) -> None:
    """RFC 8474 §5.2: the thread of a message that was reported does not change, so the two stay apart."""
    upper = await threads.put("b@x", "a@x")
    lower = await threads.put("d@x", "c@x")
    before = await store.changes.mod_seq(threads.account_id)
    between = await threads.put("c@x", "b@x")
    both = await threads.put("e@x", "c@x", "b@x", "d@x")
    found = await threads.of(upper, lower, between, both)
    assert found == [found[0], found[1], found[0], found[1]]
    assert found[0] != found[1]
    rows = await store.changes.since(threads.account_id, before)
    assert [(row.message_id, row.kind) for row in rows] == [
        (between, ChangeKind.CREATED),
        (both, ChangeKind.CREATED),
    ]


async def test_threads_never_change_whoever_comes_later(threads: Threads) -> None:
    names = [f"{at}@x" for at in range(40)]
    chooser = Random(8474)
    put: list[MessageId] = []
    seen: dict[MessageId, ThreadId] = {}
    for at in range(60):
        put.append(await threads.put(f"{chooser.choice(names)}", *chooser.sample(names, at % 4)))
        now = dict(zip(put, await threads.of(*put), strict=True))
        assert seen.items() <= now.items()
        seen = now
    assert len(set(seen.values())) > 1


async def test_a_thousand_messages_in_any_order_are_one_thread(threads: Threads, store: Store) -> None:
    def name(at: int) -> str:
        return f"{at}@x"

    order = [(at * 377) % 1_000 for at in range(1_000)]
    messages = [
        new_message(at, message_id=name(at), references=[name(0), *map(name, range(max(1, at - 5), at))] if at else [])
        for at in order
    ]
    for start in range(0, 1_000, 100):
        await store.messages.append(threads.account_id, threads.inbox, messages[start : start + 100])
    found = await threads.of(*(MessageId(at) for at in range(1, 1_001)))
    assert len(set(found)) == 1


async def test_hostile_references_are_bounded(threads: Threads) -> None:
    first = await threads.put("a@x")
    flood = await threads.put("b@x", *(f"{at}@flood" for at in range(5_000)), "a@x")
    itself = await threads.put("c@x", "c@x", "c@x")
    nameless = await threads.put("", subject="")
    another = await threads.put("", subject="")
    found = await threads.of(first, flood, itself, nameless, another)
    assert found[0] == found[1]
    assert len(set(found)) == 4


async def test_a_thread_goes_on_when_its_first_message_is_gone(threads: Threads, store: Store) -> None:
    await threads.put("a@x")
    second = await threads.put("b@x", "a@x")
    change = FlagChange(operation=FlagOperation.ADD, keywords=frozenset(), is_deleted=True)
    await store.messages.change_flags(threads.account_id, threads.inbox, uids(1), change)
    await store.messages.expunge(threads.account_id, threads.inbox)
    third = await threads.put("c@x", "a@x")
    assert len(set(await threads.of(second, third))) == 1
