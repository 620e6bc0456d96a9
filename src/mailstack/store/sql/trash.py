"""Destroyed accounts: ports.trash in SQL. What an account leaves behind, a folder or rows, is the engine's affair.

Giving one back lets the account of that login have its id, in one transaction; the empty one goes to the trash.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Protocol

from mailstack.model.errors import Conflict, NotFound
from mailstack.model.ids import AccountId, Generation
from mailstack.model.instant import Clock, Instant
from mailstack.model.trash import KEPT_MS, TrashedAccount
from mailstack.ports.bus import GENERATION_TOPIC
from mailstack.store.sql.acquaintances import FORGET_ACQUAINTANCES
from mailstack.store.sql.app_passwords import FORGET_APP_PASSWORDS
from mailstack.store.sql.database import Connection, Database, Row, Transaction
from mailstack.store.sql.directory import ACCOUNT_ID, ADD_ADDRESS, ADD_TRASH, DROP_ADDRESSES
from mailstack.store.sql.email_submissions import forget_submissions
from mailstack.store.sql.object_journal import forget_journal
from mailstack.store.sql.push_subscriptions import FORGET_PUSHES
from mailstack.store.sql.scripts import FORGET_SCRIPTS
from mailstack.store.sql.sending_identities import FORGET_IDENTITIES
from mailstack.store.sql.sieve_memory import FORGET_MEMORY
from mailstack.store.sql.spam_tables import forget_account
from mailstack.store.sql.state import ADD_GENERATION, LATEST, TAKE_TURN
from mailstack.store.sql.vacations import FORGET_VACATION
from mailstack.store.sql.web_sessions import FORGET_WEB_SESSIONS

NEWEST = "SELECT account_id, login, destroyed_at FROM trash ORDER BY destroyed_at DESC, account_id"
OLD = "SELECT account_id FROM trash WHERE destroyed_at < ?"
TRASHED = "SELECT account_id FROM trash"
IS_TRASHED = "SELECT 1 FROM trash WHERE account_id = ?"
FORGET = "DELETE FROM trash WHERE account_id = ?"
ADDRESSES = "SELECT address_key FROM address WHERE account_id = ?"
TAKE_ID = "UPDATE account SET account_id = ? WHERE account_id = ?"


class Remains(Protocol):
    """What accounts leave behind when they leave the directory."""

    def discard(self, transaction: Transaction) -> None:
        """In each transaction after which there may be more accounts in the trash: nobody writes to them any more."""
        ...

    def close(self, transaction: Transaction, account_id: AccountId) -> None:
        """Nobody writes to this one until the transaction is over, where the engine can do that."""
        ...

    def held(self, connection: Connection | Transaction, account_id: AccountId) -> tuple[int, int]:
        """Messages and their bytes, of an account in the trash or out of it. Raises DomainError."""
        ...

    def held_in_trash(self, connection: Connection) -> Mapping[AccountId, tuple[int, int]]:
        """As held, of all in the trash that hold anything."""
        ...

    def bring_back(self, transaction: Transaction, account_id: AccountId) -> None:
        """Ready to be written to, for whoever has this id next. Raises NotFound where it holds no mail any more."""
        ...

    async def remove(self, account_id: AccountId) -> None:
        """For good."""
        ...


class SqlTrash:
    """committed: as SqlState has it."""

    def __init__(self, system: Database, remains: Remains, *, clock: Clock, committed: Callable[[], None]) -> None:
        self._system = system
        self._remains = remains
        self._clock = clock
        self._committed = committed

    async def list(self) -> Sequence[TrashedAccount]:
        return await self._system.read_long(self._list)

    async def restore(self, account_id: AccountId, login: str) -> Generation:
        generation = await self._system.write(partial(self._restore, account_id, login), is_long=True)
        self._committed()
        return generation

    async def purge(self, *, now: Instant) -> int:
        rows = await self._system.rows(OLD, (now - KEPT_MS,))
        for (account_id,) in rows:
            # First what it left: a line without that is forgotten tomorrow, and that without a line never.
            await self._remains.remove(AccountId(account_id))
            await self._system.write(partial(_forget, account_id))
        return len(rows)

    def _list(self, connection: Connection) -> Sequence[TrashedAccount]:
        held = self._remains.held_in_trash(connection)
        return [_described(row, *held[row[0]]) for row in connection.rows(NEWEST) if row[0] in held]

    def _restore(self, account_id: AccountId, login: str, transaction: Transaction) -> Generation:
        transaction.run(TAKE_TURN)
        if transaction.row(IS_TRASHED, (account_id,)) is None:
            raise NotFound(f"the trash holds no account {account_id}")
        found = transaction.row(ACCOUNT_ID, (login,))
        if found is None:
            raise NotFound(f"there is no account {login}: put it into the spec again and apply it first")
        empty_id = AccountId(found[0])
        self._remains.close(transaction, empty_id)
        if self._remains.held(transaction, empty_id)[0]:
            raise Conflict(f"{login} holds mail of its own already")
        self._remains.bring_back(transaction, account_id)
        # An address names an account, and an account's id is what it is named by: addresses first.
        addresses = transaction.rows(ADDRESSES, (empty_id,))
        transaction.run(DROP_ADDRESSES, (empty_id,))
        transaction.run(TAKE_ID, (account_id, empty_id))
        transaction.run_many(ADD_ADDRESS, [(address, account_id) for (address,) in addresses])
        transaction.run(FORGET, (account_id,))
        transaction.run(ADD_TRASH, (empty_id, login, self._clock()))
        number, spec_hash, _ = transaction.one(LATEST)
        transaction.run(ADD_GENERATION, (number + 1, spec_hash, self._clock()))
        transaction.announce(GENERATION_TOPIC)
        self._remains.discard(transaction)
        return Generation(number + 1)


def _described(row: Row, messages: int, size_bytes: int) -> TrashedAccount:
    account_id, login, destroyed_at = row
    return TrashedAccount(
        account_id=AccountId(account_id),
        login=login,
        destroyed_at=Instant(destroyed_at),
        messages=messages,
        size_bytes=size_bytes,
    )


def _forget(account_id: str, transaction: Transaction) -> None:
    transaction.run(FORGET_SCRIPTS, (account_id,))
    transaction.run(FORGET_APP_PASSWORDS, (account_id,))
    transaction.run(FORGET_VACATION, (account_id,))
    transaction.run(FORGET_WEB_SESSIONS, (account_id,))
    transaction.run(FORGET_MEMORY, (account_id,))
    transaction.run(FORGET_ACQUAINTANCES, (account_id,))
    transaction.run(FORGET_PUSHES, (account_id,))
    forget_account(transaction, account_id)
    forget_submissions(transaction, account_id)
    forget_journal(transaction, account_id)
    transaction.run(FORGET_IDENTITIES, (account_id,))
    transaction.run(FORGET, (account_id,))
