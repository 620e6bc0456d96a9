"""The order of what was found. RFC 5256 §3."""

import pytest

from mailstack.formats.digest import digest_message
from mailstack.model.ids import Uid
from mailstack.model.instant import Instant
from mailstack.model.message import FlagOperation, NewMessage
from mailstack.model.numset import NumSet
from mailstack.model.sorting import SortField, SortKey
from mailstack.services.mailbox import sort as sorting
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.flags import change_flags, flag_change
from mailstack.services.mailbox.opening import open_mailbox
from mailstack.services.mailbox.selected import Chosen, SelectedMailbox
from mailstack.services.mailbox.sort import sort

BY_SIZE, BY_SUBJECT = SortKey(SortField.SIZE), SortKey(SortField.SUBJECT)


async def opened(mail: AccountMail, *subjects: str) -> SelectedMailbox:
    inbox = (await open_mailbox(mail, "INBOX", is_read_only=False)).view
    raws = [f"Subject: {subject}\r\n\r\n".encode() for subject in subjects]
    messages = [NewMessage(raw=raw, received_at=Instant(at), digest=digest_message(raw)) for at, raw in enumerate(raws)]
    await mail.messages.append(mail.account_id, inbox.mailbox_id, messages)
    return (await open_mailbox(mail, "INBOX", is_read_only=False)).view


async def every(selected: SelectedMailbox) -> Chosen:
    return await selected.choose(NumSet(((1, selected.count),)), is_uid=False)


@pytest.mark.parametrize("many", [1, 1_000])
async def test_equals_keep_the_order_of_the_mailbox_in_reverse_too(
    mail: AccountMail, monkeypatch: pytest.MonkeyPatch, many: int
) -> None:
    monkeypatch.setattr(sorting, "MANY", many)
    selected = await opened(mail, "b", "Re: a", "B", "a")
    found = await every(selected)

    assert await sort(selected, found, [BY_SUBJECT], {}) == [1, 3, 0, 2]
    assert await sort(selected, found, [SortKey(SortField.SUBJECT, is_reverse=True)], {}) == [0, 2, 1, 3]
    assert await sort(selected, found, [BY_SIZE, SortKey(SortField.ARRIVAL, is_reverse=True)], {}) == [3, 2, 0, 1]


async def test_the_highest_score_comes_first(mail: AccountMail) -> None:
    selected = await opened(mail, "a", "b", "c")
    scores = {1: 5, 2: 99, 3: 42}

    assert await sort(selected, await every(selected), [SortKey(SortField.RELEVANCY)], scores) == [1, 2, 0]


async def test_few_of_many_that_lie_apart(mail: AccountMail) -> None:
    selected = await opened(mail, *(f"s{99 - at}" for at in range(60)))
    scattered = await selected.locate([Uid(uid) for uid in range(1, 61, 7)])

    assert await sort(selected, scattered, [BY_SUBJECT], {}) == list(range(9))[::-1]


async def test_what_is_gone_meanwhile_is_left_out(mail: AccountMail) -> None:
    selected = await opened(mail, "b", "c", "a")
    found = await every(selected)
    await change_flags(selected, NumSet(((2, 2),)), flag_change(FlagOperation.ADD, ("\\Deleted",)))
    await mail.messages.expunge(mail.account_id, selected.mailbox_id)

    assert await sort(selected, found, [BY_SUBJECT], {}) == [2, 0]
    assert await sort(selected, Chosen(numbers=[], uids=[]), [BY_SUBJECT], {}) == []
