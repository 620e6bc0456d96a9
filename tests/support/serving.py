"""A real `mailstack serve` as a subprocess, on a spec of the test's own; always stopped."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.leash import leashed
from tests.support.namespaces import Namespace
from tests.support.programs import Program
from tests.support.sandbox import MAILSTACK, stop, wait_for


@contextmanager
def serving_spec(
    spec: Path, namespace: Namespace | None = None, /, **environment: str
) -> Iterator["subprocess.Popen[bytes]"]:
    """storage.path of the spec: state, beside it. The log is beside it, too. namespace: whose network it has."""
    command = [*MAILSTACK, "serve", str(spec)]
    log_file, status = spec.with_suffix(".log"), spec.parent / "state" / "run" / "status.json"
    with log_file.open("wb") as log:
        process = Program(
            leashed(command if namespace is None else namespace.inside(command), "TERM"),
            stdout=subprocess.DEVNULL,
            stderr=log,
            env={**os.environ, **environment},
        )
    try:
        wait_for(lambda: status.exists() or process.poll() is not None, what="serving")
        assert process.poll() is None, log_file.read_text()
        yield process
    finally:
        stop(process)
