"""JMAP's service on a real store, beside an IMAP server on the same."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from mailstack.model.principal import Account
from mailstack.servers.jmap.method import Call
from mailstack.servers.jmap.service import JmapService
from mailstack.services.scripts import AccountScripts
from mailstack.sieve.extensions import EXTENSIONS
from tests.support.imap_server import DOMAIN, RunningImap, running_imap


@dataclass(frozen=True, slots=True, kw_only=True)
class JmapWorld:
    imap: RunningImap
    service: JmapService

    async def account(self, name: str = "u0") -> Account:
        found = await self.imap.store.accounts.find(f"{name}@{DOMAIN}")
        assert isinstance(found, Account)
        return found

    async def call(self, name: str = "u0", *, using: frozenset[str] = frozenset()) -> Call:
        return Call(service=self.service, login=await self.account(name), using=using, created={})


@asynccontextmanager
async def jmap_world(folder: Path, *, accounts: Sequence[str] = ("u0", "u1")) -> AsyncIterator[JmapWorld]:
    async with running_imap(folder, accounts=accounts) as imap:
        service, store = imap.service, imap.store
        yield JmapWorld(
            imap=imap,
            service=JmapService(
                login=service.sasl.login,
                mail_of=service.mail_of,
                accounts=store.accounts,
                scripts=AccountScripts(store.scripts, store.accounts, EXTENSIONS),
                bus=service.bus,
                conduct=service.conduct,
                clock=service.clock,
            ),
        )
