"""Stores on both engines as the sides of a copy, and one that has rows in every table."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from mailstack.store.postgres import transfer as postgres_transfer
from mailstack.store.postgres.link import address_of
from mailstack.store.s3.blobs import S3Blobs
from mailstack.store.s3.bucket import Bucket, BucketAddress
from mailstack.store.sql.blobs import Blobs
from mailstack.store.sql.row_blobs import RowBlobs
from mailstack.store.sqlite import transfer as sqlite_transfer
from mailstack.store.sqlite.open import open_store
from mailstack.store.transfer.copying import ACCOUNTS_AT_ONCE, Outcome, copy_store
from mailstack.store.transfer.progress import Progress
from mailstack.store.transfer.tables import LEFT_BEHIND, MADE_ANEW
from tests.support.fake_clock import FakeClock
from tests.support.filled_store import Rows, fill
from tests.support.moto import new_bucket
from tests.support.recording_bus import RecordingBus


def unheard(_whose: str, _done: int, _total: int) -> None: ...


def moved(rows: Rows) -> Rows:
    return {name: found for name, found in rows.items() if name.rpartition("/")[2] not in MADE_ANEW | LEFT_BEHIND}


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("transfer") / "store"

    async def make() -> None:
        store = await open_store(path, clock=FakeClock(), bus=RecordingBus())
        await fill(store)
        await store.close()

    asyncio.run(make())
    return path


@pytest.fixture
def filled(tmp_path: Path, template: Path) -> Path:
    return Path(shutil.copytree(template, tmp_path / "old"))


@pytest.fixture(params=["rows", "bucket"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Blobs]:
    """Where PostgreSQL has large messages; a copy closes what it is given."""
    if request.param == "rows":
        return lambda: RowBlobs(tmp_path)
    address: BucketAddress = new_bucket(request.getfixturevalue("s3_url"), f"copy-{abs(hash(tmp_path)):x}"[:40])
    return lambda: S3Blobs(Bucket(address))


async def to_postgres(
    path: Path, url: str, blobs: Blobs, progress: Progress = unheard, *, at_once: int = ACCOUNTS_AT_ONCE
) -> Outcome:
    async with (
        sqlite_transfer.source_in(path) as source,
        postgres_transfer.target_at(address_of(url), blobs=blobs, clock=FakeClock()) as target,
    ):
        return await copy_store(source, target, progress=progress, at_once=at_once)


async def to_sqlite(url: str, blobs: Blobs, path: Path, progress: Progress = unheard) -> Outcome:
    async with (
        postgres_transfer.source_at(address_of(url), blobs=blobs, clock=FakeClock()) as source,
        sqlite_transfer.target_in(path) as target,
    ):
        return await copy_store(source, target, progress=progress)


@asynccontextmanager
async def folder_to_folder(
    old: Path, new: Path
) -> AsyncIterator[tuple[sqlite_transfer.SqliteSource, sqlite_transfer.SqliteTarget]]:
    async with sqlite_transfer.source_in(old) as source, sqlite_transfer.target_in(new) as target:
        yield source, target
