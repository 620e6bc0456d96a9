"""Sieve scripts of accounts: ports.scripts in SQL. They lie with the system, where delivery finds them by one index."""

from collections.abc import Callable, Sequence

from mailstack.model.errors import AlreadyExists, InUse, NotFound, QuotaExceeded, TooMany
from mailstack.model.ids import AccountId, ScriptId
from mailstack.model.script import ScriptEntry, ScriptQuota
from mailstack.store.sql.database import Connection, Database, Transaction

# Writers of one account come one after the other.
OWNER = "SELECT 1 FROM account WHERE account_id = ? /*+ FOR NO KEY UPDATE*/"
ALL = "SELECT script_id, name, LENGTH(content), is_active FROM script WHERE account_id = ?"
CONTENT = "SELECT content FROM script WHERE account_id = ? AND name = ?"
ACTIVE = "SELECT content FROM script WHERE account_id = ? AND is_active = 1"
IS_ACTIVE = "SELECT is_active FROM script WHERE account_id = ? AND name = ?"
OTHERS = "SELECT COUNT(*), COALESCE(SUM(LENGTH(content)), 0) FROM script WHERE account_id = ? AND name <> ?"
PUT = """INSERT INTO script (account_id, name, script_id, content, is_active) VALUES (?, ?, ?, ?, 0)
    ON CONFLICT (account_id, name) DO UPDATE SET content = excluded.content"""
DEACTIVATE = "UPDATE script SET is_active = 0 WHERE account_id = ? AND is_active = 1"
ACTIVATE = "UPDATE script SET is_active = 1 WHERE account_id = ? AND name = ?"
RENAME = "UPDATE script SET name = ? WHERE account_id = ? AND name = ?"
REMOVE = "DELETE FROM script WHERE account_id = ? AND name = ?"
FORGET_SCRIPTS = "DELETE FROM script WHERE account_id = ?"
ID_OCTETS = 8


class SqlScripts:
    def __init__(self, system: Database, *, token: Callable[[int], bytes]) -> None:
        self._system = system
        self._token = token

    async def all(self, account_id: AccountId) -> Sequence[ScriptEntry]:
        found = [
            ScriptEntry(script_id=ScriptId(script_id), name=name, size_octets=size_octets, is_active=bool(is_active))
            for script_id, name, size_octets, is_active in await self._system.rows(ALL, (account_id,))
        ]
        # Sorted here: databases disagree on the order of names.
        return sorted(found, key=lambda entry: entry.name)

    async def read(self, account_id: AccountId, name: str) -> bytes:
        row = await self._system.row(CONTENT, (account_id, name))
        if row is None:
            raise _missing()
        return bytes(row[0])

    async def active(self, account_id: AccountId) -> bytes | None:
        row = await self._system.row(ACTIVE, (account_id,))
        return None if row is None else bytes(row[0])

    async def put(self, account_id: AccountId, name: str, content: bytes, *, quota: ScriptQuota) -> None:
        script_id = self._token(ID_OCTETS).hex()

        def work(transaction: Transaction) -> None:
            take_turn(transaction, account_id)
            _check_space(transaction, account_id, name, len(content), quota)
            transaction.run(PUT, (account_id, name, script_id, content))

        await self._system.write(work)

    async def check_space(self, account_id: AccountId, name: str, size_octets: int, *, quota: ScriptQuota) -> None:
        await self._system.read(lambda connection: _check_space(connection, account_id, name, size_octets, quota))

    async def activate(self, account_id: AccountId, name: str | None) -> None:
        def work(transaction: Transaction) -> None:
            take_turn(transaction, account_id)
            if name is not None:
                _is_active(transaction, account_id, name)
            transaction.run(DEACTIVATE, (account_id,))
            if name is not None:
                transaction.run(ACTIVATE, (account_id, name))

        await self._system.write(work)

    async def rename(self, account_id: AccountId, name: str, new_name: str) -> None:
        def work(transaction: Transaction) -> None:
            take_turn(transaction, account_id)
            _is_active(transaction, account_id, name)
            if transaction.row(IS_ACTIVE, (account_id, new_name)) is not None:
                raise AlreadyExists("there is a script of the new name already")
            transaction.run(RENAME, (new_name, account_id, name))

        await self._system.write(work)

    async def remove(self, account_id: AccountId, name: str) -> None:
        def work(transaction: Transaction) -> None:
            take_turn(transaction, account_id)
            if _is_active(transaction, account_id, name):
                raise InUse("the script is active; make another one active first, or none")
            transaction.run(REMOVE, (account_id, name))

        await self._system.write(work)


def take_turn(transaction: Transaction, account_id: AccountId) -> None:
    if transaction.row(OWNER, (account_id,)) is None:
        raise NotFound(f"there is no account {account_id}")


def _check_space(
    asked: Connection | Transaction, account_id: AccountId, name: str, size_octets: int, quota: ScriptQuota
) -> None:
    scripts, octets = asked.one(OTHERS, (account_id, name))
    if scripts >= quota.scripts:
        raise TooMany(f"an account has at most {quota.scripts} scripts")
    if octets + size_octets > quota.octets:
        raise QuotaExceeded(f"the scripts of an account have at most {quota.octets} octets together")


def _is_active(transaction: Transaction, account_id: AccountId, name: str) -> bool:
    """Raises NotFound."""
    row = transaction.row(IS_ACTIVE, (account_id, name))
    if row is None:
        raise _missing()
    return bool(row[0])


def _missing() -> NotFound:
    return NotFound("there is no script of that name")
