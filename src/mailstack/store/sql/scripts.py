"""Sieve scripts of accounts: ports.scripts in SQL. They lie with the system, where delivery finds them by one index."""

from collections.abc import Callable, Collection, Sequence
from hashlib import sha256
from typing import NamedTuple

from mailstack.model.errors import AlreadyExists, InUse, NotFound, QuotaExceeded, TooMany
from mailstack.model.ids import AccountId, BlobId, ScriptId
from mailstack.model.instant import Clock
from mailstack.model.object_journal import ObjectKind
from mailstack.model.script import Activation, EditedScripts, RunningScripts, ScriptEdit, ScriptEntry, ScriptQuota
from mailstack.store.sql.database import Connection, Database, Transaction
from mailstack.store.sql.object_journal import note, require_number
from mailstack.store.sql.script_edits import SIZES, ScriptEditing

# Writers of one account come one after the other.
OWNER = "SELECT 1 FROM account WHERE account_id = ? /*+ FOR NO KEY UPDATE*/"
ALL = "SELECT script_id, name, content, is_active FROM script WHERE account_id = ?"
CONTENT = "SELECT content FROM script WHERE account_id = ? AND name = ?"
RUNNING = """SELECT 0, content FROM script WHERE account_id = ? AND is_active = 1
    UNION ALL SELECT 1, script FROM vacation WHERE account_id = ? AND script IS NOT NULL"""
NAMED = "SELECT script_id, is_active FROM script WHERE account_id = ? AND name = ?"
WHICH_IS_ACTIVE = "SELECT script_id FROM script WHERE account_id = ? AND is_active = 1"
OTHERS = "SELECT COUNT(*), COALESCE(SUM(LENGTH(content)), 0) FROM script WHERE account_id = ? AND name <> ?"
PUT = """INSERT INTO script (account_id, name, script_id, content, is_active) VALUES (?, ?, ?, ?, 0)
    ON CONFLICT (account_id, name) DO UPDATE SET content = excluded.content RETURNING script_id"""
DEACTIVATE = "UPDATE script SET is_active = 0 WHERE account_id = ? AND is_active = 1"
ACTIVATE = "UPDATE script SET is_active = 1 WHERE account_id = ? AND script_id = ?"
RENAME = "UPDATE script SET name = ? WHERE account_id = ? AND name = ?"
REMOVE = "DELETE FROM script WHERE account_id = ? AND name = ?"
FORGET_SCRIPTS = "DELETE FROM script WHERE account_id = ?"
ID_OCTETS = 8


class SqlScripts:
    def __init__(self, system: Database, *, clock: Clock, token: Callable[[int], bytes]) -> None:
        self._system = system
        self._clock = clock
        self._token = token

    async def all(self, account_id: AccountId) -> Sequence[ScriptEntry]:
        found = [
            ScriptEntry(
                script_id=ScriptId(script_id),
                name=name,
                size_octets=len(content),
                content_hash=BlobId(sha256(content).hexdigest()),
                is_active=bool(is_active),
            )
            for script_id, name, content, is_active in await self._system.rows(ALL, (account_id,))
        ]
        # Sorted here: databases disagree on the order of names.
        return sorted(found, key=lambda entry: entry.name)

    async def read(self, account_id: AccountId, name: str) -> bytes:
        row = await self._system.row(CONTENT, (account_id, name))
        if row is None:
            raise _missing()
        return bytes(row[0])

    async def running(self, account_id: AccountId) -> RunningScripts:
        rows = await self._system.rows(RUNNING, (account_id, account_id))
        found = {is_vacation: bytes(content) for is_vacation, content in rows}
        return RunningScripts(active=found.get(0), vacation=found.get(1))

    async def put(self, account_id: AccountId, name: str, content: bytes, *, quota: ScriptQuota) -> None:
        script_id = self._token(ID_OCTETS).hex()

        def work(transaction: Transaction) -> None:
            take_turn(transaction, account_id)
            _check_space(transaction, account_id, name, len(content), quota)
            (found,) = transaction.one(PUT, (account_id, name, script_id, content))
            self._note(transaction, account_id, **{"created" if found == script_id else "updated": [found]})

        await self._system.write(work)

    async def check_space(self, account_id: AccountId, name: str, size_octets: int, *, quota: ScriptQuota) -> None:
        await self._system.read(lambda connection: _check_space(connection, account_id, name, size_octets, quota))

    async def activate(self, account_id: AccountId, name: str | None) -> None:
        def work(transaction: Transaction) -> None:
            take_turn(transaction, account_id)
            script_id = None if name is None else _named(transaction, account_id, name).script_id
            changed = activate(transaction, account_id, script_id)
            self._note(transaction, account_id, updated=changed)

        await self._system.write(work)

    async def rename(self, account_id: AccountId, name: str, new_name: str) -> None:
        def work(transaction: Transaction) -> None:
            take_turn(transaction, account_id)
            found = _named(transaction, account_id, name)
            if transaction.row(NAMED, (account_id, new_name)) is not None:
                raise AlreadyExists("there is a script of the new name already")
            transaction.run(RENAME, (new_name, account_id, name))
            self._note(transaction, account_id, updated=[found.script_id])

        await self._system.write(work)

    async def edit(
        self,
        account_id: AccountId,
        edits: Sequence[ScriptEdit],
        *,
        activation: Activation,
        quota: ScriptQuota,
        if_number: int | None = None,
    ) -> EditedScripts:
        def work(transaction: Transaction) -> EditedScripts:
            take_turn(transaction, account_id)
            require_number(transaction, account_id, ObjectKind.SCRIPT, if_number)
            rows = transaction.rows(SIZES, (account_id,))
            editing = ScriptEditing(rows, edits, quota=quota, token=lambda: self._token(ID_OCTETS).hex())
            editing.write(transaction, account_id)
            switched: list[str] = []
            active = next((script_id for script_id, _, _, is_active in rows if is_active), None)
            wanted = editing.active_then(activation) if editing.is_whole else active
            if editing.is_whole:
                switched = activate(transaction, account_id, wanted)
            updated = {*editing.updated, *switched} - {*editing.created}
            changed = len(editing.created) + len(updated) + len(editing.destroyed)
            number = note(
                transaction,
                account_id,
                ObjectKind.SCRIPT,
                created=sorted(editing.created),
                updated=sorted(updated),
                destroyed=sorted(editing.destroyed),
                now=self._clock(),
            )
            return EditedScripts(
                outcomes=editing.outcomes,
                activated=wanted if wanted in switched else None,
                deactivated=active if active in switched else None,
                number_before=number - changed,
                number=number,
            )

        return await self._system.write(work)

    async def remove(self, account_id: AccountId, name: str) -> None:
        def work(transaction: Transaction) -> None:
            take_turn(transaction, account_id)
            found = _named(transaction, account_id, name)
            if found.is_active:
                raise InUse("the script is active; make another one active first, or none")
            transaction.run(REMOVE, (account_id, name))
            self._note(transaction, account_id, destroyed=[found.script_id])

        await self._system.write(work)

    def _note(self, transaction: Transaction, account_id: AccountId, **changed: Collection[str]) -> None:
        note(transaction, account_id, ObjectKind.SCRIPT, now=self._clock(), **changed)


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


def activate(transaction: Transaction, account_id: AccountId, script_id: str | None) -> list[str]:
    """Of a script that is there, or of none; returns the ids of those that change by it."""
    before = [found for (found,) in transaction.rows(WHICH_IS_ACTIVE, (account_id,))]
    if script_id in before or (script_id is None and not before):
        return []
    transaction.run(DEACTIVATE, (account_id,))
    if script_id is None:
        return before
    transaction.run(ACTIVATE, (account_id, script_id))
    return [*before, script_id]


class _Named(NamedTuple):
    script_id: str
    is_active: bool


def _named(transaction: Transaction, account_id: AccountId, name: str) -> _Named:
    """Raises NotFound."""
    row = transaction.row(NAMED, (account_id, name))
    if row is None:
        raise _missing()
    return _Named(row[0], bool(row[1]))


def _missing() -> NotFound:
    return NotFound("there is no script of that name")
