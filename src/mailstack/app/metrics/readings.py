"""What is looked up when somebody asks for the figures: what is in the store, on the disk, and in the generation.

Each source is asked for itself: one that hangs or fails leaves its own figures out, and says so in SCRAPE_ERROR.
"""

import asyncio
import platform
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mailstack
from mailstack.app.blueprint import Blueprint
from mailstack.app.metrics.kept import Kept
from mailstack.app.runfiles import written_status
from mailstack.model.instant import SECOND_MS, Clock, from_iso
from mailstack.model.metric import Metric, gauge
from mailstack.model.queue_entry import QueueFigures, Status
from mailstack.model.resource import CertificateBody, DkimKeyBody, KeyState, Summary
from mailstack.ports.queue import Queue
from mailstack.ports.state import State

BUILD = gauge("build_info", "Always 1; what runs.", version=(), python=())
GENERATION = gauge("generation", "Which one the process serves that was asked.")
APPLIED_GENERATION = gauge("applied_generation", "Which one was applied last; ahead of the other while it is built.")
STARTED = gauge("start_time_seconds", "When the server started, as Unix time.")
RELOAD_OK = gauge("last_reload_successful", "Whether the last reload took; 1 where there was none.")
RELOADED = gauge("last_reload_timestamp_seconds", "When it was tried, as Unix time; 0 where there was none.")
UPKEEP_FAILING = gauge("upkeep_failing", "How many times in a row upkeep has failed; it is tried again.")
DRIFT = gauge("drift_items", "What was not as it was applied, when that was found the last time.")
DRIFT_FOUND = gauge("drift_found_timestamp_seconds", "When that was, as Unix time; 0 where it never was.")
DRIFT_CHECKED = gauge("drift_checked_timestamp_seconds", "When it was looked for drift, as Unix time; 0 for never.")
RESOURCES = gauge("resources", "What is applied, by kind.", kind=())
QUEUE_RECIPIENTS = gauge("queue_recipients", "Recipients in the queue.", status=tuple(Status))
QUEUE_DUE = gauge("queue_due_recipients", "Of those that wait, those whose time has come.")
QUEUE_MAILS = gauge("queue_mails", "Mails in the queue, whatever their recipients.")
QUEUE_BYTES = gauge("queue_bytes", "Octets of the mails in the queue.")
QUEUE_OLDEST = gauge(
    "queue_oldest_age_seconds", "How long the oldest recipient has been in the queue; 0 where none is."
)
BANS = gauge("bans_in_force", "Addresses that are banned now, by any node.")
STORAGE_FREE = gauge("storage_free_bytes", "Room for mailstack on the disk of its storage folder.")
STORAGE_SIZE = gauge("storage_size_bytes", "All of the disk that the storage folder is on.")
CERTIFICATE_ENDS = gauge(
    "certificate_not_after_timestamp_seconds", "When a certificate ends, as Unix time.", certificate=()
)
KEY_SINCE = gauge(
    "dkim_key_since_timestamp_seconds",
    "Since when a DKIM key is in its state, as Unix time; 0 where nobody noted it.",
    domain=(),
    selector=(),
    state=tuple(KeyState),
)
SOURCES = ("queue", "state", "disk")
SCRAPE_ERROR = gauge("scrape_error", "1 where a source could not be read in time.", source=SOURCES)

ALL = (
    BUILD,
    GENERATION,
    APPLIED_GENERATION,
    STARTED,
    RELOAD_OK,
    RELOADED,
    UPKEEP_FAILING,
    DRIFT,
    DRIFT_FOUND,
    DRIFT_CHECKED,
    RESOURCES,
    QUEUE_RECIPIENTS,
    QUEUE_DUE,
    QUEUE_MAILS,
    QUEUE_BYTES,
    QUEUE_OLDEST,
    BANS,
    STORAGE_FREE,
    STORAGE_SIZE,
    CERTIFICATE_ENDS,
    KEY_SINCE,
    SCRAPE_ERROR,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """labels: values, in the order of the metric's own."""

    metric: Metric
    labels: tuple[str, ...] = ()
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Disk:
    """status: as the supervisor wrote it last, empty where it wrote none."""

    free_bytes: int
    size_bytes: int
    status: Mapping[str, Any]


class Readings:
    """Of one generation, in one worker. storage: the folder."""

    def __init__(
        self, blueprint: Blueprint, *, queue: Queue, state: State, storage: Path, bans: Callable[[], int], clock: Clock
    ) -> None:
        self._blueprint = blueprint
        self._storage = storage
        self._bans = bans
        self._clock = clock
        self._queue: Kept[QueueFigures] = Kept("queue", lambda: queue.figures(now=clock(), domains=0))
        self._state: Kept[Summary] = Kept("state", state.summary)
        self._disk: Kept[_Disk] = Kept("disk", self._look_at_disk)

    async def read(self) -> list[Reading]:
        queue, state, disk = await asyncio.gather(self._queue.get(), self._state.get(), self._disk.get())
        return [
            *self._of_generation(),
            *(() if state is None else _of_state(state)),
            *(() if queue is None else self._of_queue(queue)),
            *(() if disk is None else _of_disk(disk)),
            _one(BANS, self._bans()),
            *(
                Reading(metric=SCRAPE_ERROR, labels=(source,), value=found is None)
                for source, found in zip(SOURCES, (queue, state, disk), strict=True)
            ),
        ]

    async def _look_at_disk(self) -> _Disk:
        return await asyncio.to_thread(self._disk_now)

    def _disk_now(self) -> _Disk:
        usage = shutil.disk_usage(self._storage)
        return _Disk(free_bytes=usage.free, size_bytes=usage.total, status=written_status(self._storage) or {})

    def _of_generation(self) -> Iterator[Reading]:
        version = (mailstack.__version__, platform.python_version())
        yield Reading(metric=BUILD, labels=version, value=1)
        yield _one(GENERATION, self._blueprint.generation)
        for name, certificate in sorted(self._blueprint.bodies(CertificateBody).items()):
            yield Reading(metric=CERTIFICATE_ENDS, labels=(name,), value=_seconds(certificate.not_after))
        for _, key in sorted(self._blueprint.bodies(DkimKeyBody).items()):
            yield Reading(metric=KEY_SINCE, labels=(key.domain, key.selector, key.state), value=_seconds(key.since))

    def _of_queue(self, queue: QueueFigures) -> Iterator[Reading]:
        for status in Status:
            yield Reading(metric=QUEUE_RECIPIENTS, labels=(status.value,), value=queue.statuses.get(status, 0))
        yield _one(QUEUE_DUE, queue.due)
        yield _one(QUEUE_MAILS, queue.mails)
        yield _one(QUEUE_BYTES, queue.size_bytes)
        age_ms = 0 if queue.oldest_at is None else max(0, self._clock() - queue.oldest_at)
        yield _one(QUEUE_OLDEST, age_ms / SECOND_MS)


def _of_state(state: Summary) -> Iterator[Reading]:
    yield _one(APPLIED_GENERATION, state.generation)
    for kind, count in state.counts.items():
        yield Reading(metric=RESOURCES, labels=(kind.value,), value=count)


def _of_disk(disk: _Disk) -> Iterator[Reading]:
    yield _one(STORAGE_FREE, disk.free_bytes)
    yield _one(STORAGE_SIZE, disk.size_bytes)
    status = disk.status
    reload, drift = status.get("reload") or {}, status.get("drift") or {}
    yield _one(STARTED, _seconds(status.get("started_at")))
    yield _one(RELOAD_OK, reload.get("ok", True))
    yield _one(RELOADED, _seconds(reload.get("at")))
    yield _one(UPKEEP_FAILING, (status.get("upkeep") or {}).get("failures", 0))
    yield _one(DRIFT, drift.get("count", 0))
    yield _one(DRIFT_FOUND, _seconds(drift.get("at")))
    yield _one(DRIFT_CHECKED, _seconds(status.get("drift_checked_at")))


def _one(metric: Metric, value: float) -> Reading:
    return Reading(metric=metric, value=value)


def _seconds(text: str | None) -> float:
    """Unix time; 0 where nothing was written."""
    instant = from_iso(text or "")
    return 0.0 if instant is None else instant / SECOND_MS
