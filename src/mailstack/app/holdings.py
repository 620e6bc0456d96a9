"""How much mail accounts of a store hold: what the reconciler asks before it destroys one or lowers its quota."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from mailstack.app.clock import system_clock
from mailstack.app.silence import Silence
from mailstack.reconcile.brake import MailHolders
from mailstack.store.sqlite.open import open_store


def holders_in(storage: Path) -> MailHolders:
    """Looks through a store of its own, for reading only: to ask must not make an account's file."""

    async def holders(logins: Sequence[str]) -> Mapping[str, int]:
        store = await open_store(storage, clock=system_clock, bus=Silence(), read_only=True)
        try:
            return await store.upkeep.held(logins)
        finally:
            await store.close()

    return holders
