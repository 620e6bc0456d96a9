"""One account's mail on a real store."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mailstack.model.principal import Account
from mailstack.services.mailbox.account_mail import AccountMail
from tests.support.imap_server import DOMAIN, running_imap


@pytest.fixture
async def mail(tmp_path: Path) -> AsyncIterator[AccountMail]:
    async with running_imap(tmp_path) as server:
        account = await server.store.accounts.find(f"u0@{DOMAIN}")
        assert isinstance(account, Account)
        yield server.service.mail_of(account)
