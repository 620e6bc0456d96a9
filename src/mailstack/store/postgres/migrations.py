"""Schema versions on PostgreSQL: numbered as SQLite's, forward only, all in one transaction that ends with a check.

The numbers are in the table schema_version, one for each part. A database that is newer than this program, whose tables
are not those of its number, or which holds another program's, is refused and left as it is.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import psycopg

from mailstack.model.errors import Damaged, Forbidden, NotFound, Unsupported
from mailstack.store.postgres.link import Address
from mailstack.store.sql import copy_progress

VERSION_TABLE = "schema_version"
# Whoever makes the first table makes them all: a second node waits here, and then finds them made.
MAKE_VERSION_TABLE = "CREATE TABLE schema_version (part TEXT PRIMARY KEY, number BIGINT NOT NULL)"
# Those that the user has no right to as well, which information_schema hides; of a parted table, the whole.
LIST_TABLES = """SELECT relname FROM pg_catalog.pg_class JOIN pg_catalog.pg_namespace AS n ON n.oid = relnamespace
    WHERE nspname = current_schema() AND relkind IN ('r', 'p') AND NOT relispartition"""
LIST_FORBIDDEN = f"""{LIST_TABLES} AND NOT (has_table_privilege(pg_class.oid, 'SELECT')
    AND has_table_privilege(pg_class.oid, 'INSERT') AND has_table_privilege(pg_class.oid, 'UPDATE')
    AND has_table_privilege(pg_class.oid, 'DELETE')) ORDER BY relname"""
VERSIONS = "SELECT part, number FROM schema_version ORDER BY part"
VERSIONS_TO_CHANGE = VERSIONS + " FOR UPDATE"
SET_VERSION = """INSERT INTO schema_version (part, number) VALUES (%s, %s)
    ON CONFLICT (part) DO UPDATE SET number = excluded.number"""
IS_READ_ONLY = "SELECT current_setting('transaction_read_only')"

_NAMED = re.compile(r"CREATE TABLE (\w+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """Leads to version `number`. The first of a part makes all of its tables."""

    number: int
    statements: tuple[str, ...]

    @property
    def tables(self) -> tuple[str, ...]:
        """That it makes, in their order."""
        return tuple(name for statement in self.statements for name in _NAMED.findall(statement))


Parts = Mapping[str, Sequence[Migration]]


async def migrate(connection: psycopg.AsyncConnection, address: Address, parts: Parts) -> None:
    """All parts to their last versions. Raises Unsupported, Damaged, Forbidden, and psycopg's errors."""
    versions = await check_versions(connection, address, parts)
    if versions == _newest(parts):
        return
    if await _is_read_only(connection):
        raise Forbidden(f"{address.name} is read-only: it cannot be brought up to date")
    try:
        async with connection.transaction():
            if not versions:
                await connection.execute(MAKE_VERSION_TABLE)
            # Another node may have been faster: what counts is what is seen under the lock.
            found = await (await connection.execute(VERSIONS_TO_CHANGE)).fetchall()
            await _apply(connection, parts, dict(found))
            await check_versions(connection, address, parts)
    except (psycopg.errors.UniqueViolation, psycopg.errors.DuplicateTable):
        # Another node was faster, or it is no table that has the name.
        if VERSION_TABLE not in await tables_of(connection):
            raise
        await migrate(connection, address, parts)


async def check_versions(connection: psycopg.AsyncConnection, address: Address, parts: Parts) -> dict[str, int]:
    """The versions, which the tables fit; nothing of an empty database."""
    tables = await tables_of(connection)
    if copy_progress.TABLE in tables:
        raise Forbidden(copy_progress.refusal(address.name))
    if VERSION_TABLE not in tables:
        if tables:
            raise Forbidden(
                f"{address.name} holds tables of another program ({', '.join(sorted(tables)[:3])} …): mailstack wants a"
                " database of its own"
            )
        return {}
    await _require_rights(connection, address)
    versions: dict[str, int] = dict(await (await connection.execute(VERSIONS)).fetchall())
    if not versions.keys() <= parts.keys():
        raise Unsupported(f"{address.name} was made by a newer mailstack: use that one")
    expected = {VERSION_TABLE}
    for part, migrations in parts.items():
        number = versions.get(part, 0)
        if number > migrations[-1].number:
            raise Unsupported(
                f"{address.name} has schema {number}, this program knows {migrations[-1].number}: use a newer mailstack"
            )
        expected.update(name for one in migrations if one.number <= number for name in one.tables)
    if tables != expected:
        odd = ", ".join(sorted(tables ^ expected))
        raise Damaged(f"{address.name} does not have the tables of its schema (see {odd}): restore a copy")
    return versions


async def tables_of(connection: psycopg.AsyncConnection) -> set[str]:
    return {str(name) for (name,) in await (await connection.execute(LIST_TABLES)).fetchall()}


async def _require_rights(connection: psycopg.AsyncConnection, address: Address) -> None:
    """Of a database that another user has restored, they are missing."""
    forbidden = [str(name) for (name,) in await (await connection.execute(LIST_FORBIDDEN.encode())).fetchall()]
    if forbidden:
        user, some = connection.info.user, ", ".join(forbidden[:3])
        raise Forbidden(
            f"{address.name} holds tables that its user {user} may not write ({some} …): restore it as that user"
            f" (pg_restore --no-owner --role={user}), or give them to it"
        )


async def require_newest(connection: psycopg.AsyncConnection, address: Address, parts: Parts) -> None:
    """For who only looks. Raises NotFound of an empty database."""
    versions = await check_versions(connection, address, parts)
    if not versions:
        raise NotFound(f"there is no store in {address.name}")
    if versions != _newest(parts):
        raise Unsupported(f"{address.name} has an older schema: a server of this version brings it up to date")


def _newest(parts: Parts) -> dict[str, int]:
    return {part: migrations[-1].number for part, migrations in parts.items()}


async def _apply(connection: psycopg.AsyncConnection, parts: Parts, versions: Mapping[str, int]) -> None:
    for part, migrations in parts.items():
        for migration in migrations:
            if migration.number <= versions.get(part, 0):
                continue
            for statement in migration.statements:
                # Texts are compared by their octets, as SQLite does, whatever the database was made with.
                await connection.execute(statement.replace(" TEXT", ' TEXT COLLATE "C"').encode())
            await connection.execute(SET_VERSION, (part, migration.number))


async def _is_read_only(connection: psycopg.AsyncConnection) -> bool:
    found = await (await connection.execute(IS_READ_ONLY)).fetchone()
    return found is not None and found[0] == "on"
