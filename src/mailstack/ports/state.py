"""What apply reads and writes: resources, their secrets, the generation counter, and what it published last."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from mailstack.model.ids import Generation
from mailstack.model.published import PublishedSet
from mailstack.model.resource import Kind, Resource, ResourceChange, Snapshot, Summary


class State(Protocol):
    async def snapshot(self, kinds: Collection[Kind] | None = None) -> Snapshot:
        """Resources of these kinds; None: all."""
        ...

    async def resources(self, kind: Kind, names: Collection[str]) -> Mapping[str, Resource]:
        """By name, as a snapshot has them, without reading the others; of those that there are."""
        ...

    async def people(self) -> Sequence[tuple[str, str]]:
        """Login and name of each account, by login."""
        ...

    async def generation(self) -> Generation: ...

    async def summary(self) -> Summary:
        """What status shows, without reading a single resource."""
        ...

    async def administrator(self) -> str | None:
        """The login that comes first among administrators who take mail."""
        ...

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

    async def write_as_user(self, kind: Kind, name: str, secrets: Mapping[str, str]) -> Generation:
        """The user's own values from here on (Resource.by_user), as the next generation: an apply leaves them alone
        until the spec's digest of them changes. NotFound: there is no such resource."""
        ...

    async def is_given(self, kind: Kind, name: str, secret: str) -> bool:
        """The spec gave this secret last, and no user has written another one since."""
        ...

    async def published(self) -> Mapping[str, Sequence[PublishedSet]]:
        """By zone, what note_published was told last."""
        ...

    async def note_published(self, zone: str, sets: Sequence[PublishedSet]) -> None:
        """In place of all that was known of the zone; no sets: it is forgotten. No generation: nothing is served
        differently."""
        ...
