"""ports.upkeep on every engine. That the rules hold after every other contract test is the store fixture's to check."""

import pytest

from mailstack.model.errors import NotFound
from mailstack.model.flags import SEEN
from mailstack.model.ids import AccountId
from mailstack.model.mailbox import MailboxRole
from mailstack.model.message import FlagChange, FlagOperation
from mailstack.ports.store import Store
from tests.support.stores import mailbox_with, make_account, new_message, uids


async def test_what_an_account_holds(store: Store, account_id: AccountId) -> None:
    inbox = await mailbox_with(store, account_id, MailboxRole.INBOX)
    trash = await mailbox_with(store, account_id, MailboxRole.TRASH)
    child = await store.mailboxes.create(account_id, parent_id=trash, name="Old")
    messages = [new_message(1, keywords=frozenset({SEEN})), new_message(2, size_bytes=300_000), new_message(3)]
    await store.messages.append(account_id, inbox, messages)
    await store.messages.copy(account_id, inbox, uids(1), child.mailbox_id)

    sizes = await store.upkeep.sizes(account_id)

    total = sum(len(message.raw) for message in messages)
    assert (sizes.messages, sizes.used_bytes) == (3, total)
    assert (sizes.oldest, sizes.newest) == (messages[0].received_at, messages[2].received_at)
    assert sizes.disk_bytes > 0
    held = {one.path: (one.messages, one.unseen, one.size_bytes) for one in sizes.mailboxes}
    assert held["INBOX"] == (3, 2, total)
    assert held["Trash/Old"] == (1, 0, len(messages[0].raw))
    assert held["Drafts"] == (0, 0, 0)


async def test_who_of_some_accounts_holds_mail(store: Store) -> None:
    alice, bob = await make_account(store, "alice@example.com"), await make_account(store, "bob@example.com")
    message = new_message()
    for account_id in (alice, bob):
        await store.messages.append(account_id, await mailbox_with(store, account_id, MailboxRole.INBOX), [message])
    await store.mailboxes.list(await make_account(store, "carol@example.com"))
    await make_account(store, "dave@example.com")

    asked = ["alice@example.com", "carol@example.com", "dave@example.com", "nobody@example.com"]

    assert await store.upkeep.held(asked) == {"alice@example.com": len(message.raw)}
    assert await store.upkeep.held([]) == {}


async def test_every_message_is_read(store: Store, account_id: AccountId) -> None:
    inbox = await mailbox_with(store, account_id, MailboxRole.INBOX)
    await store.messages.append(
        account_id, inbox, [new_message(number, size_bytes=500 * number) for number in range(1, 151)]
    )
    change = FlagChange(operation=FlagOperation.SET, keywords=frozenset(), is_deleted=True)
    await store.messages.change_flags(account_id, inbox, uids(3, 5), change)
    await store.messages.expunge(account_id, inbox)
    seen: list[tuple[int, int]] = []

    found = await store.upkeep.verify(
        account_id, reads_messages=True, progress=lambda done, count: seen.append((done, count))
    )

    assert found == []
    assert seen[-1] == (148, 148)


async def test_without_reading_there_is_no_progress_to_tell(store: Store, account_id: AccountId) -> None:
    seen: list[tuple[int, int]] = []
    found = await store.upkeep.verify(
        account_id, reads_messages=False, progress=lambda done, count: seen.append((done, count))
    )
    assert (found, seen) == ([], [])


async def test_an_account_that_is_none(store: Store) -> None:
    with pytest.raises(NotFound):
        await store.upkeep.sizes(AccountId("f" * 16))
