"""One fixture for each engine: another engine adds a line to ENGINES and passes the same suites.

PostgreSQL's does so port by port: ON_POSTGRES names the suites that it runs.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest

from mailstack.model.ids import AccountId
from mailstack.model.principal import Account
from mailstack.model.resource import Kind
from mailstack.model.upkeep import Flaw
from mailstack.ports.store import Store
from mailstack.store.memory.store import MemoryStore
from mailstack.store.postgres.link import address_of
from mailstack.store.postgres.open import open_store as open_postgres_store
from mailstack.store.s3.blobs import S3Blobs
from mailstack.store.s3.bucket import Bucket, BucketAddress
from mailstack.store.sql.blobs import Blobs
from mailstack.store.sql.row_blobs import RowBlobs
from mailstack.store.sqlite.open import open_store
from tests.support.fake_clock import FakeClock
from tests.support.moto import new_bucket
from tests.support.postgres import empty_tables
from tests.support.recording_bus import RecordingBus
from tests.support.stores import make_account


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """database: its URL. Of both, what the engine wants."""

    database: str = ""
    bucket: BucketAddress | None = None


OpenStore = Callable[[Path, Services, FakeClock, RecordingBus], Awaitable[Store]]


async def open_sqlite(path: Path, _: Services, clock: FakeClock, bus: RecordingBus) -> Store:
    return await open_store(path, clock=clock, bus=bus)


async def open_postgres(path: Path, services: Services, clock: FakeClock, bus: RecordingBus) -> Store:
    return await _postgres(services, RowBlobs(path.parent), clock, bus)


async def open_postgres_with_bucket(_: Path, services: Services, clock: FakeClock, bus: RecordingBus) -> Store:
    assert services.bucket is not None
    return await _postgres(services, S3Blobs(Bucket(services.bucket)), clock, bus)


async def _postgres(services: Services, blobs: Blobs, clock: FakeClock, bus: RecordingBus) -> Store:
    return await open_postgres_store(address_of(services.database), blobs=blobs, clock=clock, bus=bus)


async def open_memory(_path: Path, _: Services, clock: FakeClock, bus: RecordingBus) -> Store:
    return cast(Store, WholeMemoryStore(clock=clock, bus=bus))  # tests marked in_memory use no other port


class WholeMemoryStore(MemoryStore):
    """With what the fixture asks of every engine."""

    async def close(self) -> None: ...


MOST_VERIFIED = 5

ENGINES: tuple[OpenStore, ...] = (open_sqlite,)
ON_POSTGRES = frozenset(
    {
        "test_accounts",
        "test_acquaintances",
        "test_annotations",
        "test_app_passwords",
        "test_bad_addresses",
        "test_bans",
        "test_challenges",
        "test_email_submissions",
        "test_emails",
        "test_greylist",
        "test_hand_notes",
        "test_issuance",
        "test_locks",
        "test_mailboxes",
        "test_messages",
        "test_changes",
        "test_threads",
        "test_intake",
        "test_object_journal",
        "test_push_subscriptions",
        "test_queue",
        "test_reputation",
        "test_scripts",
        "test_search",
        "test_sending_identities",
        "test_sharing",
        "test_sieve_memory",
        "test_spam_lessons",
        "test_spam_tables",
        "test_state",
        "test_store_time",
        "test_sts_policies",
        "test_submitted",
        "test_tokens",
        "test_unsubscribed",
        "test_uploads",
        "test_verifiers",
        "test_warm_days",
        "test_web_sessions",
        "test_upkeep",
        "test_trash",
    }
)
"""Suites that pass on PostgreSQL so far."""
IN_MEMORY: tuple[OpenStore, ...] = (open_memory,)
"""For tests marked in_memory: what delivery and plans ask of a store, which is all that this engine has."""


WITH_LARGE_MESSAGES = frozenset({"test_messages", "test_intake", "test_queue", "test_uploads"})
"""Suites that PostgreSQL runs once more, with large messages in a bucket."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "store" in metafunc.fixturenames:
        engines = ENGINES + IN_MEMORY * any(metafunc.definition.iter_markers("in_memory"))
        if metafunc.module.__name__.rpartition(".")[2] in ON_POSTGRES:
            engines = (*engines, open_postgres)
        if metafunc.module.__name__.rpartition(".")[2] in ON_POSTGRES & WITH_LARGE_MESSAGES:
            engines = (*engines, open_postgres_with_bucket)
        names = [engine.__name__.removeprefix("open_") for engine in engines]
        metafunc.parametrize("open_engine", engines, ids=names)


async def flaws_of(store: Store) -> list[Flaw]:
    """Of the accounts that there are when the test is over, while they are few."""
    if isinstance(store, MemoryStore):  # which has nobody who looks
        return []
    accounts = [*(await store.state.snapshot([Kind.ACCOUNT])).resources.values()]
    flaws: list[Flaw] = []
    for resource in accounts[:MOST_VERIFIED]:
        found = await store.accounts.find(resource.name)
        if isinstance(found, Account):
            flaws += await store.upkeep.verify(
                found.account_id, reads_messages=True, progress=lambda _done, _count: None
            )
    return flaws


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def bus() -> RecordingBus:
    return RecordingBus()


@pytest.fixture(scope="session")
def only_bucket(s3_url: str) -> BucketAddress:
    """Of all tests: objects are named by what they hold, and claimed anew in a database that was emptied."""
    return new_bucket(s3_url, "contract")


@pytest.fixture
def services(request: pytest.FixtureRequest, open_engine: OpenStore) -> Iterator[Services]:
    if open_engine not in (open_postgres, open_postgres_with_bucket):
        yield Services()
        return
    url: str = request.getfixturevalue("emptied_database")
    has_bucket = open_engine is open_postgres_with_bucket
    yield Services(database=url, bucket=request.getfixturevalue("only_bucket") if has_bucket else None)
    empty_tables(url)


@pytest.fixture
async def store(
    open_engine: OpenStore, tmp_path: Path, services: Services, clock: FakeClock, bus: RecordingBus
) -> AsyncIterator[Store]:
    opened = await open_engine(tmp_path / "store", services, clock, bus)
    yield opened
    flaws = await flaws_of(opened)
    await opened.close()
    assert flaws == []


@pytest.fixture
async def account_id(store: Store) -> AccountId:
    return await make_account(store)
