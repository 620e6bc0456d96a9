"""Messages that go from one account to another when something fails on the way: none is lost, none is there twice."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mailstack.model.errors import TryAgainLater
from mailstack.model.ids import Uid
from mailstack.model.mailbox import MailboxRole
from mailstack.model.principal import Account
from mailstack.model.rights import ALL_RIGHTS
from mailstack.ports.messages import Messages
from mailstack.services.mailbox import copy_move
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.opening import open_mailbox
from mailstack.services.mailbox.places import Place
from mailstack.services.mailbox.selected import SelectedMailbox
from tests.support.imap_server import DOMAIN, RunningImap, running_imap
from tests.support.stores import mailbox_with, new_message, uids

ALL_THREE = uids(1, 2, 3)


class FullDisk:
    """Messages of a store where one call fails: the first time, and for one account, as on a disk that is full."""

    def __init__(self, messages: Messages, call: str, account_id: str) -> None:
        self._messages = messages
        self._call = call
        self._account_id = account_id
        self.has_failed = False

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._messages, name)
        if name != self._call:
            return found

        async def fail_once(account_id: str, *args: Any, **named: Any) -> Any:
            if account_id == self._account_id and not self.has_failed:
                self.has_failed = True
                raise TryAgainLater("the disk is full")
            return await found(account_id, *args, **named)

        return fail_once


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RunningImap]:
    async with running_imap(tmp_path, accounts=("u0", "u1")) as running:
        yield running


async def _mail(server: RunningImap, name: str) -> AccountMail:
    account = await server.store.accounts.find(f"{name}@{DOMAIN}")
    assert isinstance(account, Account)
    return server.service.mail_of(account)


async def _inbox_of(mail: AccountMail) -> Place:
    (mailbox,) = [one for one in await mail.mailboxes.list(mail.account_id) if one.role is MailboxRole.INBOX]
    return Place(mail=mail, mailbox=mailbox, path="INBOX", rights=ALL_RIGHTS)


async def _begin(server: RunningImap, failing: str) -> tuple[SelectedMailbox, Place]:
    """Three messages in u0's inbox, the second marked \\Deleted, and u1's empty inbox."""
    source, other = await _mail(server, "u0"), await _mail(server, "u1")
    inbox = await mailbox_with(server.store, source.account_id, MailboxRole.INBOX)
    await source.messages.append(
        source.account_id, inbox, [new_message(0), replace(new_message(1), is_deleted=True), new_message(2)]
    )
    broken: Any = FullDisk(source.messages, failing, source.account_id)
    opened = await open_mailbox(replace(source, messages=broken), "INBOX", is_read_only=False)
    return opened.view, await _inbox_of(other)


async def _marks(mail: AccountMail, mailbox_id: Any) -> list[tuple[Uid, bool]]:
    return [(one.uid, bool(one.is_deleted)) for one in await mail.messages.placements(mail.account_id, mailbox_id)]


@pytest.mark.parametrize("failing", ["read", "change_flags", "expunge"])
async def test_a_move_that_fails_leaves_each_message_where_it_was(server: RunningImap, failing: str) -> None:
    selected, target = await _begin(server, failing)

    with pytest.raises(TryAgainLater):
        await copy_move.move(selected, ALL_THREE, target)

    # Nor is a mark left that was not there: the next CLOSE would take the message away.
    assert await _marks(selected.mail, selected.mailbox_id) == [(1, False), (2, True), (3, False)]
    assert await _marks(target.mail, target.mailbox.mailbox_id) == []


async def test_a_move_that_fails_can_be_done_again(server: RunningImap) -> None:
    selected, target = await _begin(server, "expunge")
    with pytest.raises(TryAgainLater):
        await copy_move.move(selected, ALL_THREE, target)

    moved = await copy_move.move(selected, ALL_THREE, target)

    assert [old for old, _ in moved.pairs] == [1, 2, 3]
    assert await _marks(selected.mail, selected.mailbox_id) == []
    assert len(await _marks(target.mail, target.mailbox.mailbox_id)) == 3


async def test_a_copy_that_is_broken_off_leaves_nothing(server: RunningImap, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copy_move, "OCTETS_AT_ONCE", 1)
    selected, target = await _begin(server, "read")
    reads = 0
    original = selected.mail.messages.read

    async def read(account_id: Any, message_id: Any) -> bytes:
        nonlocal reads
        reads += 1
        if reads > 2:
            raise ConnectionResetError("the client went away")
        return await original(account_id, message_id)

    broken: Any = selected.mail.messages
    broken.has_failed = True
    broken.read = read

    with pytest.raises(ConnectionResetError):
        await copy_move.copy(selected, ALL_THREE, target)

    assert await _marks(target.mail, target.mailbox.mailbox_id) == []
