"""Which accounts of a store hold mail: what the reconciler asks before it destroys one."""

from collections.abc import Sequence
from pathlib import Path

from mailstack.app.clock import system_clock
from mailstack.app.silence import Silence
from mailstack.model.errors import Damaged, NotFound
from mailstack.model.principal import Account
from mailstack.reconcile.brake import MailHolders
from mailstack.store.sqlite.open import SqliteStore, open_store


def holders_in(storage: Path) -> MailHolders:
    """Looks through a store of its own, for reading only: to ask must not make an account's file."""

    async def holders(logins: Sequence[str]) -> tuple[str, ...]:
        store = await open_store(storage, clock=system_clock, bus=Silence(), read_only=True)
        try:
            return tuple([login for login in logins if await _holds_mail(store, login)])
        finally:
            await store.close()

    return holders


async def _holds_mail(store: SqliteStore, login: str) -> bool:
    account = await store.accounts.find(login)
    if not isinstance(account, Account):
        return False
    try:
        return await store.messages.used_bytes(account.account_id) > 0
    except NotFound:
        return False  # nothing was ever delivered
    except Damaged:
        return True  # nobody can tell any more what is in it
