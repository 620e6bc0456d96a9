"""A real `mailstack sandbox` as a subprocess, for tests with real clients: started with --ready, always stopped."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest

from mailstack.app.sandbox import sandbox_storage
from mailstack.app.sandbox_state import PORTS
from mailstack.app.store_address import StoreAddress
from tests.support.engines import REFERENCE, is_on_postgres
from tests.support.leash import leashed
from tests.support.ports import claimed, is_free
from tests.support.programs import Program

PATIENCE_S = 180.0
"""With what happens at once unless the machine is busy; whoever waits for something in vain has failed anyway."""
MAILSTACK = (sys.executable, "-m", "mailstack")
BASES = range(10_000, 28_500, 1_100)
_bases: set[int] = set()
"""This process's: there are not so many that each sandbox could have one of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox:
    """A running one. log: what it wrote to standard error, so far."""

    process: subprocess.Popen[bytes]
    ready_file: Path
    log_file: Path
    state: Path
    endpoints: dict[str, tuple[str, int]]
    accounts: dict[str, str]
    ca: Path

    @property
    def log(self) -> str:
        return self.log_file.read_text()

    @property
    def storage(self) -> StoreAddress:
        return sandbox_storage(self.state)

    def port(self, service: str) -> int:
        return self.endpoints[service][1]

    def accounts_now(self) -> dict[str, str]:
        """Those that every worker knows, with their passwords."""
        found = json.loads(self.ready_file.read_text())["accounts"]
        assert isinstance(found, dict)
        return found

    def workers(self) -> list[int]:
        """Process ids, none of one that died since."""
        status = json.loads((self.state / "run" / "status.json").read_text())
        return [pid for pid in status["workers"] if Path(f"/proc/{pid}").exists()]

    def status(self) -> dict[str, object]:
        found = json.loads((self.state / "run" / "status.json").read_text())
        assert isinstance(found, dict)
        return found


@contextmanager
def running_sandbox(spec: Path, folder: Path, *arguments: str, state: Path | None = None) -> Iterator[Sandbox]:
    """folder: for the ready file and the log; state: kept from an earlier start, or a new one in folder."""
    folder.mkdir(parents=True, exist_ok=True)
    ready, log, kept = folder / "ready.json", folder / "sandbox.log", state or folder / "state"
    ready.unlink(missing_ok=True)
    command = [*MAILSTACK, "sandbox", str(spec), "--state", str(kept), "--ready", str(ready)]
    command += ["--base-port", str(free_base_port()), "--log-format", "console", *arguments]
    command += ["--database", REFERENCE] * is_on_postgres()
    with log.open("wb") as stderr:
        process = Program(leashed(command, "TERM"), stdout=subprocess.DEVNULL, stderr=stderr)
    try:
        yield _wait_until_ready(process, ready, log)
    finally:
        stop(process)


def stop(process: subprocess.Popen[bytes]) -> int:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        return process.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise


def free_base_port() -> int:
    """A base above which every service's port is free now, and which no other process of tests takes while this one
    lives, as of tests.support.ports."""
    bases: list[int] = [*_bases, *BASES]
    for base in bases:
        if claimed(f"base-{base}") and all(is_free(base + offset) for offset in PORTS.values()):
            _bases.add(base)
            return base
    raise RuntimeError("no free ports")


def wait_for(condition: object, *, timeout_s: float = PATIENCE_S, what: str = "") -> None:
    """condition: called until it is true."""
    assert callable(condition)
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {timeout_s} s: {what or condition}"
        time.sleep(0.02)


def need(program: str) -> str:
    """The path of a real client."""
    return shutil.which(program) or is_missing(program)


def is_missing(program: str) -> NoReturn:
    """An error in CI, where it must be there, else a skip."""
    if os.environ.get("CI"):
        pytest.fail(f"{program} is not installed")
    pytest.skip(f"{program} is not installed")


def save(file: Path, text: str) -> None:
    """As editors do: written beside, then renamed."""
    draft = file.with_name(f".{file.name}.new")
    draft.write_text(text)
    draft.replace(file)


def run_client(command: Sequence[str], **environment: str) -> subprocess.CompletedProcess[bytes]:
    pipe = subprocess.PIPE
    with Program(command, stdout=pipe, stderr=pipe, env={**os.environ, **environment}) as process:
        try:
            output, faults = process.communicate(timeout=PATIENCE_S)
        finally:
            process.kill()
    return subprocess.CompletedProcess(command, process.returncode, output, faults)


def _wait_until_ready(process: subprocess.Popen[bytes], ready: Path, log: Path) -> Sandbox:
    wait_for(lambda: ready.exists() or process.poll() is not None, what=f"ready; see {log}")
    assert process.poll() is None, log.read_text()
    found = json.loads(ready.read_text())
    return Sandbox(
        process=process,
        ready_file=ready,
        log_file=log,
        state=Path(found["state"]),
        endpoints={service: (host, port) for service, (host, port) in found["endpoints"].items()},
        accounts=found["accounts"],
        ca=Path(found["ca"]),
    )
