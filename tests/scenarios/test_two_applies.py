"""Two applies at once, each a whole `mailstack apply`: one waits for the other by name, and nothing is half of each."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.commands import run_command
from tests.support.engines import storage_section
from tests.support.programs import Program
from tests.support.sandbox import MAILSTACK

pytestmark = pytest.mark.slow

SPEC = """\
server: {{hostname: mail.example.com}}
{storage}
domains: {{example.com: {{}}}}
accounts:
{accounts}
"""
STOPPED = (sys.executable, "-m", "tests.support.stopped_apply")
PASSWORDS = 6  # each hashed within the turn, which takes a moment
WITHIN_S = 240.0


def write(folder: Path, name: str) -> Path:
    """A spec whose accounts all begin with that name."""
    accounts = "\n".join(f"  {name}{number}@example.com: {{password: env/SECRET}}" for number in range(PASSWORDS))
    path = folder / f"{name}.yaml"
    path.write_text(SPEC.format(accounts=accounts, storage=storage_section()))
    return path


def start(spec: Path, program: Sequence[str] = MAILSTACK) -> "subprocess.Popen[str]":
    return Program(
        [*program, "apply", "--yes", "--no-dns", str(spec)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "SECRET": "correct horse battery staple"},
    )


def accounts_in(spec: Path) -> set[str]:
    listed = run_command("account", "list", str(spec), "--format", "json")
    return {one["login"].partition("@")[0].rstrip("0123456789") for one in json.loads(listed.stdout)}


def generation_of(spec: Path) -> int:
    status = run_command("status", str(spec), "--format", "json")
    return int(json.loads(status.stdout)["generation"])


def test_whoever_comes_second_waits_by_name_and_does_not_undo_the_first(tmp_path: Path) -> None:
    one, two = write(tmp_path, "one"), write(tmp_path, "two")
    first = start(one, STOPPED)
    started = [first]
    try:
        # Its database is made, so that anybody can read it, and nothing is committed.
        changed = os.waitid(os.P_PID, first.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        assert changed is not None
        assert changed.si_code == os.CLD_STOPPED
        assert str(first.pid) in (tmp_path / "state" / "run" / "apply.lock").read_text()
        second = start(two)
        started.append(second)
        assert second.stderr is not None
        waiting = second.stderr.readline()
        assert waiting.startswith(f"waiting for process {first.pid} (mailstack apply), since 20")
        first.send_signal(signal.SIGCONT)
        output, faults = second.communicate(timeout=WITHIN_S)
        first_output, first_faults = first.communicate(timeout=WITHIN_S)
    finally:
        for process in started:
            process.kill()
    assert first.returncode == 0, first_output + first_faults
    assert (second.returncode, output.count("Applied")) == (1, 0)
    assert "the server changed since the plan was made; plan again" in faults
    assert (accounts_in(one), generation_of(one)) == ({"one"}, 1)


def test_of_applies_that_begin_at_the_same_moment_each_is_done_whole_or_refused(tmp_path: Path) -> None:
    specs = [write(tmp_path, name) for name in ("one", "two", "three")]
    started = [start(spec) for spec in specs]
    ended = []
    try:
        ended = [(process.communicate(timeout=WITHIN_S), process.returncode) for process in started]
    finally:
        for process in started:
            process.kill()
    told = "\n".join(faults for (_, faults), _ in ended)
    assert "Traceback" not in told
    assert "internal error" not in told
    codes = [code for _, code in ended]
    assert codes.count(0) >= 1, told
    assert set(codes) <= {0, 1}
    assert generation_of(specs[0]) == codes.count(0)
    assert len(accounts_in(specs[0])) == 1
    for (_, faults), code in ended:
        # On a busy machine a turn may take longer than another waits for it.
        said = ("plan again", "--allow-many", "another apply is at work")
        assert code == 0 or any(words in faults for words in said), faults
