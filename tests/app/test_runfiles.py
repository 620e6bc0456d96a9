"""The lock on a storage folder, and files that are replaced whole."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailstack.app.faults import CannotServe
from mailstack.app.runfiles import leave_storage, read_status, running_pid, status_file, take_storage, write_json

HOLD = """
import sys, pathlib
from mailstack.app.runfiles import take_storage
lock = take_storage(pathlib.Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        yield process
        process.kill()


def test_a_storage_that_is_served_is_refused_by_name(tmp_path: Path, holder: subprocess.Popen[bytes]) -> None:
    with pytest.raises(CannotServe, match=f"already served by process {holder.pid}"):
        take_storage(tmp_path)
    assert running_pid(tmp_path) == holder.pid


def test_a_killed_server_blocks_nobody(tmp_path: Path, holder: subprocess.Popen[bytes]) -> None:
    holder.kill()
    holder.wait()
    assert running_pid(tmp_path) is None
    lock = take_storage(tmp_path)
    assert (tmp_path / "run" / "mailstack.pid").read_text() == f"{os.getpid()}\n"
    leave_storage(tmp_path, lock)
    assert list((tmp_path / "run").iterdir()) == []


def test_status_is_that_of_a_running_server_only(tmp_path: Path, holder: subprocess.Popen[bytes]) -> None:
    write_json(status_file(tmp_path), {"generation": 3})
    assert read_status(tmp_path) == {"generation": 3, "slowed": []}
    holder.kill()
    holder.wait()
    assert read_status(tmp_path) is None


def test_json_is_replaced_whole_and_leaves_no_draft(tmp_path: Path) -> None:
    file = tmp_path / "ready.json"
    write_json(file, {"a": 1}, mode=0o600)
    write_json(file, {"a": 2}, mode=0o600)
    assert [path.name for path in tmp_path.iterdir()] == ["ready.json"]
    assert file.stat().st_mode & 0o777 == 0o600
