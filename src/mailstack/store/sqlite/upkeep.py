"""What is to be known of accounts' files: store.sql.upkeep's Premises on SQLite."""

import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import orjson

from mailstack.model.errors import Damaged, NotFound
from mailstack.model.ids import AccountId
from mailstack.model.upkeep import UNKNOWN_BYTES, Flaw
from mailstack.store.sql.database import Connection, Database
from mailstack.store.sql.invariants import SHOWN_OF_A_RULE
from mailstack.store.sql.upkeep import USED
from mailstack.store.sqlite.databases import AccountDatabases, account_folder

ACCOUNTS = "SELECT login, account_id FROM account WHERE login IN (SELECT value FROM json_each(?)) ORDER BY login"


class AccountFiles:
    """path: of the store."""

    name = "the account's file"

    def __init__(self, path: Path, system: Database, databases: AccountDatabases) -> None:
        self._path = path
        self._system = system
        self._databases = databases

    async def held(self, logins: Collection[str]) -> Mapping[str, int]:
        wanted = orjson.dumps(list(logins)).decode()
        accounts = await self._system.read_long(lambda connection: connection.rows(ACCOUNTS, (wanted,)))
        # Of those that are asked about, most have had no mail yet: no file is opened for them.
        used = {login: await self._used_bytes(name) for login, name in accounts if self._databases.has_file(name)}
        return {login: size_bytes for login, size_bytes in used.items() if size_bytes}

    def disk_bytes(self, connection: Connection, account_id: AccountId) -> int:  # noqa: ARG002 - the folder tells
        return bytes_below(account_folder(self._path, account_id))

    def flaws(self, connection: Connection) -> Iterator[Flaw]:
        # FTS5 checks what it has cached, and finds out that others have written only when it is asked for rows.
        with suppress(Damaged):
            connection.rows("SELECT rowid FROM search_index LIMIT 1")
        for check in ("integrity_check", "foreign_key_check"):
            rows = connection.rows(f"PRAGMA {check}")
            for row in rows[:SHOWN_OF_A_RULE]:
                if row[0] != "ok":
                    yield Flaw(rule=check.replace("_", "-"), where=self.name, text=" ".join(map(str, row)))

    async def _used_bytes(self, account_id: AccountId) -> int:
        try:
            database = await self._databases.get(account_id)
            return int((await database.read(lambda connection: connection.one(USED)))[0])
        except NotFound:
            return 0  # it went just now
        except Damaged:
            return UNKNOWN_BYTES


def bytes_below(folder: Path) -> int:
    """Beside whoever writes there: logs come and go, and so do the files of messages, while they are counted."""
    size_bytes = 0
    for where, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                size_bytes += Path(where, name).lstat().st_size
    return size_bytes
