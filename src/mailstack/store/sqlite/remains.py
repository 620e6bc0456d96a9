"""What destroyed accounts leave on SQLite: their folders, in the trash. store.sql.trash.Remains.

How an account comes into the trash is discarding.py's. Giving one back moves its folder before the transaction is over;
a crash in between leaves a folder that the trash still names, and the next start moves it back.
"""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from mailstack.model.errors import DomainError, NotFound, TryAgainLater
from mailstack.model.ids import AccountId
from mailstack.store.sql import database
from mailstack.store.sql.trash import TRASHED
from mailstack.store.sqlite.connection import Access, Connection
from mailstack.store.sqlite.databases import Database, account_folder, is_blank
from mailstack.store.sqlite.discarding import NOTE
from mailstack.store.sqlite.folders import make_folder
from mailstack.store.syncing import sync_folder

HELD = "SELECT (SELECT COUNT(*) FROM message), used_bytes FROM counter"
OPEN = "UPDATE counter SET is_closed = 0"


class FolderRemains:
    """path: the store's folder. tidy: moves folders of accounts that are gone, in a writer's thread."""

    def __init__(self, path: Path, system: Database, *, tidy: Callable[[], None]) -> None:
        self._path = path
        self._system = system
        self._tidy = tidy

    def discard(self, transaction: database.Transaction) -> None:
        transaction.after_commit(self._tidy)

    def close(self, transaction: database.Transaction, account_id: AccountId) -> None:
        """Not before its folder is moved."""

    def held(self, connection: database.Connection | database.Transaction, account_id: AccountId) -> tuple[int, int]:  # noqa: ARG002
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

    def held_in_trash(self, connection: database.Connection) -> Mapping[AccountId, tuple[int, int]]:
        """Of each in its own file."""
        trashed = [AccountId(account_id) for (account_id,) in connection.rows(TRASHED)]
        held = {account_id: self.held(connection, account_id) for account_id in trashed}
        return {account_id: found for account_id, found in held.items() if found[0]}

    def bring_back(self, transaction: database.Transaction, account_id: AccountId) -> None:  # noqa: ARG002 - a file
        """Where the directory will look for it. May be repeated."""
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

    async def remove(self, account_id: AccountId) -> None:
        await self._system.in_thread(self._remove, account_id)

    def _remove(self, account_id: AccountId) -> None:
        # Large blobs are links: what others share stays, and what nobody has any more the sweep removes.
        for folder in self._path.glob(f"trash/{account_id}*"):
            shutil.rmtree(folder, ignore_errors=True)

    def _trash_folder(self, account_id: AccountId) -> Path:
        folder = self._path / "trash" / account_id
        # Not moved yet, for it could not be: it lies where it lay.
        return folder if folder.exists() else account_folder(self._path, account_id)


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
