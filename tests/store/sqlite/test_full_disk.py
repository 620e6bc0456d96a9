"""A disk that is really full, and a folder that is really closed: nothing half-written, and all goes on afterwards.

The small disk is a tmpfs, which takes root to mount; the continuous check runs as root and never skips.
"""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from mailstack.model.delivery import OutgoingMail
from mailstack.model.errors import TryAgainLater
from mailstack.model.ids import AccountId, MailboxId
from mailstack.model.instant import Instant
from mailstack.store.sqlite.connection import Access, Connection
from mailstack.store.sqlite.databases import account_folder
from mailstack.store.sqlite.open import SqliteStore, open_store
from tests.support.fake_clock import FakeClock
from tests.support.quota import quota
from tests.support.recording_bus import RecordingBus
from tests.support.stores import make_account, new_message, raw_message

ROOT = Path(__file__).parents[3]
INBOX = MailboxId(1)
DISK_BYTES = 6 << 20
LARGE_BYTES = 300_000
NOBODY = 65534


def write_for_ever(file: BinaryIO) -> None:
    while True:
        file.write(bytes(4096))


class SmallDisk:
    def __init__(self, path: Path) -> None:
        self.path = path
        self._filler = path / "filler"

    def fill(self) -> None:
        with self._filler.open("ab", buffering=0) as file, pytest.raises(OSError, match="No space left"):
            write_for_ever(file)

    def free(self) -> None:
        self._filler.unlink()

    def blob_files(self) -> list[Path]:
        return [file for file in self.path.rglob("*") if ".zst" in file.name]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    path = tmp_path / "disk"
    path.mkdir()
    mount = ("mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(path))
    if subprocess.run(mount, check=bool(os.environ.get("CI")), capture_output=True).returncode:
        pytest.skip("a tmpfs can be mounted by root only")
    yield SmallDisk(path)
    subprocess.run(("umount", str(path)), check=True)


@pytest.fixture
async def store(disk: SmallDisk) -> AsyncIterator[SqliteStore]:
    opened = await open_store(disk.path / "store", clock=FakeClock(), bus=RecordingBus())
    yield opened
    await opened.close()


async def until_full(write: Callable[[], Awaitable[object]]) -> int:
    """How many were acknowledged."""
    for taken in range(10_000):
        try:
            await write()
        except TryAgainLater:
            return taken
    raise AssertionError("the disk never was full")


async def append_until_full(store: SqliteStore, account_id: AccountId, disk: SmallDisk) -> int:
    await store.messages.append(account_id, INBOX, [new_message()])
    disk.fill()
    return 1 + await until_full(lambda: store.messages.append(account_id, INBOX, [new_message(size_bytes=3_000)]))


def outgoing(size_bytes: int) -> OutgoingMail:
    return OutgoingMail(
        reverse_path="",
        recipients=("bob@x.example",),
        raw=raw_message(size_bytes=size_bytes),
        queued_at=Instant(0),
        is_8bit=True,
        smtp_utf8=False,
        trace_id="trace",
    )


async def test_appends_fail_for_now_and_go_on_when_there_is_space(store: SqliteStore, disk: SmallDisk) -> None:
    account_id = await make_account(store)
    taken = await append_until_full(store, account_id, disk)
    results = await asyncio.gather(
        *(store.messages.append(account_id, INBOX, [new_message(size_bytes=3_000)]) for _ in range(5)),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [TryAgainLater] * 5
    placements = await store.messages.placements(account_id, INBOX)
    assert len(placements) == taken
    assert await store.messages.read(account_id, placements[-1].message_id)
    disk.free()
    (appended,) = await store.messages.append(account_id, INBOX, [new_message()])
    assert appended.uid == taken + 1
    assert (await store.mailboxes.status(account_id, INBOX)).messages == taken + 1
    connection = Connection(account_folder(disk.path / "store", account_id) / "mail.db", Access.READ)
    assert connection.rows("PRAGMA integrity_check") == [("ok",)]
    connection.close()


async def test_large_messages_and_mails_leave_no_file_on_a_full_disk(store: SqliteStore, disk: SmallDisk) -> None:
    account_id = await make_account(store)
    await append_until_full(store, account_id, disk)
    with pytest.raises(TryAgainLater):
        await store.messages.append(account_id, INBOX, [new_message(size_bytes=LARGE_BYTES)])
    with pytest.raises(TryAgainLater):
        await store.queue.enqueue([outgoing(LARGE_BYTES)], next_at=Instant(0))
    assert disk.blob_files() == []
    disk.free()
    await store.messages.append(account_id, INBOX, [new_message(size_bytes=LARGE_BYTES)])
    await store.queue.enqueue([outgoing(LARGE_BYTES)], next_at=Instant(0))
    assert len(disk.blob_files()) == 3


async def test_the_queue_fails_for_now_and_keeps_what_it_took(store: SqliteStore, disk: SmallDisk) -> None:
    disk.fill()
    taken = await until_full(lambda: store.queue.enqueue([outgoing(50_000)], next_at=Instant(0)))
    with pytest.raises(TryAgainLater, match="full"):
        await store.queue.enqueue([outgoing(50_000)], next_at=Instant(0))
    assert len(await store.queue.items(limit=10_000)) == taken
    disk.free()
    await store.queue.enqueue([outgoing(50_000)], next_at=Instant(0))
    leased = await store.queue.lease("one", now=Instant(1), until=Instant(2), quota=quota(20_000))
    assert len(leased) == taken + 1


async def test_a_new_accounts_first_mail_fails_for_now_and_then_goes_in(store: SqliteStore, disk: SmallDisk) -> None:
    account_id = await make_account(store)
    disk.fill()
    with pytest.raises(TryAgainLater):
        await store.messages.append(account_id, INBOX, [new_message()])
    disk.free()
    (appended,) = await store.messages.append(account_id, INBOX, [new_message()])
    assert appended.uid == 1


async def test_a_store_that_starts_on_a_full_disk_says_so(disk: SmallDisk) -> None:
    disk.fill()
    with pytest.raises(TryAgainLater):
        await open_store(disk.path / "store", clock=FakeClock(), bus=RecordingBus())


CLOSED_TO_US = """
import asyncio, os, sys
from pathlib import Path
from mailstack.model.errors import TryAgainLater
from mailstack.model.ids import AccountId, MailboxId
from mailstack.store.sqlite.open import open_store
from tests.support.fake_clock import FakeClock
from tests.support.recording_bus import RecordingBus
from tests.support.stores import make_account, new_message

async def main(path, nobody):
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(nobody)
        os.setuid(nobody)
    store = await open_store(path, clock=FakeClock(), bus=RecordingBus())
    account_id = await make_account(store)
    (path / "accounts").mkdir(mode=0o500)
    for message in (new_message(), new_message(size_bytes=300_000)):
        try:
            await store.messages.append(account_id, MailboxId(1), [message])
        except TryAgainLater as fault:
            print(fault.detail)
    (path / "accounts").chmod(0o700)
    print(len(await store.messages.append(account_id, MailboxId(1), [new_message()])))
    await store.close()
    (path / "system.db").chmod(0o400)
    try:
        await open_store(path, clock=FakeClock(), bus=RecordingBus())
    except TryAgainLater as fault:
        print(fault.detail)

asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
"""


@pytest.fixture
def folder_of_nobody() -> Iterator[Path]:
    """Not below tmp_path, which others may not enter."""
    path = Path(tempfile.mkdtemp(prefix="mailstack-test-"))
    if os.geteuid() == 0:
        os.chown(path, NOBODY, NOBODY)
    yield path
    shutil.rmtree(path)


async def test_a_folder_or_a_file_without_the_right_to_write_is_named(folder_of_nobody: Path) -> None:
    """Root may write anywhere, so a process without its rights does this."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CLOSED_TO_US, str(folder_of_nobody), str(NOBODY), cwd=ROOT, stdout=PIPE
    )
    output, _ = await process.communicate()
    first, second, went_in, opening = output.decode().splitlines()
    assert "accounts" in first
    assert "accounts" in second
    assert went_in == "1"
    assert "system.db" in opening
