"""Programs whose clock is ahead of the machine's."""

import os
from pathlib import Path

AHEAD = """\
import time
true_s, true_ns = time.time, time.time_ns
time.time = lambda: true_s() + {ahead_s}
time.time_ns = lambda: true_ns() + {ahead_s} * 10**9
"""


def clock_ahead(folder: Path, ahead_s: int) -> dict[str, str]:
    """What lets every Python process that has it in its environment find the machine's clock so far ahead. folder: a
    new one."""
    if not ahead_s:
        return {}
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(AHEAD.format(ahead_s=ahead_s))
    return {"PYTHONPATH": os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH"))))}
