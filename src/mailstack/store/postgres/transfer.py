"""A store on PostgreSQL as one side of a copy: store.transfer.side's Source and Target.

The source's tables are locked against writers for as long as it is open, and no server may be connected when it begins.
The target is its database's only store from the first row on, which no server opens before the copy is whole.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg

from mailstack.model.errors import Conflict, Forbidden, NotFound, TryAgainLater, Unsupported
from mailstack.model.ids import AccountId
from mailstack.model.instant import Clock
from mailstack.store.postgres.databases import Engine, PostgresDatabase
from mailstack.store.postgres.link import Address, Limits, first_line
from mailstack.store.postgres.migrations import VERSIONS, migrate, require_newest, tables_of
from mailstack.store.postgres.open import PARTS, make_engine
from mailstack.store.sql import copy_progress
from mailstack.store.sql.blobs import Blobs
from mailstack.store.transfer.side import Holder
from mailstack.store.transfer.tables import AFTER_QUEUE, BEFORE_QUEUE, BLOBS, OF_ACCOUNT, QUEUE

LIMITS = Limits(answer_s=600.0, held_s=600)
"""What an account begun before has to be cleared of may be much."""
LEAVING_S = 5.0
LOOK_EVERY_S = 0.1
"""A server that has just ended is seen for a moment yet."""
CONNECTED = """SELECT COUNT(*) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'mailstack' AND pid <> pg_backend_pid()"""
HELD_SHUT = ", ".join(table.name for table in (*OF_ACCOUNT, BLOBS.table, *BEFORE_QUEUE, QUEUE.table, *AFTER_QUEUE))
# It lets others read, and neither write nor lock a row.
HOLD = f"LOCK TABLE {HELD_SHUT} IN EXCLUSIVE MODE NOWAIT"
IS_WHOLE = "SELECT 1 FROM counter WHERE /*of*/ is_closed < 2"
STILL = "SELECT 1"
INSTALLED = "SELECT 1 FROM installation"


class PostgresSource:
    def __init__(self, engine: Engine, *, blobs: Blobs, lock: psycopg.AsyncConnection) -> None:
        self.name = engine.name
        self._engine = engine
        self._blobs = blobs
        self._lock = lock
        self.system = Holder(database=PostgresDatabase(engine, None), held=blobs.of_queue())

    @asynccontextmanager
    async def account(self, account_id: AccountId) -> AsyncIterator[Holder]:
        database = PostgresDatabase(self._engine, account_id)
        # Of one that is on its way out of the trash, some rows are gone already.
        if not await database.rows(IS_WHOLE):
            raise NotFound(f"account {account_id} holds nothing")
        yield Holder(database=database, held=self._blobs.of_account(account_id))

    async def require_held(self) -> None:
        try:
            await self._lock.execute(STILL)
        except psycopg.Error as fault:
            raise Conflict(
                f"{self.name} was open to others while it was copied, as a connection was lost: run the copy again"
            ) from fault


class PostgresTarget:
    def __init__(self, engine: Engine, *, blobs: Blobs, is_begun: bool) -> None:
        self.name = engine.name
        self.is_begun = is_begun
        self._engine = engine
        self._blobs = blobs
        self.system = Holder(database=PostgresDatabase(engine, None), held=blobs.of_queue())

    @asynccontextmanager
    async def account(self, account_id: AccountId) -> AsyncIterator[Holder]:
        yield Holder(database=PostgresDatabase(self._engine, account_id), held=self._blobs.of_account(account_id))

    async def start_account(self, account_id: AccountId) -> None:
        """All is in tables, or in a bucket whose collector finds what no row names."""

    async def start_system(self) -> None:
        """Likewise."""

    async def finish(self) -> None:
        """An account's rows stay where they are when it goes to the trash."""


@asynccontextmanager
async def source_at(address: Address, *, blobs: Blobs, clock: Clock) -> AsyncIterator[PostgresSource]:
    """blobs: closed with it. Raises NotFound, Unsupported, Damaged, Forbidden (a server has it), TryAgainLater."""
    try:
        async with await _connected(address) as lock:
            await require_newest(lock, address, PARTS)
            await _hold(lock, address)
            engine = make_engine(address, clock=clock, publish=_nobody_hears, read_only=True, limits=LIMITS)
            try:
                yield PostgresSource(engine, blobs=blobs, lock=lock)
            finally:
                await engine.close()
                await asyncio.to_thread(blobs.close)
    except psycopg.Error as fault:
        raise TryAgainLater(f"{address.name} cannot be used: {first_line(fault)}") from fault


@asynccontextmanager
async def target_at(address: Address, *, blobs: Blobs, clock: Clock) -> AsyncIterator[PostgresTarget]:
    """It is made in an empty database. blobs: closed with it. Raises as source_at does, and Forbidden for another
    program's database."""
    try:
        async with await _connected(address) as connection:
            is_begun = await _prepare(connection, address)
    except psycopg.Error as fault:
        raise TryAgainLater(f"{address.name} cannot be used: {first_line(fault)}") from fault
    engine = make_engine(address, clock=clock, publish=_nobody_hears, limits=LIMITS)
    try:
        yield PostgresTarget(engine, blobs=blobs, is_begun=is_begun)
    finally:
        await engine.close()
        await asyncio.to_thread(blobs.close)


async def target_state(address: Address) -> str:
    """For who only looks: why nothing can be copied there, "" where it can. A copy that was begun can go on."""
    try:
        async with await _connected(address) as connection:
            tables = await tables_of(connection)
            if not tables or copy_progress.TABLE in tables:
                return ""
            await require_newest(connection, address, PARTS)
            is_installed = await (await connection.execute(INSTALLED)).fetchone()
            return f"{address.name} holds a store already: a copy wants an empty one" if is_installed else ""
    except psycopg.Error as fault:
        raise TryAgainLater(f"{address.name} cannot be used: {first_line(fault)}") from fault


async def _connected(address: Address) -> psycopg.AsyncConnection:
    return await psycopg.AsyncConnection.connect(
        address.conninfo, autocommit=True, connect_timeout=Limits().connect_s, application_name="mailstack"
    )


async def _hold(lock: psycopg.AsyncConnection, address: Address) -> None:
    deadline_s = asyncio.get_running_loop().time() + LEAVING_S
    while connected := await _connected_others(lock):
        if asyncio.get_running_loop().time() > deadline_s:
            raise Forbidden(
                f"{address.name} is in use: {connected} connections of mailstack are open; stop every server that has"
                " it, and run the copy again"
            )
        await asyncio.sleep(LOOK_EVERY_S)
    await lock.execute("SET idle_in_transaction_session_timeout = 0")
    await lock.execute("BEGIN")
    try:
        await lock.execute(HOLD.encode())
    except psycopg.errors.LockNotAvailable as fault:
        raise Forbidden(f"{address.name} is being written to: stop every server that has it") from fault


async def _connected_others(lock: psycopg.AsyncConnection) -> int:
    found = await (await lock.execute(CONNECTED)).fetchone()
    return 0 if found is None else int(found[0])


async def _prepare(connection: psycopg.AsyncConnection, address: Address) -> bool:
    """Whether a copy to it was begun before."""
    if copy_progress.TABLE not in await tables_of(connection):
        await migrate(connection, address, PARTS)
        return False
    versions: dict[str, int] = dict(await (await connection.execute(VERSIONS)).fetchall())
    if versions != {part: migrations[-1].number for part, migrations in PARTS.items()}:
        raise Unsupported(
            f"{address.name}: the copy was begun by another version of mailstack; remove what was copied and begin anew"
        )
    return True


def _nobody_hears(topic: str) -> None:
    """No server has the store open."""
