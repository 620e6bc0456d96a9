"""How much mail accounts of a store hold: what the reconciler asks before it destroys one or lowers its quota."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from mailstack.app.clock import system_clock
from mailstack.app.silence import Silence
from mailstack.model.errors import Damaged, NotFound
from mailstack.model.principal import Account
from mailstack.reconcile.brake import MailHolders
from mailstack.store.sqlite.open import SqliteStore, open_store

UNKNOWN_BYTES = 1
"""Of an account whose file is damaged: nobody can tell any more what is in it."""


def holders_in(storage: Path) -> MailHolders:
    """Looks through a store of its own, for reading only: to ask must not make an account's file."""

    async def holders(logins: Sequence[str]) -> Mapping[str, int]:
        store = await open_store(storage, clock=system_clock, bus=Silence(), read_only=True)
        try:
            held = {login: await _held_bytes(store, login) for login in logins}
            return {login: size_bytes for login, size_bytes in held.items() if size_bytes}
        finally:
            await store.close()

    return holders


async def _held_bytes(store: SqliteStore, login: str) -> int:
    account = await store.accounts.find(login)
    if not isinstance(account, Account):
        return 0
    try:
        return await store.messages.used_bytes(account.account_id)
    except NotFound:
        return 0  # nothing was ever delivered
    except Damaged:
        return UNKNOWN_BYTES
