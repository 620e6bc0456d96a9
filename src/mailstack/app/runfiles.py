"""Files that a running server keeps beside its store: the lock with its process id, and what `mailstack status` shows.

Everything is replaced whole, so that a reader never sees half a file.
"""

import fcntl
import os
from collections.abc import Mapping
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
    return found if isinstance(found, dict) else None


def write_json(path: Path, value: Mapping[str, object], *, mode: int = 0o640) -> None:
    """Atomically: whoever reads it sees the old text or the new one."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
    with os.fdopen(file, "wb") as target:
        target.write(orjson.dumps(value, option=orjson.OPT_INDENT_2))
    draft.replace(path)
