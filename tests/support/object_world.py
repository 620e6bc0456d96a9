"""Writers and collectors of objects in one little world, which lets exactly one of them take a step at a time.

The tables behave as PostgreSQL's at READ COMMITTED: a statement sees what was committed before it, and waits for rows
that others have locked. A request to delete may arrive long after whoever sent it has given up, or died; clocks are
wrong by days.
"""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, TypeVar

from mailstack.model.errors import TryAgainLater
from mailstack.model.instant import DAY_MS, Instant
from mailstack.store.s3.bucket import Listed
from mailstack.store.s3.collector import Collector

Result = TypeVar("Result")


class Sabotage(Enum):
    """What the rules are there for: without one of them, something is lost."""

    NONE = "none"
    NO_SECOND_LOOK = "objects are deleted without looking for rows again"
    NAMES_ARE_REUSED = "a name that is being deleted is put again, and claimed"
    NO_CLAIM = "a writer trusts the object that it saw"
    NO_LOCK = "collector and writers do not wait for each other"


class Lost(Exception):
    """A row names an object that is not there."""


@dataclass(slots=True)
class _Row:
    state: str
    since: int


@dataclass(slots=True)
class World:
    """objects: when each was put. rows: how many name it. states: of blob_object. locked: by a transaction that is not
    over. busy: names that somebody is on the way with: a writer between put and commit, a collector that is about to
    delete them, a late request. None of them is on the way for as long as a tombstone stands."""

    chance: random.Random
    sabotage: Sabotage = Sabotage.NONE
    now: int = 100 * DAY_MS
    objects: dict[str, int] = field(default_factory=dict)
    rows: Counter[str] = field(default_factory=Counter)
    states: dict[str, _Row] = field(default_factory=dict)
    locked: dict[str, object] = field(default_factory=dict)
    busy: Counter[str] = field(default_factory=Counter)
    waiting: list[asyncio.Future[None]] = field(default_factory=list)
    tasks: set["asyncio.Task[Any]"] = field(default_factory=set)
    names: int = 0
    kept: int = 0
    deletions: int = 0

    async def step(self) -> None:
        """Others may go first, as many as they like."""
        turn = asyncio.get_running_loop().create_future()
        self.waiting.append(turn)
        await turn
        self.check()

    async def dally(self) -> None:
        """Most take the next step soon, and some much later."""
        for _ in range(self.chance.choice([1, 1, 2, 5, 20, 60])):
            await self.step()

    async def lock(self, name: str, owner: object) -> None:
        while self.sabotage is not Sabotage.NO_LOCK and self.locked.get(name, owner) is not owner:
            await self.step()
        self.locked[name] = owner

    def unlock(self, owner: object) -> None:
        self.locked = {name: its for name, its in self.locked.items() if its is not owner}

    def check(self) -> None:
        for name, count in self.rows.items():
            if count and name not in self.objects:
                raise Lost(name)

    async def run(self, tasks: Sequence[Coroutine[Any, Any, None]]) -> None:
        """Until all of them are done. Raises Lost."""
        running = {self.start(task) for task in tasks}
        while running:
            for _ in range(3):
                await asyncio.sleep(0)
            for task in [task for task in running if task.done()]:
                running.discard(task)
                task.result()
            if self.chance.random() < 0.1:
                self.now += self.chance.choice([1, DAY_MS // 2, 2 * DAY_MS])
            self.let_one_go()

    def start(self, task: Coroutine[Any, Any, Result]) -> "asyncio.Task[Result]":
        started = asyncio.create_task(task)
        self.tasks.add(started)
        return started

    async def end(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    def let_one_go(self) -> None:
        self.waiting = [turn for turn in self.waiting if not turn.done()]
        if self.waiting:
            self.waiting.pop(self.chance.randrange(len(self.waiting))).set_result(None)

    async def come_to_rest(self) -> None:
        """Late requests arrive, and collectors run for some days while nobody writes."""
        while self.waiting:
            self.let_one_go()
            await asyncio.sleep(0)
        for _ in range(4):
            self.now += 10 * DAY_MS
            await self.run([self._collected()])

    async def _collected(self) -> None:
        for _ in range(100):
            with suppress(TryAgainLater):
                await self._collect(0)
                return

    async def _collect(self, skew_ms: int) -> None:
        objects = _Objects(self)
        try:
            await Collector(_Store(self), objects, clock=lambda: Instant(self.now + skew_ms)).run()
        finally:
            self.busy.subtract(objects.held)

    async def writer(self, content: str) -> None:
        """Stores it, or gives up; and perhaps lets go of it again."""
        await self.dally()
        retired: set[str] = set()
        for _ in range(3):
            name = self._name(content, retired)
            self.busy[name] += 1
            try:
                stored = await self._store(name, retired)
            finally:
                self.busy[name] -= 1
            if stored:
                break
        else:
            return
        if self.chance.random() < 0.8:
            await self.dally()
            self.rows[name] -= 1

    def _name(self, content: str, retired: set[str]) -> str:
        if content not in retired or self.sabotage is Sabotage.NAMES_ARE_REUSED:
            return content
        self.names += 1
        return f"{content}.{self.names}"

    async def _store(self, name: str, retired: set[str]) -> bool:
        await self.step()
        self.objects.setdefault(name, self.now)
        await self.dally()
        transaction = object()
        try:
            if not await self._claim(name, transaction):
                retired.add(name)
                return False
            await self.dally()
            if self.chance.random() < 0.2:
                return False  # rolled back
            self.rows[name] += 1
            self.kept += 1
            if self.sabotage is not Sabotage.NO_CLAIM:
                self.states[name] = _Row("named", 0)
            return True
        finally:
            self.unlock(transaction)

    async def _claim(self, name: str, transaction: object) -> bool:
        """The state is written by the commit; until then the lock keeps others from it."""
        if self.sabotage is Sabotage.NO_CLAIM:
            return True
        await self.lock(name, transaction)
        row = self.states.get(name)
        if self.sabotage is Sabotage.NAMES_ARE_REUSED and row is not None and row.state == "deleted":
            return True
        return row is None or row.state in ("named", "marked")

    async def collector(self, runs: int) -> None:
        """With a clock of its own, which is wrong."""
        skew = self.chance.choice([0, -5 * 60_000, 5 * 60_000, 3 * DAY_MS])
        for _ in range(runs):
            await self.step()
            collecting = self.start(self._collect(skew))
            while not collecting.done():
                await self.step()
                if self.chance.random() < 0.01:
                    collecting.cancel()  # the node died
            try:
                await collecting
            except (asyncio.CancelledError, TryAgainLater):
                continue


@dataclass(slots=True)
class _Store:
    world: World

    async def pages(self) -> AsyncIterator[Sequence[Listed]]:
        names = sorted(self.world.objects)
        for start in range(0, len(names), 2):
            await self.world.step()
            yield [
                Listed(name, Instant(self.world.objects[name]))
                for name in names[start : start + 2]
                if name in self.world.objects
            ]

    async def delete(self, names: Sequence[str]) -> None:
        for name in names:
            self.world.busy[name] += 1
            arriving = self.world.start(self._arrive(name))
            if self.world.chance.random() < 0.2:
                raise TryAgainLater("no answer")
            await arriving

    async def _arrive(self, name: str) -> None:
        for _ in range(self.world.chance.choice([0, 0, 1, 30])):
            await self.world.step()
        self.world.objects.pop(name, None)
        self.world.deletions += 1
        self.world.busy[name] -= 1
        self.world.check()


@dataclass(slots=True)
class _Objects:
    """Of one run of a collector. held: what it may be about to delete."""

    world: World
    held: Counter[str] = field(default_factory=Counter)

    async def named(self, files: Sequence[str]) -> frozenset[str]:
        await self.world.step()
        return frozenset(file for file in files if self.world.rows[file])

    async def mark(self, files: Sequence[str], *, now: Instant) -> None:
        await self._each(files, lambda _, row: _Row("marked", now) if row is None or row.state == "named" else row)

    async def marked(self, *, before: Instant) -> Sequence[str]:
        return await self._in_state("marked", before)

    async def condemn(self, files: Sequence[str], *, before: Instant, now: Instant) -> Sequence[str]:
        def condemned(file: str, row: _Row | None) -> _Row | None:
            if row is None or row.state != "marked" or row.since > before:
                return row
            is_named = self.world.rows[file] and self.world.sabotage is not Sabotage.NO_SECOND_LOOK
            return _Row("named", 0) if is_named else _Row("deleting", now)

        return self._hold(await self._each(files, condemned))

    async def condemned(self) -> Sequence[str]:
        await self.world.step()
        return self._hold(sorted(self.world.states.items()))

    async def bury(self, files: Sequence[str], *, now: Instant) -> None:
        await self._each(files, lambda _, row: _Row("deleted", now) if row and row.state == "deleting" else row)

    async def exhume(self, files: Sequence[str], *, now: Instant) -> Sequence[str]:
        changed = await self._each(
            files, lambda _, row: _Row("deleting", now) if row and row.state == "deleted" else row
        )
        return self._hold(changed)

    async def forget(self, *, before: Instant) -> None:  # noqa: ARG002 - the port's
        """That it is late enough is what TOMBSTONE_MS is for: nobody is on the way with one of these names."""
        await self.world.step()
        for file, row in list(self.world.states.items()):
            if row.state == "deleted" and not self.world.busy[file]:
                del self.world.states[file]

    async def _each(
        self, files: Sequence[str], change: Callable[[str, _Row | None], _Row | None]
    ) -> list[tuple[str, _Row | None]]:
        """In one transaction; returns those that it changed."""
        await self.world.step()
        transaction, changed = object(), list[tuple[str, _Row | None]]()
        try:
            for file in sorted(files):
                await self.world.lock(file, transaction)
            await self.world.step()
            for file in files:
                row = self.world.states.get(file)
                if (new := change(file, row)) is not row:
                    changed.append((file, new))
            await self.world.step()
            self.world.states.update({file: row for file, row in changed if row is not None})
        finally:
            self.world.unlock(transaction)
        await self.world.step()
        return changed

    async def _in_state(self, state: str, before: Instant) -> Sequence[str]:
        await self.world.step()
        return [file for file, row in sorted(self.world.states.items()) if row.state == state and row.since <= before]

    def _hold(self, rows: Sequence[tuple[str, _Row | None]]) -> list[str]:
        found = [file for file, row in rows if row is not None and row.state == "deleting"]
        self.held.update(found)
        self.world.busy.update(found)
        return found
