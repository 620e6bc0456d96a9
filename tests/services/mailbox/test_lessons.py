"""What moves and keywords say of spam, and what says nothing."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from mailstack.model.errors import TryAgainLater
from mailstack.model.ids import AccountId, MessageId
from mailstack.model.mailbox import MailboxRole
from mailstack.model.message import FlagOperation
from mailstack.model.principal import Account
from mailstack.model.rights import ALL_RIGHTS, Grant
from mailstack.model.spam_lesson import Said
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.copy_move import copy, move
from mailstack.services.mailbox.flags import change_flags, flag_change
from mailstack.services.mailbox.opening import open_mailbox
from mailstack.services.mailbox.places import find
from tests.support.imap_server import DOMAIN, RunningImap, running_imap
from tests.support.stores import mailbox_with, new_message, uids

ADD, REMOVE, SET = FlagOperation.ADD, FlagOperation.REMOVE, FlagOperation.SET


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RunningImap]:
    async with running_imap(tmp_path, accounts=("u0", "u1")) as running:
        yield running


@pytest.fixture
async def mail(server: RunningImap) -> AccountMail:
    """With a message in each mailbox that there is at first."""
    mail = await _mail(server, "u0")
    for mailbox in await mail.mailboxes.list(mail.account_id):
        await mail.messages.append(mail.account_id, mailbox.mailbox_id, [new_message()])
    return mail


async def _mail(server: RunningImap, name: str) -> AccountMail:
    account = await server.store.accounts.find(f"{name}@{DOMAIN}")
    assert isinstance(account, Account)
    return server.service.mail_of(account)


async def _move(mail: AccountMail, source: str, target: str, *, by: object = move) -> None:
    opened = await open_mailbox(mail, source, is_read_only=False)
    place = await find(mail, target)
    numbers = uids(opened.view.uid_next - 1)
    await (move if by is move else copy)(opened.view, numbers, place)


async def _said(server: RunningImap) -> list[Said]:
    return [lesson.wanted for lesson in await server.store.spam_lessons.open(limit=10)]


@pytest.mark.parametrize(
    ("source", "target", "said"),
    [
        ("INBOX", "Junk", [Said.SPAM]),
        ("Archive", "Junk", [Said.SPAM]),
        ("Trash", "Junk", [Said.SPAM]),
        ("Junk", "INBOX", [Said.HAM]),
        ("Junk", "Archive", [Said.HAM]),
        ("Junk", "Trash", []),
        ("Junk", "Junk", []),
        ("INBOX", "Archive", []),
        ("INBOX", "Trash", []),
    ],
)
@pytest.mark.parametrize("by", [move, copy])
async def test_a_move_says(
    server: RunningImap, mail: AccountMail, source: str, target: str, said: list[Said], by: object
) -> None:
    await _move(mail, source, target, by=by)
    assert await _said(server) == said


async def test_a_move_and_the_way_back_say_nothing(server: RunningImap, mail: AccountMail) -> None:
    await _move(mail, "INBOX", "Junk")
    await _move(mail, "Junk", "INBOX")
    assert await _said(server) == []


async def test_a_move_to_trash_takes_nothing_back(server: RunningImap, mail: AccountMail) -> None:
    await _move(mail, "INBOX", "Junk")
    await _move(mail, "Junk", "Trash")
    assert await _said(server) == [Said.SPAM]


async def test_a_move_of_nothing_says_nothing(server: RunningImap, mail: AccountMail) -> None:
    opened = await open_mailbox(mail, "INBOX", is_read_only=False)
    await move(opened.view, uids(99), await find(mail, "Junk"))
    assert await _said(server) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ([(ADD, "$Junk")], [Said.SPAM]),
        ([(ADD, "Junk")], [Said.SPAM]),
        ([(ADD, "$NotJunk")], []),
        ([(ADD, "NonJunk")], []),
        ([(ADD, "$Junk"), (SET, "NonJunk")], [Said.HAM]),
        ([(SET, "$JUNK")], [Said.SPAM]),
        ([(ADD, "$Junk"), (ADD, "NonJunk")], [Said.SPAM]),
        ([(ADD, "$Junk"), (ADD, "$NotJunk"), (REMOVE, "$Junk")], [Said.HAM]),
        ([(ADD, "$Junk"), (REMOVE, "$Junk")], [Said.SPAM]),
        ([(REMOVE, "$NotJunk")], []),
        ([(ADD, "$Important"), (ADD, "\\Seen")], []),
    ],
)
async def test_keywords_say(
    server: RunningImap, mail: AccountMail, changes: Sequence[tuple[FlagOperation, str]], said: list[Said]
) -> None:
    opened = await open_mailbox(mail, "INBOX", is_read_only=False)
    for operation, flag in changes:
        await change_flags(opened.view, uids(1), flag_change(operation, (flag,)))
    assert await _said(server) == said


@pytest.mark.parametrize("keyword", ["$NotJunk", "NonJunk", "notjunk"])
async def test_a_keyword_says_of_mail_in_junk_that_it_is_none(
    server: RunningImap, mail: AccountMail, keyword: str
) -> None:
    opened = await open_mailbox(mail, "Junk", is_read_only=False)
    await change_flags(opened.view, uids(1), flag_change(ADD, (keyword,)))
    assert await _said(server) == [Said.HAM]


async def test_what_a_program_took_for_ham_is_taught_as_spam_by_who_moves_it(
    server: RunningImap, mail: AccountMail
) -> None:
    opened = await open_mailbox(mail, "INBOX", is_read_only=False)
    await change_flags(opened.view, uids(1), flag_change(ADD, ("NonJunk",)))
    await _move(mail, "INBOX", "Junk")
    assert await _said(server) == [Said.SPAM]


async def test_what_another_does_in_a_shared_mailbox_is_not_the_owners_word(
    server: RunningImap, mail: AccountMail
) -> None:
    other = await _mail(server, "u1")
    for role in (MailboxRole.INBOX, MailboxRole.JUNK):
        mailbox_id = await mailbox_with(server.store, mail.account_id, role)
        grant = Grant(identifier=other.viewer.login, account_id=other.account_id, rights=ALL_RIGHTS)
        await server.store.sharing.change(mail.account_id, mailbox_id, grant)
    prefix = f"Other Users/{mail.account.login}"
    await _move(other, f"{prefix}/INBOX", f"{prefix}/Junk")
    opened = await open_mailbox(other, f"{prefix}/Junk", is_read_only=False)
    await change_flags(opened.view, uids(1), flag_change(ADD, ("$Junk",)))
    await _move(other, f"{prefix}/Junk", "Junk")
    assert await _said(server) == []


class _Full:
    """Nothing can be noted."""

    async def note(
        self, account_id: AccountId, message_ids: Sequence[MessageId], said: Said, *, is_move: bool = False
    ) -> None:
        raise TryAgainLater(f"the disk is full {account_id} {message_ids} {said} {is_move}")

    async def contradict(self, account_id: AccountId, message_ids: Sequence[MessageId], said: Said) -> None:
        raise TryAgainLater(f"the disk is full {account_id} {message_ids} {said}")


async def test_a_lesson_that_cannot_be_noted_stops_no_command(server: RunningImap, mail: AccountMail) -> None:
    full = replace(mail, lessons=_Full())
    await _move(full, "INBOX", "Junk")
    opened = await open_mailbox(full, "Junk", is_read_only=False)
    assert opened.view.count == 2
    changed = await change_flags(opened.view, uids(1), flag_change(ADD, ("$Junk",)))
    assert [sorted(one.keywords) for one in changed.changed] == [["$Junk"]]
    assert await _said(server) == []
