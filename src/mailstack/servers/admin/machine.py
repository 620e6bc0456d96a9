"""What the overview says of the machine that a page comes from: one of several nodes, perhaps."""

from collections.abc import Sequence
from dataclasses import dataclass

LITTLE_BYTES = 1 << 30
LITTLE_PART = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerProcess:
    """memory_bytes: None for one that is gone."""

    pid: int
    memory_bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """name: as it calls itself. upkeep: which of several nodes looks after keys, certificates and drift, "" where this
    one is alone. versions: of what it runs on. free_bytes, size_bytes: of the disk that its storage lies on."""

    name: str
    upkeep: str
    versions: Sequence[str]
    free_bytes: int
    size_bytes: int
    workers: Sequence[WorkerProcess]

    @property
    def has_little_room(self) -> bool:
        return self.free_bytes < max(LITTLE_BYTES, LITTLE_PART * self.size_bytes)
