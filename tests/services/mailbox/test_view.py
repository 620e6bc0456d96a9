"""The view that sessions share: current, bounded, and right when many things happen at once."""

import asyncio
import random
from array import array
from collections.abc import Sequence
from typing import Any

import pytest

from mailstack.app.clock import system_clock
from mailstack.formats.digest import digest_message
from mailstack.model.errors import NotFound
from mailstack.model.flags import FLAGGED, SEEN
from mailstack.model.ids import MailboxId
from mailstack.model.instant import Instant
from mailstack.model.message import FlagChange, FlagOperation, NewMessage
from mailstack.model.numset import NumSet, numset_of
from mailstack.services.mailbox import view as module
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.counts import MailboxCounts
from mailstack.services.mailbox.opening import open_mailbox
from mailstack.services.mailbox.view import ViewSource
from mailstack.services.mailbox.views import KEPT_MS, ViewCache

INBOX = MailboxId(1)
RAW = b"Subject: x\r\n\r\n"


async def deliver(mail: AccountMail, count: int, *, received_at: int = 0, seen: bool = False) -> None:
    keywords = frozenset({SEEN}) if seen else frozenset[str]()
    message = NewMessage(raw=RAW, received_at=Instant(received_at), digest=digest_message(RAW), keywords=keywords)
    await mail.messages.append(mail.account_id, INBOX, [message] * count)


async def flag(mail: AccountMail, uids: NumSet, word: str, *, is_deleted: bool = False) -> None:
    change = FlagChange(operation=FlagOperation.ADD, keywords=frozenset({word}), is_deleted=is_deleted)
    await mail.messages.change_flags(mail.account_id, INBOX, uids, change)


async def test_sessions_share_one_array(mail: AccountMail) -> None:
    await deliver(mail, 3)
    one = (await open_mailbox(mail, "INBOX", is_read_only=False)).view
    other = (await open_mailbox(mail, "INBOX", is_read_only=False)).view
    await deliver(mail, 1)
    await one.updates(with_expunges=True)
    assert one._uids is other._uids
    assert (one.count, other.count) == (4, 3)


async def test_first_unseen_follows_the_flags(mail: AccountMail) -> None:
    await deliver(mail, 2, seen=True)
    view = await mail.views.current(mail.account_id, INBOX)
    assert view.first_unseen() is None
    await deliver(mail, 2)
    await mail.views.current(mail.account_id, INBOX)
    assert view.first_unseen() == 3
    await flag(mail, numset_of([3]), SEEN)
    await mail.views.current(mail.account_id, INBOX)
    assert view.first_unseen() == 4


async def test_counts_follow_what_happens(mail: AccountMail) -> None:
    await deliver(mail, 2)
    view = await mail.views.current(mail.account_id, INBOX)
    assert await view.counts() == MailboxCounts(emails=2, unread_emails=2, threads=2, unread_threads=2)
    await flag(mail, numset_of([1]), SEEN)
    await deliver(mail, 1)
    await mail.views.current(mail.account_id, INBOX)
    assert await view.counts() == MailboxCounts(emails=3, unread_emails=2, threads=3, unread_threads=2)
    await flag(mail, numset_of([2]), FLAGGED, is_deleted=True)
    await mail.views.current(mail.account_id, INBOX)
    assert await view.counts() == MailboxCounts(emails=2, unread_emails=1, threads=2, unread_threads=1)


async def test_lists_of_threads_are_of_what_is_there(mail: AccountMail) -> None:
    await deliver(mail, 3)
    view = await mail.views.current(mail.account_id, INBOX)
    assert list(await view.by_thread(is_reverse=True)) == [2, 1, 0]
    await flag(mail, numset_of([2]), FLAGGED, is_deleted=True)
    await mail.messages.expunge(mail.account_id, INBOX)
    await deliver(mail, 1)
    await mail.views.current(mail.account_id, INBOX)
    assert [list(await view.by_thread(is_reverse=way)) for way in (True, False)] == [[2, 1, 0], [0, 1, 2]]
    assert [view.table.uids[at] for at in await view.by_thread(is_reverse=True)] == [4, 3, 1]


async def test_received_stays_beside_the_table(mail: AccountMail) -> None:
    for day in range(5):
        await deliver(mail, 1, received_at=day)
    view = await mail.views.current(mail.account_id, INBOX)
    assert (await view.received()).values == array("q", range(5))
    await flag(mail, numset_of([2, 5]), FLAGGED, is_deleted=True)
    await mail.messages.expunge(mail.account_id, INBOX)
    await deliver(mail, 1, received_at=5)
    view = await mail.views.current(mail.account_id, INBOX)
    assert ((await view.received()).values, view.table.uids) == (array("q", [0, 2, 3, 5]), array("I", [1, 3, 4, 6]))


async def test_received_stays_beside_a_table_that_is_read_anew_meanwhile(
    mail: AccountMail, monkeypatch: pytest.MonkeyPatch
) -> None:
    for day in range(5):
        await deliver(mail, 1, received_at=day)
    view = await mail.views.current(mail.account_id, INBOX)
    await view.received()
    await deliver(mail, 1, received_at=5)
    await mail.views.current(mail.account_id, INBOX)
    read = mail.messages.columns

    async def read_late(*asked: Any) -> Sequence[tuple[Any, ...]]:
        monkeypatch.undo()
        monkeypatch.setattr(module, "MAX_CHANGES", 1)
        await flag(mail, numset_of([1, 2]), FLAGGED)
        await mail.views.current(mail.account_id, INBOX)
        return await read(*asked)

    monkeypatch.setattr(mail.messages, "columns", read_late)
    assert (await view.received()).values == array("q", range(6))


@pytest.mark.parametrize("max_changes", [module.MAX_CHANGES, 4])
async def test_any_sequence_of_changes_leaves_it_as_the_store_is(
    mail: AccountMail, monkeypatch: pytest.MonkeyPatch, max_changes: int
) -> None:
    monkeypatch.setattr(module, "MAX_CHANGES", max_changes)
    monkeypatch.setattr(module, "MAX_KEPT_CHANGES", 5)
    chance = random.Random(11)
    session = (await open_mailbox(mail, "INBOX", is_read_only=False)).view
    for _ in range(60):
        some = numset_of(chance.randint(1, 40) for _ in range(3))
        match chance.randrange(4):
            case 0:
                await deliver(mail, chance.randint(1, 3))
            case 1 | 2:
                await flag(mail, some, chance.choice(["a", "b", SEEN]), is_deleted=chance.random() < 0.3)
            case _:
                await mail.messages.expunge(mail.account_id, INBOX, some)
        views = await asyncio.gather(*(mail.views.current(mail.account_id, INBOX) for _ in range(3)))
        placements = await mail.messages.placements(mail.account_id, INBOX)
        assert [views[0].table.placement(at) for at in range(len(views[0].table))] == placements
        if chance.random() < 0.5:
            await session.updates(with_expunges=chance.random() < 0.5)
            there = (await session.table()).table
            assert [there.placement(at) for at in range(len(there))] == placements
    await session.updates(with_expunges=True)
    assert (await session.choose(NumSet(((1, 0),)), is_uid=True)).uids == [one.uid for one in placements]


async def test_what_is_too_large_or_old_is_let_go(mail: AccountMail) -> None:
    now = system_clock()
    source = ViewSource(mailboxes=mail.mailboxes, messages=mail.messages, changes=mail.changes)
    await deliver(mail, 20)
    bounded = ViewCache(source, clock=lambda: now, max_octets=module.OCTETS_PER_VIEW + 100)
    first = await bounded.current(mail.account_id, INBOX)
    await bounded.current(mail.account_id, MailboxId(2))
    assert await bounded.current(mail.account_id, INBOX) is not first

    timed = ViewCache(source, clock=lambda: now)
    first = await timed.current(mail.account_id, INBOX)
    await timed.current(mail.account_id, MailboxId(2))
    assert await timed.current(mail.account_id, INBOX) is first
    now = Instant(now + KEPT_MS + 1)
    await timed.current(mail.account_id, MailboxId(2))
    assert await timed.current(mail.account_id, INBOX) is not first


async def test_a_mailbox_that_is_gone_is_not_found(mail: AccountMail) -> None:
    with pytest.raises(NotFound):
        await mail.views.current(mail.account_id, MailboxId(999))
    mailbox = await mail.mailboxes.create(mail.account_id, parent_id=None, name="x")
    await mail.views.current(mail.account_id, mailbox.mailbox_id)
    await mail.mailboxes.destroy(mail.account_id, mailbox.mailbox_id)
    with pytest.raises(NotFound):
        await mail.views.current(mail.account_id, mailbox.mailbox_id)
