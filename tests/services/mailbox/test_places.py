"""From a path to whose mailbox it is."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mailstack.model.errors import NotFound
from mailstack.model.mailbox import MailboxRole
from mailstack.model.principal import Account
from mailstack.model.rights import Grant, Right, parse_rights
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.places import find
from tests.support.imap_server import DOMAIN, RunningImap, running_imap
from tests.support.stores import mailbox_with

OTHERS = f"Other Users/u0@{DOMAIN}"


class Recorder:
    """A port that notes what it is asked for."""

    def __init__(self, port: Any, asked: list[str]) -> None:
        self._port = port
        self._asked = asked

    def __getattr__(self, name: str) -> Any:
        self._asked.append(name)
        return getattr(self._port, name)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RunningImap]:
    """u0 shares Sent with u1, and nothing else; u2 shares nothing."""
    async with running_imap(tmp_path, accounts=("u0", "u1", "u2")) as running:
        owner, viewer = await _mail(running, "u0"), await _mail(running, "u1")
        sent = await mailbox_with(running.store, owner.account_id, MailboxRole.SENT)
        grant = Grant(identifier=viewer.account.login, account_id=viewer.account_id, rights=parse_rights("lr"))
        await running.store.sharing.change(owner.account_id, sent, grant)
        yield running


async def _mail(server: RunningImap, name: str) -> AccountMail:
    account = await server.store.accounts.find(f"{name}@{DOMAIN}")
    assert isinstance(account, Account)
    return server.service.mail_of(account)


async def _asked_for(server: RunningImap, path: str) -> list[str]:
    asked: list[str] = []
    mail = await _mail(server, "u1")
    recorded: dict[str, Any] = {
        name: Recorder(getattr(mail, name), asked) for name in ("mailboxes", "sharing", "accounts")
    }
    with pytest.raises(NotFound):
        await find(replace(mail, **recorded), path, Right.LOOKUP)
    return asked


async def test_what_may_not_be_known_of_costs_what_a_missing_one_costs(server: RunningImap) -> None:
    """CVE-2026-47081 and following: nor does the time of an answer tell what there is."""
    assert await _asked_for(server, f"{OTHERS}/INBOX") == await _asked_for(server, f"{OTHERS}/nothing")
    nobody = await _asked_for(server, f"Other Users/nobody@{DOMAIN}/INBOX")
    assert await _asked_for(server, f"Other Users/u2@{DOMAIN}/INBOX") == nobody


async def test_a_shared_one_is_found_with_its_rights(server: RunningImap) -> None:
    place = await find(await _mail(server, "u1"), f"{OTHERS}/Sent/")
    assert (place.path, place.rights) == (f"{OTHERS}/Sent", parse_rights("lr"))
    assert not place.mail.is_own
