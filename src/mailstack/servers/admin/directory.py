"""Accounts, domains and what goes with them as they are applied, read once for each generation.

Of ten thousand accounts, that takes a while.
"""

from mailstack.model.resource import Kind, Snapshot
from mailstack.ports.state import State

KINDS = (Kind.ACCOUNT, Kind.DOMAIN, Kind.ALIAS, Kind.LIST, Kind.DKIM_KEY, Kind.DMARC)


class Directory:
    def __init__(self, state: State) -> None:
        self._state = state
        self._held: Snapshot | None = None

    async def snapshot(self) -> Snapshot:
        held = self._held
        if held is None or held.generation != await self._state.generation():
            held = self._held = await self._state.snapshot(KINDS)
        return held
