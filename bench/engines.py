"""The store's operations on PostgreSQL beside SQLite: this program's CPU, in turns. `python -m bench engines`.

The database's own CPU is not counted, and it is set as it comes: every COMMIT waits for its disk. Needs Debian's
postgresql.
"""

import statistics
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import cast

import uvloop

from bench import store as operations
from bench.store import Figure, Scale
from mailstack.ports.bus import Bus
from mailstack.ports.store import Store
from mailstack.store.bus_local import LocalBus
from mailstack.store.postgres.link import address_of
from mailstack.store.postgres.open import open_store as open_postgres
from mailstack.store.sqlite.blobs import FolderBlobs
from mailstack.store.sqlite.open import open_store as open_sqlite
from tests.support.postgres import PostgresServer, fresh_database, running_postgres

RUNS = 3
SCALE = Scale(messages=1_000, big_mailbox=2_000, long_queue=2_000)
Open = Callable[[Path, Bus], Awaitable[Store]]


async def measure(folder: Path, open_one: Open) -> list[Figure]:
    bus = LocalBus(folder / "bus")
    await bus.start()
    store = await open_one(folder, bus)
    try:
        return [figure for part in operations.PARTS for figure in await part(store, SCALE)]
    finally:
        await store.close()
        await bus.close()


def run(folder: Path, server: PostgresServer) -> None:
    taken: list[tuple[list[Figure], list[Figure]]] = []
    for number in range(RUNS):
        sqlite = uvloop.run(measure(folder / f"sqlite{number}", on_sqlite))
        with fresh_database(server) as url:
            postgres = uvloop.run(measure(folder / f"postgres{number}", partial(on_postgres, url)))
        taken.append((sqlite, postgres))
    print(f"{'operation: medians of ' + str(RUNS):<48}{'SQLite us':>12}{'PostgreSQL us':>15}{'ratio':>8}")
    for place, figure in enumerate(taken[0][0]):
        ours = _median_us([one[0][place] for one in taken])
        theirs = _median_us([one[1][place] for one in taken])
        print(f"{figure.name:<48}{ours:>12.1f}{theirs:>15.1f}{theirs / ours:>8.2f}")


async def on_sqlite(folder: Path, bus: Bus) -> Store:
    return await open_sqlite(folder / "store", clock=operations.now, bus=bus)


async def on_postgres(url: str, folder: Path, bus: Bus) -> Store:
    opened = await open_postgres(address_of(url), blobs=FolderBlobs(folder), clock=operations.now, bus=bus)
    return cast(Store, opened)  # the ports that are measured


def _median_us(figures: Sequence[Figure]) -> float:
    return statistics.median(max(figure.cpu_s, 1e-6) / figure.operations * 1e6 for figure in figures)


def main() -> None:
    with running_postgres(settings=()) as server, tempfile.TemporaryDirectory(prefix="mailstack-bench-") as folder:
        run(Path(folder), server)


if __name__ == "__main__":
    main()
