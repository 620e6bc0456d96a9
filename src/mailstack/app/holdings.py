"""How much mail accounts of a store hold: what the reconciler asks before it destroys one or lowers its quota."""

from collections.abc import Mapping, Sequence

from mailstack.app.clock import system_clock
from mailstack.app.silence import Silence
from mailstack.app.store_address import StoreAddress
from mailstack.app.stores import open_store
from mailstack.reconcile.brake import MailHolders


def holders_in(storage: StoreAddress) -> MailHolders:
    """Looks through a store of its own, for reading only: to ask must not make an account's file."""

    async def holders(logins: Sequence[str]) -> Mapping[str, int]:
        store = await open_store(storage, clock=system_clock, bus=Silence(), read_only=True)
        try:
            return await store.upkeep.held(logins)
        finally:
            await store.close()

    return holders
