"""Files that a running server keeps beside its store: the lock with its process id, and what `mailstack status` shows.

Everything is replaced whole, so that a reader never sees half a file.
"""

import fcntl
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import orjson

from mailstack.app.faults import CannotServe

RUN_FOLDER = "run"
SPEC_FOLDER = "spec"


def run_folder(storage: Path) -> Path:
    return storage / RUN_FOLDER


def bus_folder(storage: Path) -> Path:
    return run_folder(storage) / "bus"


def pid_file(storage: Path) -> Path:
    return run_folder(storage) / "mailstack.pid"


def status_file(storage: Path) -> Path:
    return run_folder(storage) / "status.json"


def slowed_file(storage: Path, place: int) -> Path:
    """Of the worker of that place, by app.slowed."""
    return run_folder(storage) / f"slowed-{place}.json"


def take_storage(storage: Path) -> IO[str]:
    """Locks the storage for one running server; keep the file open. Raises CannotServe naming who has it, OSError."""
    for folder in (storage, run_folder(storage)):
        folder.mkdir(parents=True, exist_ok=True, mode=0o750)
    file = pid_file(storage).open("a+")
    try:
        # A record lock ends with its process whatever its children inherited, so a killed server blocks nobody.
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        owner = file.read().strip() or "unknown"
        file.close()
        raise CannotServe(f"{storage} is already served by process {owner} ({pid_file(storage)})") from None
    write_pid(file)
    return file


def write_pid(file: IO[str]) -> None:
    file.seek(0)
    file.truncate()
    file.write(f"{os.getpid()}\n")
    file.flush()


def leave_storage(storage: Path, lock: IO[str]) -> None:
    status_file(storage).unlink(missing_ok=True)
    pid_file(storage).unlink(missing_ok=True)
    lock.close()


def running_pid(storage: Path) -> int | None:
    """The process that serves this storage now, None when nobody does."""
    try:
        with pid_file(storage).open() as file:
            fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return None
    except BlockingIOError:
        text = pid_file(storage).read_text().strip()
        return int(text) if text.isdecimal() else None
    return None


def read_status(storage: Path) -> dict[str, Any] | None:
    """What the running server says of itself; None when none is running."""
    return None if running_pid(storage) is None else written_status(storage)


def written_status(storage: Path) -> dict[str, Any] | None:
    """For the running server's own processes: who looks at its lock from within would let go of it."""
    try:
        found = orjson.loads(status_file(storage).read_bytes())
    except (FileNotFoundError, orjson.JSONDecodeError):
        return None
    if not isinstance(found, dict):
        return None
    return {**found, "slowed": _slowed(storage, found.get("workers", ()))}


def _slowed(storage: Path, pids: Sequence[int]) -> list[dict[str, Any]]:
    """The destinations that workers slow down for, one that several do as one: each has connections of its own."""
    merged: dict[str, dict[str, Any]] = {}
    for file in sorted(run_folder(storage).glob("slowed-*.json")):
        for each in _slowed_in(file, pids):
            one = merged.setdefault(each["destination"], each)
            if one is not each:
                one["connections"] += each["connections"]
                one["most"] += each["most"]
                one["until"], one["why"] = max((found["until"] or "", found["why"]) for found in (one, each))
                one["until"] = one["until"] or None
    return list(merged.values())


def _slowed_in(file: Path, pids: Sequence[int]) -> Sequence[dict[str, Any]]:
    """Nothing of a worker that was killed."""
    try:
        found = orjson.loads(file.read_bytes())
    except (FileNotFoundError, orjson.JSONDecodeError):
        return ()
    return found["slowed"] if found["pid"] in pids else ()


def write_json(path: Path, value: Mapping[str, object], *, mode: int = 0o640) -> None:
    """Atomically: whoever reads it sees the old text or the new one."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
    with os.fdopen(file, "wb") as target:
        target.write(orjson.dumps(value, option=orjson.OPT_INDENT_2))
    draft.replace(path)
