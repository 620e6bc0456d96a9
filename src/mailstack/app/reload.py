"""When to look at the spec again: its files changed, somebody sent SIGHUP, another process applied something.

What is due by the clock is app.due's; what then happens is the supervisor's.
"""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from enum import StrEnum
from pathlib import Path

from watchfiles import Change, awatch

GATHER_MS = 400
QUIET_MS = 30
SPEC_SUFFIXES = (".yaml", ".yml")
# Kubernetes swaps a whole folder of files by renaming this symlink.
KUBERNETES_LINK = "..data"


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
    """Gives Reason.FILES when one of the files changes, or a YAML file beside them appears."""

    def __init__(self, reasons: Reasons) -> None:
        self._reasons = reasons
        self._files: frozenset[Path] = frozenset()
        self._task: asyncio.Task[None] | None = None

    async def follow(self, files: Iterable[str], *, read_at_ns: int) -> None:
        """files: absolute. read_at_ns: when the spec began to be read, so that no save since then is missed."""
        wanted = frozenset(map(Path, files))
        if wanted != self._files:
            await self.end()
            self._files = wanted
            self._task = asyncio.get_running_loop().create_task(self._watch(wanted))
            await asyncio.sleep(0)
        if any(_changed_ns(file) > read_at_ns for file in wanted):
            self._reasons.give(Reason.FILES)

    async def end(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _watch(self, files: frozenset[Path]) -> None:
        # Editors and GitOps agents replace files by renaming: a watch on the file itself would follow the old one.
        folders = sorted({str(file.parent) for file in files if file.parent.is_dir()})
        async for _ in awatch(
            *folders, watch_filter=_filter(files), recursive=False, debounce=GATHER_MS, step=QUIET_MS
        ):
            self._reasons.give(Reason.FILES)


def _changed_ns(file: Path) -> int:
    try:
        return file.stat().st_ctime_ns
    except OSError:
        return 0


def _filter(files: frozenset[Path]) -> Callable[[Change, str], bool]:
    def is_relevant(_change: Change, name: str) -> bool:
        path = Path(name)
        return path in files or path.suffix in SPEC_SUFFIXES or path.name == KUBERNETES_LINK

    return is_relevant
