"""What a process knows of itself alone: how late its loop is, its time of the processor, its memory and files."""

import asyncio
import os
import resource
import time
from contextlib import suppress
from pathlib import Path

from mailstack.model.metrics import CPU_SECONDS, LAG_SECONDS, MEMORY_BYTES, OPEN_FILES, PROCESSES
from mailstack.ports.metrics import Metrics

BEAT_S = 1.0
SLOW_BEATS = 10
"""Memory and files are looked at once in as many."""
STATM = Path("/proc/self/statm")
FILES = "/proc/self/fd"


class Pulse:
    """Begins at once, in the process and on the loop that it is of."""

    def __init__(self, metrics: Metrics, role: str) -> None:
        self._metrics = metrics
        self._role = role
        self._cpu_s = 0.0
        metrics.put(PROCESSES, 1, role)
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def end(self) -> None:
        """What it used of the processor since the last beat counts too."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._note_cpu()
        self._metrics.put(PROCESSES, 0, self._role)

    async def _run(self) -> None:
        beats = 0
        while True:
            if beats % SLOW_BEATS == 0:
                self._note_size()
            self._note_cpu()
            beats += 1
            due_at = time.monotonic() + BEAT_S
            await asyncio.sleep(BEAT_S)
            self._metrics.observe(LAG_SECONDS, max(0.0, time.monotonic() - due_at), self._role)

    def _note_cpu(self) -> None:
        now_s = time.process_time()
        self._metrics.add(CPU_SECONDS, self._role, by=now_s - self._cpu_s)
        self._cpu_s = now_s

    def _note_size(self) -> None:
        """Nothing where the system does not say."""
        with suppress(OSError):
            pages = int(STATM.read_text().split()[1])
            self._metrics.put(MEMORY_BYTES, pages * resource.getpagesize(), self._role)
            self._metrics.put(OPEN_FILES, _open_files(), self._role)


def _open_files() -> int:
    """Linux has told the number as the folder's size since 6.2; before that it is counted."""
    return os.stat(FILES).st_size or len(os.listdir(FILES))  # noqa: PTH116, PTH208  a path would be made for each
