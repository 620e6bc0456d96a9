"""ports.state.State in memory, for tests of what plans and applies."""

from collections.abc import Collection, Mapping, Sequence

from mailstack.model.errors import Conflict
from mailstack.model.ids import Generation
from mailstack.model.resource import Kind, Operation, Resource, ResourceChange, Snapshot


class MemoryState:
    """writes counts commits that wrote something."""

    def __init__(self, *, digest_key: bytes = b"k" * 32) -> None:
        self.writes = 0
        self._digest_key = digest_key
        self._generation = Generation(0)
        self._spec_hash = ""
        self._resources: dict[tuple[Kind, str], Resource] = {}
        self._secrets: dict[tuple[Kind, str], dict[str, str]] = {}

    async def snapshot(self, kinds: Collection[Kind] | None = None) -> Snapshot:
        wanted = set(Kind) if kinds is None else set(kinds)
        resources = {key: resource for key, resource in self._resources.items() if key[0] in wanted}
        return Snapshot(generation=self._generation, spec_hash=self._spec_hash, resources=resources)

    async def generation(self) -> Generation:
        return self._generation

    async def digest_key(self) -> bytes:
        return self._digest_key

    async def secrets(self, kind: Kind) -> Mapping[str, Mapping[str, str]]:
        return {name: dict(found) for (of, name), found in self._secrets.items() if of is kind and found}

    async def commit(self, changes: Sequence[ResourceChange], *, base: Generation, spec_hash: str) -> Generation:
        if base != self._generation:
            raise Conflict("moved")
        if not changes and spec_hash == self._spec_hash:
            return self._generation
        for change in changes:
            self._write(change)
        self.writes += 1
        self._generation = Generation(self._generation + 1)
        self._spec_hash = spec_hash
        return self._generation

    def _write(self, change: ResourceChange) -> None:
        key = (change.resource.kind, change.resource.name)
        if change.operation is Operation.DESTROY:
            del self._resources[key]
            self._secrets.pop(key, None)
            return
        if change.operation is Operation.MOVE:
            old = (change.resource.kind, change.moved_from)
            self._resources[key] = self._resources.pop(old)
            self._secrets[key] = self._secrets.pop(old, {})
        if (key in self._resources) != (change.operation is not Operation.CREATE):
            raise AssertionError(f"{change.operation} of {key}")
        held = {**self._secrets.get(key, {}), **change.secrets}
        self._resources[key] = change.resource
        self._secrets[key] = {name: value for name, value in held.items() if name in change.resource.digests}
