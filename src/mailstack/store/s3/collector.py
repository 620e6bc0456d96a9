"""Collects objects that nobody names any more: marked at one look, deleted at a second one a grace period later.

That no object which a row names is ever deleted does not rest on clocks or on the grace: it rests on the states that
store.sql.objects describes, and on a name that is being deleted never being used again while its tombstone stands. The
grace keeps uploads that are still on their way out of it, and leaves time to restore a database of yesterday.

Any number of nodes may run it, at once too; a lease only saves the work. One that dies leaves objects that are being
deleted, and the next goes on with them.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from mailstack.model.instant import DAY_MS, Clock, Instant
from mailstack.store.s3.bucket import Bucket, Listed
from mailstack.store.sql.objects import AT_ONCE

GRACE_MS = DAY_MS
TOMBSTONE_MS = 30 * DAY_MS
"""Longer than any request to delete takes to arrive, and than any writer from its look at an object to its commit."""


class Objects(Protocol):
    """What is known of them; each call is one transaction. files: AT_ONCE at most."""

    async def named(self, files: Sequence[str]) -> frozenset[str]:
        """Those that rows name."""
        ...

    async def mark(self, files: Sequence[str], *, now: Instant) -> None:
        """Those that are named by state; a mark keeps its time."""
        ...

    async def marked(self, *, before: Instant) -> Sequence[str]:
        """AT_ONCE of them, the oldest first."""
        ...

    async def condemn(self, files: Sequence[str], *, before: Instant, now: Instant) -> Sequence[str]:
        """From marked, since `before` or longer, to deleting where no row names them; the others lose their mark.
        Returns those that may be deleted now."""
        ...

    async def condemned(self) -> Sequence[str]:
        """AT_ONCE of those that are being deleted."""
        ...

    async def bury(self, files: Sequence[str], *, now: Instant) -> None:
        """From deleting to deleted."""
        ...

    async def exhume(self, files: Sequence[str], *, now: Instant) -> Sequence[str]:
        """From deleted back to deleting. Returns those that may be deleted now."""
        ...

    async def forget(self, *, before: Instant) -> None:
        """Tombstones that are as old."""
        ...


class ObjectStore(Protocol):
    def pages(self) -> AsyncIterator[Sequence[Listed]]:
        """Every object that there is. Raises TryAgainLater."""
        ...

    async def delete(self, names: Sequence[str]) -> None:
        """What is gone already is as good. Raises TryAgainLater: some may be gone."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    marked: int
    deleted: int


class Collector:
    def __init__(self, store: ObjectStore, objects: Objects, *, clock: Clock) -> None:
        self._store = store
        self._objects = objects
        self._clock = clock

    async def run(self) -> Collected:
        """Once a day is often enough. Raises TryAgainLater; what is not done then, another run does."""
        now = self._clock()
        deleted = 0
        while left := await self._objects.condemned():
            deleted += await self._delete(left, now)
        before = Instant(now - GRACE_MS)
        while marked := await self._objects.marked(before=before):
            deleted += await self._delete(await self._objects.condemn(marked, before=before, now=now), now)
        marks = 0
        async for page in self._store.pages():
            old = [each.name for each in page if each.modified_at <= before]
            for some in _parts(old):
                marks += await self._look(some, now)
        await self._objects.forget(before=Instant(now - TOMBSTONE_MS))
        return Collected(marked=marks, deleted=deleted)

    async def _look(self, names: Sequence[str], now: Instant) -> int:
        named = await self._objects.named(names)
        unnamed = [name for name in names if name not in named]
        if not unnamed:
            return 0
        # One that was deleted, and put again by a writer who then had to take another name.
        again = await self._objects.exhume(unnamed, now=now)
        await self._delete(again, now)
        rest = [name for name in unnamed if name not in frozenset(again)]
        await self._objects.mark(rest, now=now)
        return len(rest)

    async def _delete(self, names: Sequence[str], now: Instant) -> int:
        """names: in the state deleting, whoever brought them there."""
        if names:
            await self._store.delete(names)
            await self._objects.bury(names, now=now)
        return len(names)


class BucketInThreads:
    """A Bucket as an ObjectStore."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    async def pages(self) -> AsyncIterator[Sequence[Listed]]:
        listed = self._bucket.listed()
        while (page := await asyncio.to_thread(next, listed, None)) is not None:
            yield page

    async def delete(self, names: Sequence[str]) -> None:
        await asyncio.to_thread(self._bucket.delete, names)


def _parts(names: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(names), AT_ONCE):
        yield names[start : start + AT_ONCE]
