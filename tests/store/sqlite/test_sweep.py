"""Files without a row: only they go, and only once they are old."""

import random
import time
from pathlib import Path

import pytest

from mailstack.model.delivery import OutgoingMail
from mailstack.model.ids import AccountId, MailboxId
from mailstack.model.instant import DAY_MS
from mailstack.model.message import NewMessage
from mailstack.store.sql.blobs import INLINE_LIMIT_BYTES
from mailstack.store.sqlite.blobs import FolderBlobs
from mailstack.store.sqlite.databases import account_folder
from mailstack.store.sqlite.folders import BLOB_FOLDER, QUEUE_FOLDER
from mailstack.store.sqlite.open import SqliteStore, open_store
from tests.support.digests import digest_of
from tests.support.fake_clock import FakeClock
from tests.support.recording_bus import RecordingBus
from tests.support.stores import make_account

INBOX = MailboxId(1)
LARGE, LEFT = (random.Random(seed).randbytes(INLINE_LIMIT_BYTES + 1) for seed in (1, 2))


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(time.time_ns() // 1_000_000)  # files have the times of the system


@pytest.fixture
async def left(store: SqliteStore, path: Path, account_id: AccountId, clock: FakeClock) -> list[Path]:
    """A store with a large message, a large mail in the queue, and what two crashes left beside them."""
    now = clock()
    message = NewMessage(raw=LARGE, received_at=now, digest=digest_of(LARGE))
    await store.messages.append(account_id, INBOX, [message])
    mail = OutgoingMail(
        reverse_path="", recipients=("bob@x.example",), raw=LARGE, queued_at=now, is_8bit=True, smtp_utf8=False,
        trace_id="t",
    )  # fmt: skip
    await store.queue.enqueue([mail], next_at=now)
    holders = (account_folder(path, account_id) / BLOB_FOLDER, path / QUEUE_FOLDER)
    names = [FolderBlobs(path).at(holder).pack(LEFT).file for holder in holders]
    partial = holders[0] / "half-written.zst.partial"
    partial.write_bytes(b"half")
    return [partial, *(holder / str(name) for holder, name in zip(holders, names, strict=True))]


async def test_what_no_row_names_goes_after_a_day_and_nothing_else(
    store: SqliteStore, path: Path, account_id: AccountId, clock: FakeClock, left: list[Path]
) -> None:
    assert await store.sweep() == 0
    clock.advance(DAY_MS + 60_000)
    assert await store.sweep() == 3
    assert [file for file in left if file.exists()] == []
    (shared,) = (file for file in (path / BLOB_FOLDER).rglob("*") if file.is_file())
    assert shared.stat().st_nlink == 3
    (placement,) = await store.messages.placements(account_id, INBOX)
    assert await store.messages.read(account_id, placement.message_id) == LARGE
    (item,) = await store.queue.items()
    assert await store.queue.content(item.mail_id) == LARGE


async def test_a_shared_name_that_its_holders_left_goes_too(
    store: SqliteStore, path: Path, clock: FakeClock, left: list[Path]
) -> None:
    for file in left:
        file.unlink()
    clock.advance(DAY_MS + 60_000)
    assert await store.sweep() == 1


async def test_a_damaged_account_does_not_keep_the_others_from_being_swept(
    store: SqliteStore, path: Path, clock: FakeClock, left: list[Path]
) -> None:
    other = await make_account(store, "bob@example.com")
    await store.mailboxes.list(other)
    await store.close()
    folder = account_folder(path, other)
    FolderBlobs(path).at(folder / BLOB_FOLDER).pack(LEFT)
    (folder / "mail.db").write_bytes(b"no database at all, and long enough to be looked at " * 100)
    clock.advance(DAY_MS + 60_000)
    again = await open_store(path, clock=clock, bus=RecordingBus())
    assert await again.sweep() == 3
    await again.close()
    assert [file for file in left if file.exists()] == []
