"""Files of large blobs that no row names, because a process died between writing the file and its commit, or between a
commit and the unlink after it. They are found by their age: a file is named within seconds or never.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import structlog

from mailstack.model.errors import DomainError
from mailstack.model.instant import HOUR_MS, SECOND_MS, Instant
from mailstack.store.sqlite.connection import Access, Connection
from mailstack.store.sqlite.folders import BLOB_FOLDER, BLOB_SUFFIX, QUEUE_FOLDER

log = structlog.get_logger()

Discard = Callable[[Path, str], None]
"""Of a file in a holder's folder."""

AGE_MS = 24 * HOUR_MS
NAMED_IN_ACCOUNT = "SELECT 1 FROM blob WHERE file = ?"
NAMED_IN_QUEUE = "SELECT 1 FROM mail WHERE file = ?1 UNION ALL SELECT 1 FROM upload WHERE file = ?1"


def sweep(path: Path, discard: Discard, *, now: Instant) -> int:
    """Blocks; returns how many files went. Any number of processes may do it while others write."""
    swept = _sweep_holder(path / QUEUE_FOLDER, path / "system.db", NAMED_IN_QUEUE, discard, now)
    for holder in (path / "accounts").glob(f"*/*/{BLOB_FOLDER}"):
        try:
            swept += _sweep_holder(holder, holder.with_name("mail.db"), NAMED_IN_ACCOUNT, discard, now)
        except DomainError as fault:
            log.warning("not swept", path=str(holder), error=repr(fault))  # one damaged account stops no other's
    for shared in (path / BLOB_FOLDER).glob(f"*/*{BLOB_SUFFIX}"):
        swept += _sweep_shared(shared, now)
    return swept


def _sweep_holder(holder: Path, database: Path, named: str, discard: Discard, now: Instant) -> int:
    old = _old_files(holder, now)
    if not old or not database.exists():
        return 0
    connection = Connection(database, Access.READ)
    try:
        unnamed = [file for file in old if connection.row(named, (file,)) is None]
    finally:
        connection.close()
    for file in unnamed:
        discard(holder, file)
    return len(unnamed)


def _sweep_shared(shared: Path, now: Instant) -> int:
    # Who links to it between the look and the unlink keeps the bytes and loses only the sharing.
    try:
        status = shared.stat()
        if status.st_nlink > 1 or not _is_old(status, now):
            return 0
        shared.unlink()
    except FileNotFoundError:
        return 0
    return 1


def _old_files(holder: Path, now: Instant) -> list[str]:
    if not holder.is_dir():
        return []
    found = []
    for file in holder.iterdir():
        with suppress(FileNotFoundError):  # gone since it was listed
            if _is_old(file.stat(), now):
                found.append(file.name)
    return found


def _is_old(status: os.stat_result, now: Instant) -> bool:
    # Of the last link, not of the bytes: those may have been shared for years.
    return status.st_ctime * SECOND_MS < now - AGE_MS
