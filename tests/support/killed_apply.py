"""An apply in a process of its own that kills itself at a chosen step, as a power cut would.

`python -m tests.support.killed_apply STORAGE SPEC STEP`: STEP is `hashing`, the name of an event of reconcile.progress,
or `never`. KILL_AFTER_UPDATES: how many single updates OneByOne sends before that. KILL_AT_STATEMENT: which
statement of the state's own transaction is not run any more, by number, or COMMIT.
"""

import asyncio
import os
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import apsw
from octodns_bind import Rfc2136Provider

from mailstack.app.clock import system_clock
from mailstack.app.silence import Silence
from mailstack.reconcile.brake import EVERYTHING_ALLOWED, Brake, nobody
from mailstack.reconcile.progress import Event
from mailstack.reconcile.reconciler import Reconciler
from mailstack.services.identity.passwords import HashCost, hash_password
from mailstack.spec.load import load_spec
from tests.support.engines import open_store

KILL_AFTER_UPDATES = "KILL_AFTER_UPDATES"
KILL_AT_STATEMENT = "KILL_AT_STATEMENT"
STATE_TABLES = re.compile(r"(?:INSERT INTO|UPDATE|DELETE FROM) (?:resource|secret|domain|account|address|generation)\b")


class OneByOne(Rfc2136Provider):  # type: ignore[misc]  # octoDNS has no types
    """Sends each change alone, as providers by API do; none is whole until the last."""

    def _batch_changes(self, changes: list[object]) -> Iterator[list[object]]:
        left = int(os.environ.get(KILL_AFTER_UPDATES, len(changes) + 1))
        for change in changes:
            if not left:
                die()
            left -= 1
            yield [change]


class Counted:
    """A trace of every statement of every connection, which ends the process before the one that is meant."""

    def __init__(self, wanted: str) -> None:
        self._wanted = wanted
        self._count = 0

    def hook(self, connection: apsw.Connection) -> None:
        connection.exec_trace = self._trace

    def _trace(self, _cursor: apsw.Cursor, sql: str, _values: object) -> bool:
        self._count += bool(STATE_TABLES.match(sql))
        if self._count and self._wanted in (str(self._count), sql):
            die()
        return True


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


async def apply(storage: Path, spec: Path, step: str) -> None:
    def told(event: Event) -> None:
        if type(event).__name__ == step:
            die()

    def hashed(plain: str) -> str:
        if step == "hashing":
            die()
        return hash_password(plain, cost=HashCost.LOW)

    if wanted := os.environ.get(KILL_AT_STATEMENT):
        apsw.connection_hooks.append(Counted(wanted).hook)
    store = await open_store(storage, clock=system_clock, bus=Silence())
    try:
        brake = Brake(holders=nobody, allowed=EVERYTHING_ALLOWED)
        reconciler = Reconciler(state=store.state, clock=system_clock, hash_password=hashed, brake=brake)
        await reconciler.apply(await reconciler.plan(load_spec(spec)), told)
    finally:
        await store.close()


if __name__ == "__main__":
    asyncio.run(apply(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]))
