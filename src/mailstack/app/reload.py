"""When to look at the spec again: its files changed, somebody sent SIGHUP, another process applied something.

What is due by the clock is app.due's; what then happens is the supervisor's.
"""

import asyncio
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from enum import StrEnum
from pathlib import Path

from watchfiles import Change, awatch

GATHER_MS = 400
QUIET_MS = 30
SPEC_SUFFIXES = (".yaml", ".yml", ".sieve")
# Kubernetes swaps a whole folder of files by renaming this symlink.
KUBERNETES_LINK = "..data"
MOST_LINKS = 40  # as Linux follows them


class Reason(StrEnum):
    """In the order of what they ask for: reading the spec again finds what another process applied, too."""

    FILES = "files changed"
    SIGNAL = "SIGHUP"
    DUE = "something is due"
    APPLIED = "applied by another process"


class Reasons:
    """Gathers reasons while a reload is under way; many saves make one reload."""

    def __init__(self) -> None:
        self._given: set[Reason] = set()
        self._woken = asyncio.Event()

    def give(self, reason: Reason) -> None:
        self._given.add(reason)
        self._woken.set()

    async def next(self) -> Reason:
        await self._woken.wait()
        self._woken.clear()
        reason = min(self._given, key=list(Reason).index)
        self._given.clear()
        return reason


class Watch:
    """Gives Reason.FILES when one of the files changes, or a YAML file or script beside them appears."""

    def __init__(self, reasons: Reasons) -> None:
        self._reasons = reasons
        self._files: tuple[str, ...] = ()
        self._places: frozenset[Path] = frozenset()
        self._changed_ns: dict[Path, int] = {}
        self._task: asyncio.Task[None] | None = None

    async def follow(self, files: Iterable[str], *, read_at_ns: int) -> None:
        """files: absolute. read_at_ns: when the spec began to be read, so that no save since then is missed."""
        self._files = tuple(files)
        places = frozenset(place for file in self._files for place in places_of(Path(file)))
        if places != self._places:
            await self.end()
            self._places = places
            self._task = asyncio.get_running_loop().create_task(self._watch(places))
            await asyncio.sleep(0)
        before, self._changed_ns = self._changed_ns, {place: _changed_ns(place) for place in places}
        # What was known before it was read is no news, though its date lies ahead: clocks are set back, and file
        # servers have clocks of their own.
        if any(at > read_at_ns and at != before.get(place) for place, at in self._changed_ns.items()):
            self._reasons.give(Reason.FILES)

    async def follow_also(self, files: Iterable[str], *, read_at_ns: int) -> None:
        """Besides those that are followed: a spec with faults names files that may be what is wrong with it."""
        await self.follow(dict.fromkeys((*self._files, *files)), read_at_ns=read_at_ns)

    async def end(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _watch(self, places: frozenset[Path]) -> None:
        # Editors and GitOps agents replace files by renaming: a watch on the file itself would follow the old one.
        folders = sorted({str(place.parent) for place in places if place.parent.is_dir()})
        async for _ in awatch(
            *folders, watch_filter=_filter(places), recursive=False, debounce=GATHER_MS, step=QUIET_MS
        ):
            self._reasons.give(Reason.FILES)


def places_of(file: Path) -> Iterator[Path]:
    """The file, every symlink on the way to it, and what these lead to: certificates change by swapping a link."""
    yield file
    for _ in range(MOST_LINKS):
        link = next((part for part in (*reversed(file.parents), file) if part.is_symlink()), None)
        if link is None:
            return
        yield link
        try:
            target = link.parent / link.readlink()
        except OSError:  # it went just now, which its folder tells
            return
        file = Path(os.path.normpath(target / file.relative_to(link)))
        yield file


def _changed_ns(place: Path) -> int:
    try:
        return place.lstat().st_ctime_ns
    except OSError:
        return 0


def _filter(places: frozenset[Path]) -> Callable[[Change, str], bool]:
    def is_relevant(_change: Change, name: str) -> bool:
        path = Path(name)
        return path in places or path.suffix in SPEC_SUFFIXES or path.name == KUBERNETES_LINK

    return is_relevant
