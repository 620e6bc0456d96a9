"""Tells `mailstack status` which destinations a worker sends to with fewer connections than it might: a small file for
each worker, written when something has changed."""

import asyncio
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog

from mailstack.app.runfiles import slowed_file, write_json
from mailstack.model.instant import iso
from mailstack.services.outbound.places import Slowed

log = structlog.get_logger()

LOOK_EVERY_S = 3.0


class SlowedTeller:
    """Begins at once. place: that of the worker."""

    def __init__(self, slowed: Callable[[], Sequence[Slowed]], *, storage: Path, place: int) -> None:
        self._slowed = slowed
        self._file = slowed_file(storage, place)
        self._told: Sequence[Slowed] = ()
        self._task = asyncio.get_running_loop().create_task(self._tell_changes())

    async def end(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._file.unlink(missing_ok=True)

    async def _tell_changes(self) -> None:
        while True:
            found = self._slowed()
            if found != self._told:
                self._told = found
                self._write(found)
            await asyncio.sleep(LOOK_EVERY_S)

    def _write(self, found: Sequence[Slowed]) -> None:
        try:
            write_json(self._file, {"pid": os.getpid(), "slowed": [_facts(each) for each in found]})
        except OSError as fault:
            # A full disk must not stop what still works without it.
            log.warning("slowed destinations cannot be told to `mailstack status`", reason=str(fault))


def _facts(slowed: Slowed) -> dict[str, object]:
    return {
        "destination": slowed.destination,
        "connections": slowed.connections,
        "most": slowed.most,
        "until": None if slowed.until is None else iso(slowed.until),
        "why": slowed.why,
    }
