"""A database whose disk is really full: what cannot be stored is not half there, and all goes on afterwards.

The small disk is a tmpfs, which takes root to mount; the continuous check runs as root and never skips.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from mailstack.model.errors import TryAgainLater
from mailstack.model.ids import AccountId, MailboxId
from mailstack.store.postgres.open import PostgresStore
from tests.store.postgres.conftest import open_at
from tests.support.postgres import PostgresServer, owner_of_server
from tests.support.stores import make_account, new_message

INBOX = MailboxId(1)
DISK_BYTES = 24 << 20


@pytest.fixture
def small_disk(postgres: PostgresServer) -> Iterator[Path]:
    path = postgres.folder / "small"
    path.mkdir()
    mount = ("mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(path))
    if subprocess.run(mount, check=bool(os.environ.get("CI")), capture_output=True).returncode:
        path.rmdir()
        pytest.skip("a tmpfs can be mounted by root only")
    shutil.chown(path, owner_of_server() or "root")
    path.chmod(0o700)
    yield path
    subprocess.run(("umount", str(path)), check=True)
    path.rmdir()


def fill(filler: Path) -> None:
    with filler.open("ab", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))


async def stored_until_full(store: PostgresStore, account_id: AccountId) -> int:
    for stored in range(2_000):
        try:
            await store.messages.append(account_id, INBOX, [new_message(stored, size_bytes=4000)])
        except TryAgainLater as fault:
            if "the disk that holds it is full" in fault.detail:
                return stored
            raise
    raise AssertionError("the disk never was full")


async def test_a_full_disk_is_told_and_survived(postgres: PostgresServer, small_disk: Path, tmp_path: Path) -> None:
    filler = small_disk / "filler"
    postgres.run(f"CREATE TABLESPACE small LOCATION '{small_disk}'")
    postgres.run("CREATE DATABASE small TEMPLATE template0 TABLESPACE small")
    try:
        store = await open_at(postgres.url("small"), tmp_path)
        account_id = await make_account(store)
        await store.messages.append(account_id, INBOX, [new_message(0)])
        fill(filler)
        stored = 1 + await stored_until_full(store, account_id)
        assert len(await store.messages.placements(account_id, INBOX)) == stored
        filler.unlink()
        await store.messages.append(account_id, INBOX, [new_message(stored)])
        assert (await store.mailboxes.status(account_id, INBOX)).uid_next == stored + 2
        await store.close()
    finally:
        filler.unlink(missing_ok=True)
        postgres.drop_database("small")
        postgres.run("DROP TABLESPACE small")
