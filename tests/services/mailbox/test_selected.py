"""A session's view: numbers stand still until the session says so."""

import pytest

from mailstack.app.clock import system_clock
from mailstack.formats.digest import digest_message
from mailstack.model.errors import Forbidden, Invalid, NotFound
from mailstack.model.flags import DELETED, NO_KEYWORDS, SEEN
from mailstack.model.ids import AccountId, MailboxId
from mailstack.model.instant import DAY_MS, Instant
from mailstack.model.message import FlagChange, FlagOperation, NewMessage, Placement, PlacementTable
from mailstack.model.numset import STAR, NumSet, numset_of
from mailstack.services.mailbox import view as module
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.expunge import expunge
from mailstack.services.mailbox.flags import change_flags, flag_change
from mailstack.services.mailbox.opening import open_mailbox
from mailstack.services.mailbox.selected import SelectedMailbox, Updates
from mailstack.services.mailbox.tree import load_tree
from mailstack.store.sql.changes import SqlChanges

ALL = NumSet(((1, STAR),))
MARK = FlagChange(operation=FlagOperation.ADD, keywords=NO_KEYWORDS, is_deleted=True)
ADD = FlagOperation.ADD


async def select(mail: AccountMail, *, is_read_only: bool = False) -> SelectedMailbox:
    return (await open_mailbox(mail, "INBOX", is_read_only=is_read_only)).view


async def deliver(mail: AccountMail, count: int) -> None:
    mailbox = (await load_tree(mail)).get("INBOX")
    raw = b"Subject: x\r\n\r\n"
    message = NewMessage(raw=raw, received_at=Instant(0), digest=digest_message(raw))
    await mail.messages.append(mail.account_id, mailbox.mailbox_id, [message] * count)


async def mark(view: SelectedMailbox, uids: list[int], flag: str) -> None:
    await change_flags(view, numset_of(uids), flag_change(ADD, (flag,)))


def told(updates: Updates) -> list[tuple[int, Placement]]:
    flags = updates.flags
    return list(zip(flags.numbers, flags.placements(0, len(flags)), strict=True))


async def uids_of(view: SelectedMailbox) -> list[int]:
    return (await view.choose(ALL, is_uid=False)).uids


async def test_numbers_and_uids(mail: AccountMail) -> None:
    await deliver(mail, 4)
    other = await select(mail)
    await mark(other, [2], DELETED)
    await expunge(other)
    view = await select(mail)

    chosen = await view.choose(NumSet(((2, STAR),)), is_uid=False)
    by_uid = await view.choose(NumSet(((2, 3), (9, 9))), is_uid=True)

    assert (chosen.numbers, chosen.uids) == ([2, 3], [3, 4])
    assert (by_uid.numbers, by_uid.uids) == ([2], [3])
    with pytest.raises(Invalid):
        await view.choose(NumSet(((4, 4),)), is_uid=False)


async def test_a_star_always_holds_the_largest(mail: AccountMail) -> None:
    await deliver(mail, 2)

    assert (await (await select(mail)).choose(NumSet(((100, STAR),)), is_uid=True)).uids == [2]


async def test_in_an_empty_mailbox_everything_is_nothing(mail: AccountMail) -> None:
    view = await select(mail)

    assert (await view.choose(ALL, is_uid=False)).uids == []
    assert (await view.choose(ALL, is_uid=True)).uids == []


async def test_new_messages_are_told_once(mail: AccountMail) -> None:
    view = await select(mail)
    await deliver(mail, 2)

    assert await view.updates(with_expunges=False) == Updates(exists=2)
    assert await view.updates(with_expunges=True) == Updates()
    assert await uids_of(view) == [1, 2]


async def test_a_view_that_was_never_asked_is_as_it_was_when_selected(mail: AccountMail) -> None:
    await deliver(mail, 3)
    view, other = await select(mail), await select(mail)
    await mark(other, [2], DELETED)
    await expunge(other)
    await deliver(mail, 1)

    assert await uids_of(view) == [1, 2, 3]
    assert await view.updates(with_expunges=True) == Updates(expunged=(2,), expunged_uids=(2,), exists=3)
    assert await uids_of(view) == [1, 3, 4]


async def test_the_expunged_keep_their_numbers_until_that_may_be_told(mail: AccountMail) -> None:
    await deliver(mail, 4)
    view, other = await select(mail), await select(mail)
    await mark(other, [1, 3], DELETED)
    await expunge(other)

    assert (await view.updates(with_expunges=False)).expunged == ()
    assert await uids_of(view) == [1, 2, 3, 4]
    assert (await view.updates(with_expunges=True)).expunged == (3, 1)
    assert await uids_of(view) == [2, 4]


async def test_flags_of_others_are_told_and_ones_own_are_not(mail: AccountMail) -> None:
    await deliver(mail, 2)
    view, other = await select(mail), await select(mail)
    await mark(view, [1], SEEN)
    await mark(other, [2], SEEN)

    updates = await view.updates(with_expunges=True)

    assert [(number, placement.keywords_text) for number, placement in told(updates)] == [(2, SEEN)]


async def test_flags_changed_by_another_after_ones_own_are_told(mail: AccountMail) -> None:
    await deliver(mail, 1)
    view, other = await select(mail), await select(mail)
    await mark(view, [1], SEEN)
    await mark(other, [1], "x")

    ((number, placement),) = told(await view.updates(with_expunges=True))

    assert (number, placement.keywords) == (1, frozenset({SEEN, "x"}))


async def test_a_store_that_changes_nothing_hides_no_change_of_others(mail: AccountMail) -> None:
    """Its answer holds the newest ModSeq of one message; the others that it is of are news."""
    await deliver(mail, 3)
    view, other = await select(mail), await select(mail)
    await mark(other, [1, 2, 3], SEEN)
    await mark(view, [2], SEEN)

    assert list((await view.updates(with_expunges=True)).flags.numbers) == [1, 3]


async def test_who_asks_for_silence_hears_what_others_did_to_the_same_message(mail: AccountMail) -> None:
    await deliver(mail, 1)
    view, other = await select(mail), await select(mail)
    await mark(view, [1], SEEN)
    await mark(other, [1], DELETED)
    await change_flags(view, numset_of([1]), flag_change(ADD, (SEEN,)), is_silent=True)

    ((number, placement),) = told(await view.updates(with_expunges=True))

    assert (number, placement.is_deleted) == (1, True)


@pytest.mark.parametrize("comes", [0, 1])
async def test_a_table_read_between_two_changes_moves_no_number_unsaid(
    mail: AccountMail, monkeypatch: pytest.MonkeyPatch, comes: int
) -> None:
    """What happens after the status was read and before the table is in the table alone, not in the log as read."""
    await deliver(mail, 4)
    view, other = await select(mail), await select(mail)
    await mark(other, [1], DELETED)
    await expunge(other)
    await view.updates(with_expunges=False)
    read = mail.messages.table

    async def read_late(account_id: AccountId, mailbox_id: MailboxId, uids: NumSet | None = None) -> PlacementTable:
        monkeypatch.undo()
        await deliver(mail, comes)
        await mail.messages.change_flags(mail.account_id, mailbox_id, numset_of([2]), MARK)
        await mail.messages.expunge(mail.account_id, mailbox_id, numset_of([2]))
        return await read(account_id, mailbox_id, uids)

    mail.views._kept.clear()
    monkeypatch.setattr(mail.messages, "table", read_late)

    assert (await view.updates(with_expunges=True)).expunged == (1,)
    assert await uids_of(view) == [2, 3, 4]
    updates = await view.updates(with_expunges=True)
    assert (updates.expunged, updates.exists) == ((1,), 3 if comes else None)
    assert await uids_of(view) == [3, 4, 5][: 2 + comes]


async def test_of_what_went_since_the_log_was_read_no_older_flags_are_told(
    mail: AccountMail, monkeypatch: pytest.MonkeyPatch
) -> None:
    await deliver(mail, 3)
    view, other = await select(mail), await select(mail)
    await mark(view, [2], DELETED)
    await mark(other, [1, 2], SEEN)
    read = mail.messages.table

    async def read_late(account_id: AccountId, mailbox_id: MailboxId, uids: NumSet | None = None) -> PlacementTable:
        monkeypatch.undo()
        await mail.messages.expunge(account_id, mailbox_id)
        return await read(account_id, mailbox_id, uids)

    monkeypatch.setattr(mail.messages, "table", read_late)

    updates = await view.updates(with_expunges=False)
    assert [(number, placement.keywords_text) for number, placement in told(updates)] == [(1, SEEN)]
    assert (await view.table()).numbers == [1, 3]
    assert (await view.updates(with_expunges=True)).expunged == (2,)
    assert await view.updates(with_expunges=True) == Updates()


async def test_many_changes_are_found_by_comparing(mail: AccountMail, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_CHANGES", 3)
    await deliver(mail, 5)
    view, other = await select(mail), await select(mail)
    await mark(other, [1, 2, 3], SEEN)
    await mark(other, [4], DELETED)
    await expunge(other)
    await deliver(mail, 2)

    updates = await view.updates(with_expunges=True)

    assert (updates.expunged, updates.exists) == ((4,), 6)
    assert list(updates.flags.numbers) == [1, 2, 3]
    assert await uids_of(view) == [1, 2, 3, 5, 6, 7]


async def test_what_came_and_went_unseen_is_never_told(mail: AccountMail) -> None:
    view, other = await select(mail), await select(mail)
    await deliver(mail, 1)
    await mark(other, [1], DELETED)
    await expunge(other)

    assert await view.updates(with_expunges=True) == Updates()


async def test_a_page_of_the_log_that_is_cut_short_is_not_its_end(
    mail: AccountMail, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A small change, then one that does not fit into a page with it."""
    monkeypatch.setattr(module, "MAX_CHANGES", 5)
    await deliver(mail, 6)
    view, other = await select(mail), await select(mail)
    await mark(other, [1], SEEN)
    await mark(other, [2, 3, 4, 5, 6], DELETED)
    await expunge(other)

    updates = await view.updates(with_expunges=True)

    assert updates.expunged == (6, 5, 4, 3, 2)
    assert [(number, one.keywords_text) for number, one in told(updates)] == [(1, SEEN)]


async def test_a_deleted_mailbox_is_noticed(mail: AccountMail) -> None:
    mailbox = await mail.mailboxes.create(mail.account_id, parent_id=None, name="x")
    view = (await open_mailbox(mail, "x", is_read_only=False)).view
    await mail.mailboxes.destroy(mail.account_id, mailbox.mailbox_id)

    with pytest.raises(NotFound):
        await view.updates(with_expunges=True)


async def test_a_mailbox_where_nothing_happened_for_long_opens_as_any_other(mail: AccountMail) -> None:
    """The log has forgotten what happened there last, and is not asked for it."""
    await deliver(mail, 2)
    await mail.mailboxes.create(mail.account_id, parent_id=None, name="later")
    assert isinstance(mail.changes, SqlChanges)
    assert await mail.changes.compact(mail.account_id, now=Instant(system_clock() + 31 * DAY_MS))

    view = await select(mail)

    assert await uids_of(view) == [1, 2]
    assert await view.updates(with_expunges=True) == Updates()


async def test_what_is_opened_for_reading_is_not_changed(mail: AccountMail) -> None:
    await deliver(mail, 1)
    view = await select(mail, is_read_only=True)

    with pytest.raises(Forbidden):
        await mark(view, [1], SEEN)
    with pytest.raises(Forbidden):
        await expunge(view)


def test_a_message_has_so_many_keywords() -> None:
    with pytest.raises(Invalid):
        flag_change(ADD, [f"k{number}" for number in range(65)])
