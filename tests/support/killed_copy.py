"""A whole `mailstack storage copy` that kills itself, as a power cut would, once so many accounts are done and others
are under way.

`python -m tests.support.killed_copy storage copy OLD NEW`: the arguments are the program's.
"""

import os
import signal
from itertools import count

from mailstack.cli.main import main
from mailstack.store.sql import copy_progress
from mailstack.store.sql.database import Database

DONE = 3


def die_after_some() -> None:
    calls, note = count(1), copy_progress.note

    async def noted(system: Database, what: str, said: str) -> None:
        await note(system, what, said)
        if next(calls) == DONE:
            os.kill(os.getpid(), signal.SIGKILL)

    copy_progress.note = noted


if __name__ == "__main__":
    die_after_some()
    main()
