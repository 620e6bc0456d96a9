"""Whether a PostgreSQL database can be used: asked without changing anything in it."""

from collections.abc import AsyncIterator
from functools import partial
from statistics import median
from time import perf_counter

import psycopg

from mailstack.model.errors import Forbidden, TryAgainLater, Unsupported
from mailstack.model.instant import SECOND_MS, Clock
from mailstack.store.postgres.link import Address, Limits, first_line
from mailstack.store.postgres.migrations import check_versions
from mailstack.store.postgres.open import PARTS
from mailstack.store.probing import Finding, asked

OLDEST = 130_000
ROUND_TRIPS = 20
SLOW_S = 0.02
SKEW_MS = 60 * SECOND_MS

IS_READ_ONLY = "SELECT current_setting('transaction_read_only') = 'on'"
MAY_MAKE_TABLES = "SELECT current_schema() IS NOT NULL AND has_schema_privilege(current_schema(), 'CREATE')"
NOT_DURABLE = """SELECT string_agg(name || ' is off', ', ' ORDER BY name) FROM pg_settings
    WHERE name IN ('fsync', 'synchronous_commit') AND setting = 'off'"""
NOW_MS = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint"

Connection = psycopg.AsyncConnection[tuple[object, ...]]


async def probed(address: Address, *, clock: Clock) -> AsyncIterator[Finding]:
    """Ends with the first that all others need."""
    connections: list[Connection] = []
    remedy = (
        "look at storage.database, and whether the server takes connections from this machine; where its certificate is"
        " refused, sslrootcert in the URL names the file of its authority"
    )
    found = await asked("connect", partial(_connect, address, connections), remedy)
    yield found
    if found.fault:
        return
    (connection,) = connections
    async with connection:
        remedy = "use a newer PostgreSQL"
        yield await asked("its version", partial(_version, connection), remedy)
        remedy = "name the primary server; this may be a replica"
        yield await asked("write to it", partial(_writable, connection), remedy)
        remedy = f"as the database's owner: GRANT CREATE ON SCHEMA public TO {connection.info.user}"
        yield await asked("make tables", partial(_may_make_tables, connection), remedy)
        yield await asked("its tables", partial(_tables, connection, address), "")
        remedy = (
            "a pooler such as PgBouncer hands each transaction another connection: set pool_mode = session, or use 1.21"
            " or later with max_prepared_statements"
        )
        yield await asked("ask with prepared statements", partial(_prepares, connection, address), remedy)
        remedy = "set fsync and synchronous_commit to on: what was acknowledged may be lost otherwise"
        yield await asked("keep what was committed", partial(_durable, connection), remedy, is_needed=False)
        remedy = "let both machines follow a time server; nodes go by the database's clock"
        yield await asked("its clock", partial(_clock, connection, clock), remedy, is_needed=False)
        remedy = "bring database and nodes closer together: a delivery waits for a few round trips"
        yield await asked("round trips", partial(_round_trips, connection), remedy, is_needed=False)


async def _connect(address: Address, connections: list[Connection]) -> None:
    try:
        connections.append(
            await psycopg.AsyncConnection.connect(
                address.conninfo, autocommit=True, connect_timeout=Limits().connect_s, application_name="mailstack"
            )
        )
    except psycopg.Error as fault:
        raise TryAgainLater(f"{address.name} cannot be used: {first_line(fault)}") from fault


async def _version(connection: Connection) -> None:
    found = connection.info.server_version
    if found < OLDEST:
        raise Unsupported(
            f"it is version {found // 10_000}, and {OLDEST // 10_000} is the oldest that has what is needed"
        )


async def _writable(connection: Connection) -> None:
    if await _one(connection, IS_READ_ONLY):
        raise Forbidden("it is read-only")


async def _may_make_tables(connection: Connection) -> None:
    if not await _one(connection, MAY_MAKE_TABLES):
        raise Forbidden("its user may not make tables there")


async def _tables(connection: Connection, address: Address) -> None:
    try:
        await check_versions(connection, address, PARTS)
    except psycopg.Error as fault:
        raise TryAgainLater(first_line(fault)) from fault


async def _prepares(connection: Connection, address: Address) -> None:
    try:
        await connection.execute("SELECT 1", prepare=True)
        async with await psycopg.AsyncConnection.connect(address.conninfo, connect_timeout=Limits().connect_s) as other:
            await other.execute("SELECT 1")  # within a transaction: what that one is given, nobody else is
            await connection.execute("SELECT 1", prepare=True)
    except psycopg.Error as fault:
        raise TryAgainLater(first_line(fault)) from fault


async def _durable(connection: Connection) -> None:
    if off := await _one(connection, NOT_DURABLE):
        raise Forbidden(str(off))


async def _clock(connection: Connection, clock: Clock) -> None:
    before = clock()
    theirs = int(str(await _one(connection, NOW_MS)))
    skew_ms = theirs - (before + clock()) // 2
    if abs(skew_ms) > SKEW_MS:
        raise Forbidden(f"it is {abs(skew_ms) // SECOND_MS} s {'ahead of' if skew_ms > 0 else 'behind'} this machine's")


async def _round_trips(connection: Connection) -> None:
    took = []
    for _ in range(ROUND_TRIPS):
        began = perf_counter()
        await _one(connection, "SELECT 1")
        took.append(perf_counter() - began)
    if median(took) > SLOW_S:
        raise TryAgainLater(f"one takes {median(took) * 1000:.0f} ms")


async def _one(connection: Connection, sql: str) -> object:
    try:
        row = await (await connection.execute(sql.encode())).fetchone()
    except psycopg.Error as fault:
        raise TryAgainLater(first_line(fault)) from fault
    return None if row is None else row[0]
