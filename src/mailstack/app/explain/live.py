"""What scripts and scores look into on a server here, for a mail that is explained: it is read, and nothing is written.

Accounts are those of a spec, and have other ids there; the login is the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mailstack.app.spec_tests.filtering import ReadyMailboxes
from mailstack.model.errors import NotFound
from mailstack.model.ids import AccountId, MailboxId
from mailstack.model.instant import Instant
from mailstack.model.mailbox import Mailbox, MailboxRole
from mailstack.model.principal import Account
from mailstack.model.script import RunningScripts
from mailstack.model.sieve_memory import Purpose
from mailstack.model.spam import Finding
from mailstack.ports.accounts import Accounts
from mailstack.ports.mailboxes import DeliveryMailboxes
from mailstack.ports.scripts import RunScripts
from mailstack.ports.sieve_memory import SieveMemory
from mailstack.services.spam.acquaintances import Acquainted
from mailstack.services.spam.examined import Examined
from mailstack.services.spam.scoring import SpamModels
from mailstack.spam.model import Model


@dataclass(frozen=True, slots=True)
class Ids:
    """spec, server: the accounts of each."""

    spec: Accounts
    server: Accounts

    async def on_server(self, account_id: AccountId) -> AccountId:
        """Raises NotFound."""
        account = await self.spec.account(account_id)
        found = None if account is None else await self.server.find(account.login)
        if not isinstance(found, Account):
            raise NotFound("the server here has no account of that login")
        return found.account_id


@dataclass(frozen=True, slots=True)
class LiveScripts:
    """Works as ports.scripts.RunScripts."""

    scripts: RunScripts
    ids: Ids

    async def read(self, account_id: AccountId, name: str) -> bytes:
        return await self.scripts.read(await self.ids.on_server(account_id), name)

    async def running(self, account_id: AccountId) -> RunningScripts:
        try:
            return await self.scripts.running(await self.ids.on_server(account_id))
        except NotFound:
            return RunningScripts()


@dataclass(frozen=True, slots=True)
class LiveMemory:
    """Works as ports.sieve_memory.SieveMemory, and learns nothing."""

    memory: SieveMemory
    ids: Ids

    async def is_known(self, account_id: AccountId, purpose: Purpose, key: str, *, now: Instant) -> bool:
        try:
            return await self.memory.is_known(await self.ids.on_server(account_id), purpose, key, now=now)
        except NotFound:
            return False

    async def claim(
        self,
        account_id: AccountId,
        purpose: Purpose,
        key: str,
        *,
        now: Instant,
        until: Instant,  # noqa: ARG002  # the port has it
    ) -> bool:
        return not await self.is_known(account_id, purpose, key, now=now)

    async def note(self, account_id: AccountId, purpose: Purpose, keys: Sequence[tuple[str, Instant]]) -> None: ...

    async def forget(self, *, now: Instant) -> int:  # noqa: ARG002  # the port has it
        return 0


@dataclass(frozen=True, slots=True)
class LiveModels:
    """Works as services.spam.scoring.SpamModels."""

    models: SpamModels
    ids: Ids

    @property
    def shared(self) -> Model:
        return self.models.shared

    async def of_account(self, account_id: AccountId) -> Model | None:
        try:
            return await self.models.of_account(await self.ids.on_server(account_id))
        except NotFound:
            return None


@dataclass(frozen=True, slots=True)
class LiveAcquaintances:
    """Works as services.spam.scoring.AccountSource."""

    acquainted: Acquainted
    ids: Ids

    async def findings(self, mail: Examined, account: Account) -> Sequence[Finding]:
        try:
            account_id = await self.ids.on_server(account.account_id)
        except NotFound:
            return ()
        return await self.acquainted.findings(mail, replace(account, account_id=account_id))


class LiveMailboxes:
    """Works as ports.mailboxes.DeliveryMailboxes, over mailboxes of its own: those that are there, and those that are
    made."""

    def __init__(self, own: DeliveryMailboxes, server: DeliveryMailboxes, ids: Ids) -> None:
        self._own = own
        self._server = server
        self._ids = ids

    async def list(self, account_id: AccountId) -> Sequence[Mailbox]:
        return await self._own.list(account_id)

    async def find(self, account_id: AccountId, names: Sequence[str]) -> Mailbox | None:
        if await self._is_there(account_id, names):
            return await ReadyMailboxes(self._own).find(account_id, names)
        return await self._own.find(account_id, names)

    async def create(
        self, account_id: AccountId, *, parent_id: MailboxId | None, name: str, role: MailboxRole | None = None
    ) -> Mailbox:
        return await self._own.create(account_id, parent_id=parent_id, name=name, role=role)

    async def subscribe(self, account_id: AccountId, mailbox_id: MailboxId, *, is_subscribed: bool) -> None:
        await self._own.subscribe(account_id, mailbox_id, is_subscribed=is_subscribed)

    async def _is_there(self, account_id: AccountId, names: Sequence[str]) -> bool:
        try:
            return await self._server.find(await self._ids.on_server(account_id), names) is not None
        except NotFound:
            return False
