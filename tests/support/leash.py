"""Programs that a test starts end with it, also when it is killed and cleans up nothing.

By Linux's parent death signal, which Debian's setpriv sets and which lasts over exec: what is started is the program.
The parent is the thread, so only a thread that lives as long may start them.
"""

from collections.abc import Sequence


def leashed(command: Sequence[str], signal: str = "KILL") -> list[str]:
    """signal: what the program is sent."""
    return ["setpriv", "--pdeathsig", signal, "--", *command]
