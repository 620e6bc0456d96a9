"""Nothing that tests started outlives them."""

import subprocess
import sys
from pathlib import Path

from tests.support.sandbox import wait_for

STARTS = """\
import subprocess, sys
from tests.support.leash import leashed
started = subprocess.Popen(leashed(["sleep", "600"]), stdout=subprocess.DEVNULL)
print(started.pid, flush=True)
sys.stdin.read()
"""


def test_what_a_killed_test_had_started_ends_with_it() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STARTS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as test:
        assert test.stdout is not None
        started = int(test.stdout.readline())
        wait_for(lambda: Path(f"/proc/{started}/comm").read_text() == "sleep\n", what="what is started")
        test.kill()
    wait_for(lambda: not is_running(started), what="the end of what it started")


def is_running(process: int) -> bool:
    """No zombie, which whoever inherited it has still to collect."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
