"""What apply reads and writes: resources, their secrets, and the generation counter."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from mailstack.model.ids import Generation
from mailstack.model.resource import Kind, ResourceChange, Snapshot


class State(Protocol):
    async def snapshot(self, kinds: Collection[Kind] | None = None) -> Snapshot:
        """Resources of these kinds; None: all."""
        ...

    async def generation(self) -> Generation: ...

    async def digest_key(self) -> bytes:
        """32 random bytes, made with the store, never shown: the key of every digest of a secret."""
        ...

    async def secrets(self, kind: Kind) -> Mapping[str, Mapping[str, str]]:
        """By resource name; only resources that have any. Accounts' passwords are read through Accounts instead."""
        ...

    async def commit(self, changes: Sequence[ResourceChange], *, base: Generation, spec_hash: str) -> Generation:
        """All changes and what the directory derives from them, in one transaction, as the next generation.

        Raises Conflict when the state has moved past `base`. No change and the same spec_hash: writes nothing.
        """
        ...
