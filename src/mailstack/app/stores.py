"""The one place that opens a store: SQLite in a folder, or PostgreSQL for many nodes; and the bus that goes with it.

The drivers of PostgreSQL, S3 and NATS are extras, and loaded only where an address wants them.
"""

import hashlib
import ssl
from dataclasses import asdict
from typing import TYPE_CHECKING

from mailstack.app.runfiles import bus_folder, run_folder
from mailstack.app.store_address import BucketAt, StoreAddress, extra
from mailstack.model.instant import Clock
from mailstack.ports.bus import Bus
from mailstack.ports.metrics import UNCOUNTED, Metrics
from mailstack.ports.store import Store
from mailstack.store.bus_local import LocalBus

if TYPE_CHECKING:
    from mailstack.store.bus_far import FarBus
    from mailstack.store.bus_nodes import NodesBus
    from mailstack.store.s3.bucket import Bucket
    from mailstack.store.sql.blobs import Blobs

SYSTEM_FILE = "system.db"


async def open_store(
    address: StoreAddress, *, clock: Clock, bus: Bus, read_only: bool = False, metrics: Metrics = UNCOUNTED
) -> Store:
    """read_only: for one who only looks; NotFound where there is no store, and nothing is made or changed.

    Raises Damaged, Unsupported (a newer schema, a missing extra), Forbidden (another program's database, missing
    rights), Invalid, TryAgainLater.
    """
    if not address.database:
        from mailstack.store.sqlite.open import open_store as open_sqlite

        return await open_sqlite(address.folder, clock=clock, bus=bus, read_only=read_only, metrics=metrics)
    postgres = address.postgres
    with extra("postgres"):
        from mailstack.store.postgres.open import open_store as open_postgres
    return await open_postgres(
        postgres, blobs=open_blobs(address), clock=clock, bus=bus, read_only=read_only, metrics=metrics
    )


def open_bus(address: StoreAddress) -> "LocalBus | NodesBus":
    """Not started yet. The run folder must exist."""
    local = local_bus(address)
    if not address.database:
        return local
    from mailstack.store.bus_nodes import NodesBus

    return NodesBus(local, far_bus(address, node_at(address)))


def local_bus(address: StoreAddress) -> LocalBus:
    """Between the processes of this machine. Not started yet."""
    return LocalBus(bus_folder(address.folder))


def node_at(address: StoreAddress) -> str:
    """The mark of this machine's processes. The run folder must exist."""
    from mailstack.store.bus_nodes import node_of

    return node_of(run_folder(address.folder))


def far_bus(address: StoreAddress, node: str) -> "FarBus":
    """To the other nodes. Not started yet. Raises Unsupported where the extra is missing."""
    if address.nats is None:
        with extra("postgres"):
            from mailstack.store.bus_notify import notify_bus
        return notify_bus(address.database, node=node)
    with extra("nats"):
        from mailstack.store.bus_nats import NatsServers, nats_bus
    nats = address.nats
    servers = NatsServers(
        urls=nats.servers,
        prefix=_subjects(address),
        username=nats.username or None,
        password=nats.password or None,
        token=nats.token or None,
        tls=ssl.create_default_context(cadata=nats.ca) if nats.ca else None,
    )
    return nats_bus(servers, node=node)


def bucket_at(at: BucketAt) -> "Bucket":
    """Raises Unsupported where the extra is missing."""
    from mailstack.store.s3.bucket import Bucket, BucketAddress

    with extra("s3"):
        return Bucket(BucketAddress(**asdict(at)))


def is_made(address: StoreAddress) -> bool:
    """Whether anything was ever applied there. Blocks. Raises TryAgainLater where nobody answers."""
    if not address.database:
        return (address.folder / SYSTEM_FILE).exists()
    postgres = address.postgres
    with extra("postgres"):
        from mailstack.store.postgres.open import is_made as is_made_in_postgres
    return is_made_in_postgres(postgres)


def open_blobs(address: StoreAddress) -> "Blobs":
    """Where large messages lie, of a store in a database. Whoever gets them closes them."""
    if address.bucket is None:
        from mailstack.store.sql.row_blobs import RowBlobs

        address.folder.mkdir(parents=True, exist_ok=True, mode=0o750)
        return RowBlobs(address.folder)
    from mailstack.store.s3.blobs import S3Blobs

    return S3Blobs(bucket_at(address.bucket))


def _subjects(address: StoreAddress) -> str:
    """Of this installation. By the database's name, not by its host, which nodes may name differently; events of
    another installation that has the same would do no harm."""
    return f"mailstack.{hashlib.sha256(address.postgres.database.encode()).hexdigest()[:16]}"
