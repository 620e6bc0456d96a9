"""A program that is forked is what one that was started anew would be."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.programs import ROOT, Program
from tests.support.sandbox import MAILSTACK, run_client, wait_for
from tests.support.test_leash import is_running

SPEC = (
    "server: {hostname: mail.example.com}\ndomains: {example.com: }\naccounts: {a@example.com: {password: env/HASH}}\n"
)
STARTS = """\
import sys
from tests.support.leash import leashed
from tests.support.programs import Program
started = Program(leashed([sys.executable, "-m", "mailstack", "validate", sys.argv[1]]))
print(started.pid, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def unread(tmp_path: Path) -> Path:
    """What a program waits to read for ever."""
    path = tmp_path / "unread.yaml"
    os.mkfifo(path)
    return path


@pytest.mark.parametrize(
    "arguments", [("--help",), ("--version",), ("validate", "mailstack.yaml"), ("unknown",), ("plan", "nowhere.yaml")]
)
def test_it_says_the_same_and_ends_alike(
    arguments: Sequence[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HASH", "hush")
    Path("mailstack.yaml").write_text(SPEC)
    anew = subprocess.run([*MAILSTACK, *arguments], capture_output=True, check=False)
    forked = run_client([*MAILSTACK, *arguments])
    assert (forked.returncode, forked.stdout, forked.stderr) == (anew.returncode, anew.stdout, anew.stderr)


def test_it_has_no_descriptors_but_those_it_is_given(unread: Path) -> None:
    ours, theirs = os.pipe()
    with Program([*MAILSTACK, "validate", str(unread)], pass_fds=[theirs], start_new_session=True) as process:
        os.close(theirs)
        try:
            wait_for(lambda: descriptors(process.pid) == {0, 1, 2, theirs}, what="nothing else is open")
            assert os.getsid(process.pid) == process.pid
            assert process.poll() is None
        finally:
            process.terminate()
    assert process.returncode == -signal.SIGTERM
    assert os.read(ours, 1) == b""
    os.close(ours)


def descriptors(pid: int) -> set[int]:
    return {int(one.name) for one in Path(f"/proc/{pid}/fd").iterdir()}


def test_it_ends_with_whoever_has_it_on_a_leash(unread: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STARTS, str(unread)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as test:
        assert test.stdout is not None
        started = int(test.stdout.readline())
        assert is_running(started)
        test.kill()
    wait_for(lambda: not is_running(started), what="the end of what it started")
