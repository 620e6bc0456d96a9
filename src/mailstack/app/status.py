"""What `mailstack status` shows of a running server: kept in one file beside the store, replaced at each change."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import structlog

import mailstack
from mailstack.app.clock import system_clock
from mailstack.app.runfiles import status_file, write_json
from mailstack.app.sockets import Endpoint
from mailstack.model.instant import Instant, iso
from mailstack.model.source import Source
from mailstack.net.own_address import is_own

log = structlog.get_logger()


MOST_DRIFT = 20


class Status:
    def __init__(self, storage: Path, spec: str) -> None:
        self._file = status_file(storage)
        self._fields: dict[str, object] = {
            "pid": os.getpid(),
            "version": mailstack.__version__,
            "started_at": _now(),
            "spec": spec,
        }

    def standing(
        self, *, generation: int, workers: list[int], endpoints: Iterable[Endpoint], sources: Iterable[Source]
    ) -> None:
        """sources: what mail may leave from; which of them are here is looked up now."""
        listeners: dict[str, list[tuple[str, int]]] = {}
        for endpoint in endpoints:
            listeners.setdefault(endpoint.service, []).append((endpoint.path or endpoint.host, endpoint.port))
        found = [{"address": each.address, "ehlo": each.name, "is_here": is_own(each.address)} for each in sources]
        self._write(generation=generation, workers=workers, listeners=listeners, sources=found)

    def reloaded(self, *, generation: int, message: str = "") -> None:
        """message: why the reload failed, "" when it did not."""
        self._write(reload={"at": _now(), "ok": not message, "generation": generation, "message": message})

    def upkeep(self, next_at: Instant | None, *, failures: int, message: str) -> None:
        """message: why what was due is not done yet, "" when nothing is."""
        shown = None if next_at is None else iso(next_at)
        self._write(upkeep={"next_at": shown, "failures": failures, "message": message})

    def looked(self, drift: Sequence[str]) -> None:
        """drift: what was not as it was applied at this look, told until something else is."""
        self._write(drift_checked_at=_now())
        if drift:
            self._write(drift={"at": _now(), "found": list(drift[:MOST_DRIFT]), "count": len(drift)})

    def _write(self, **fields: object) -> None:
        self._fields.update(fields)
        try:
            write_json(self._file, self._fields)
        except OSError as fault:
            # A full disk must not stop what still works without it.
            log.warning("status cannot be written", reason=str(fault))


def _now() -> str:
    return iso(system_clock())
