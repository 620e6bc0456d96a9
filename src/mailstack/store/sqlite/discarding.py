"""Folders of accounts that left the directory go to the trash. How they come back is trash.py's."""

from datetime import UTC, datetime
from pathlib import Path

import orjson
import structlog

from mailstack.model.errors import DomainError
from mailstack.model.ids import AccountId
from mailstack.model.instant import SECOND_MS
from mailstack.store.sqlite.connection import Access, Connection
from mailstack.store.sqlite.databases import account_folder
from mailstack.store.sqlite.folders import make_folder
from mailstack.store.syncing import sync_folder

TRASH = "SELECT account_id, login, destroyed_at FROM trash"
CLOSE = "UPDATE counter SET is_closed = 1"

NOTE = "destroyed.json"

log = structlog.get_logger()


def move_to_trash(path: Path, system: Connection) -> None:
    """Folders of accounts that are gone, into path/trash, with a note of whose they were. May be repeated."""
    for account_id, login, destroyed_at in system.rows(TRASH):
        folder = account_folder(path, AccountId(account_id))
        if not folder.exists():
            continue
        note = {"account": login, "destroyed_at": datetime.fromtimestamp(destroyed_at / SECOND_MS, UTC)}
        try:
            _close(folder / "mail.db")
            (folder / NOTE).write_bytes(orjson.dumps(note, option=orjson.OPT_INDENT_2))
            _rename(folder, path / "trash")
        except FileNotFoundError:
            continue  # another process was faster
        except (DomainError, OSError) as fault:
            # Nobody finds the account any more; the next start tries again.
            log.warning("account not moved to the trash", account=login, path=str(folder), error=repr(fault))


def _close(file: Path) -> None:
    """Other processes may have it open for long yet: from here on they are refused by the file itself."""
    if not file.exists():
        return
    connection = Connection(file, Access.WRITE)
    try:
        connection.run(CLOSE)
    finally:
        connection.close()


def _rename(folder: Path, trash: Path) -> None:
    make_folder(trash)
    names = (folder.name, *(f"{folder.name}.{number}" for number in range(2, 100)))
    folder.rename(next(trash / name for name in names if not (trash / name).exists()))
    sync_folder(trash)
    sync_folder(folder.parent)
