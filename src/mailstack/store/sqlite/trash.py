"""Destroyed accounts: ports.trash on SQLite. How an account comes into the trash is discarding.py's.

Giving one back moves its folder first and then, in one transaction, lets the account of that login have its id. A
crash in between leaves a folder that the trash still names, and the next start moves it back.
"""

import shutil
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from mailstack.model.errors import Conflict, DomainError, NotFound, TryAgainLater
from mailstack.model.ids import AccountId, Generation
from mailstack.model.instant import Clock, Instant
from mailstack.model.trash import KEPT_MS, TrashedAccount
from mailstack.ports.bus import GENERATION_TOPIC
from mailstack.store.sql import database
from mailstack.store.sql.database import Row
from mailstack.store.sql.directory import ACCOUNT_ID, ADD_ADDRESS, ADD_TRASH, DROP_ADDRESSES
from mailstack.store.sql.state import ADD_GENERATION, LATEST
from mailstack.store.sqlite.connection import Access, Connection
from mailstack.store.sqlite.databases import Database, account_folder, is_blank
from mailstack.store.sqlite.discarding import NOTE
from mailstack.store.sqlite.folders import make_folder, sync_folder
from mailstack.store.sqlite.writer import Transaction

NEWEST = "SELECT account_id, login, destroyed_at FROM trash ORDER BY destroyed_at DESC, account_id"
OLD = "SELECT account_id FROM trash WHERE destroyed_at < ?"
IS_TRASHED = "SELECT 1 FROM trash WHERE account_id = ?"
FORGET = "DELETE FROM trash WHERE account_id = ?"
ADDRESSES = "SELECT address_key FROM address WHERE account_id = ?"
TAKE_ID = "UPDATE account SET account_id = ? WHERE account_id = ?"
HELD = "SELECT (SELECT COUNT(*) FROM message), used_bytes FROM counter"
OPEN = "UPDATE counter SET is_closed = 0"


class SqliteTrash:
    """committed, tidy: as SqlState has them."""

    def __init__(
        self, path: Path, system: Database, *, clock: Clock, committed: Callable[[], None], tidy: Callable[[], None]
    ) -> None:
        self._path = path
        self._system = system
        self._clock = clock
        self._committed = committed
        self._tidy = tidy

    async def list(self) -> Sequence[TrashedAccount]:
        return await self._system.read_long(self._list)

    async def restore(self, account_id: AccountId, login: str) -> Generation:
        generation = await self._system.write(partial(self._restore, account_id, login), is_long=True)
        self._committed()
        return generation

    async def purge(self, *, now: Instant) -> int:
        rows = await self._system.rows(OLD, (now - KEPT_MS,))
        for (account_id,) in rows:
            # The folder first: a row without a folder is forgotten tomorrow, a folder without a row never.
            await self._system.in_thread(self._remove, AccountId(account_id))
            await self._system.write(partial(_forget, account_id))
        return len(rows)

    def _list(self, connection: database.Connection) -> Sequence[TrashedAccount]:
        listed = (self._described(row) for row in connection.rows(NEWEST))
        return [one for one in listed if one.messages]

    def _described(self, row: Row) -> TrashedAccount:
        account_id, login, destroyed_at = row
        messages, size_bytes = self._held_by(AccountId(account_id))
        return TrashedAccount(
            account_id=AccountId(account_id),
            login=login,
            destroyed_at=Instant(destroyed_at),
            messages=messages,
            size_bytes=size_bytes,
        )

    def _held_by(self, account_id: AccountId) -> tuple[int, int]:
        """What was read counts if the folder lies there still: the writer may be moving it to the trash just now."""
        while True:
            folder = self._trash_folder(account_id)
            try:
                held = _held(folder)
            except DomainError:
                if folder == self._trash_folder(account_id):
                    raise
            else:
                if folder == self._trash_folder(account_id):
                    return held

    def _restore(self, account_id: AccountId, login: str, transaction: Transaction) -> Generation:
        if transaction.row(IS_TRASHED, (account_id,)) is None:
            raise NotFound(f"the trash holds no account {account_id}")
        found = transaction.row(ACCOUNT_ID, (login,))
        if found is None:
            raise NotFound(f"there is no account {login}: put it into the spec again and apply it first")
        empty_id = AccountId(found[0])
        if _held(account_folder(self._path, empty_id))[0]:
            raise Conflict(f"{login} holds mail of its own already")
        self._bring_back(account_id)
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
        transaction.after_commit(self._tidy)
        return Generation(number + 1)

    def _bring_back(self, account_id: AccountId) -> None:
        """Where the directory will look for it, ready to be written to. May be repeated."""
        source, target = self._trash_folder(account_id), account_folder(self._path, account_id)
        try:
            make_folder(target.parent)
            if source.exists() and not target.exists():
                source.rename(target)
                sync_folder(source.parent)
                sync_folder(target.parent)
            (target / NOTE).unlink(missing_ok=True)
        except OSError as fault:
            raise TryAgainLater(f"{source} cannot be moved to {target}: {fault.strerror}") from fault
        if not (target / "mail.db").exists():
            raise NotFound(f"{source} holds no mail any more")
        connection = Connection(target / "mail.db", Access.WRITE)
        try:
            connection.run(OPEN)
        finally:
            connection.close()

    def _remove(self, account_id: AccountId) -> None:
        # Large blobs are links: what others share stays, and what nobody has any more the sweep removes.
        for folder in self._path.glob(f"trash/{account_id}*"):
            shutil.rmtree(folder, ignore_errors=True)

    def _trash_folder(self, account_id: AccountId) -> Path:
        folder = self._path / "trash" / account_id
        # Not moved yet, for it could not be: it lies where it lay.
        return folder if folder.exists() else account_folder(self._path, account_id)


def _forget(account_id: str, transaction: Transaction) -> None:
    transaction.run(FORGET, (account_id,))


def _held(folder: Path) -> tuple[int, int]:
    """Messages and their bytes; nothing for an account that never had a file, or one without tables."""
    file = folder / "mail.db"
    if not file.exists():
        return 0, 0
    connection = Connection(file, Access.PEEK)
    try:
        if is_blank(connection):
            return 0, 0
        messages, size_bytes = connection.one(HELD)
        return int(messages), int(size_bytes)
    finally:
        connection.close()
