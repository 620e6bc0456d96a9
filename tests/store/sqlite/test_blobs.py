"""Bytes of messages: files that are shared by links, checked when they are read, and gone with their last holder."""

import asyncio
import errno
import os
import random
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from mailstack.model.errors import Damaged, TryAgainLater
from mailstack.model.ids import AccountId, MailboxId, MessageId
from mailstack.model.message import FlagChange, FlagOperation, NewMessage
from mailstack.store.sql.blobs import INLINE_LIMIT_BYTES
from mailstack.store.sqlite.blobs import FolderBlobs
from mailstack.store.sqlite.connection import Access, Connection
from mailstack.store.sqlite.databases import account_folder
from mailstack.store.sqlite.open import SqliteStore
from tests.support.digests import digest_of
from tests.support.stores import make_account, new_message, uids

ROOT = Path(__file__).parents[3]
INBOX = MailboxId(1)
LARGE = random.Random(3).randbytes(INLINE_LIMIT_BYTES + 1)
DELETE = FlagChange(operation=FlagOperation.ADD, keywords=frozenset(), is_deleted=True)


def large_message() -> NewMessage:
    return NewMessage(raw=LARGE, received_at=new_message().received_at, digest=digest_of(LARGE))


def files(folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file()]


async def append_large(store: SqliteStore, account_id: AccountId) -> MessageId:
    (appended,) = await store.messages.append(account_id, INBOX, [large_message()])
    return appended.message_id


async def expunge_all(store: SqliteStore, account_id: AccountId) -> None:
    await store.messages.change_flags(account_id, INBOX, uids(1, 2, 3), DELETE)
    await store.messages.expunge(account_id, INBOX)


async def test_accounts_share_one_file_until_the_last_lets_go(
    store: SqliteStore, path: Path, account_id: AccountId
) -> None:
    other = await make_account(store, "bob@example.com")
    message_id = await append_large(store, account_id)
    await append_large(store, other)
    (shared,) = files(path / "blobs")
    assert shared.stat().st_nlink == 3
    await expunge_all(store, other)
    await store.changes.mod_seq(other)
    assert await store.messages.read(account_id, message_id) == LARGE
    await expunge_all(store, account_id)
    await store.close()
    assert files(path / "blobs") == []
    assert files(account_folder(path, account_id) / "blobs") == []


async def test_the_same_bytes_twice_in_one_account_are_let_go_one_by_one(
    store: SqliteStore, path: Path, account_id: AccountId
) -> None:
    await append_large(store, account_id)
    second = await append_large(store, account_id)
    await store.messages.change_flags(account_id, INBOX, uids(1), DELETE)
    await store.messages.expunge(account_id, INBOX)
    assert await store.messages.read(account_id, second) == LARGE


async def test_an_append_that_fails_leaves_no_file(store: SqliteStore, path: Path, account_id: AccountId) -> None:
    with pytest.raises(Exception, match="no mailbox"):
        await store.messages.append(account_id, MailboxId(999), [large_message()])
    assert files(path / "blobs") == []
    assert files(account_folder(path, account_id) / "blobs") == []


@pytest.mark.parametrize("damage", [b"", b"no frame at all", None])
async def test_a_damaged_file_is_named(
    store: SqliteStore, path: Path, account_id: AccountId, damage: bytes | None
) -> None:
    message_id = await append_large(store, account_id)
    (file,) = files(account_folder(path, account_id) / "blobs")
    if damage is None:
        file.unlink()
    else:
        file.write_bytes(damage)
    with pytest.raises(Damaged, match=f"message {message_id} of account {account_id}"):
        await store.messages.read(account_id, message_id)
    with pytest.raises(Damaged, match=f"message {message_id} of account {account_id}"):
        await store.messages.read_range(account_id, message_id, 0, 10)


async def test_bytes_that_do_not_match_their_hash_are_not_given_out(
    store: SqliteStore, path: Path, account_id: AccountId
) -> None:
    (appended,) = await store.messages.append(account_id, INBOX, [new_message()])
    wrong = FolderBlobs(path).codec.compress(b"somebody else's message")
    connection = Connection(account_folder(path, account_id) / "mail.db", Access.WRITE)
    connection.run("UPDATE blob SET content = ?", (wrong,))
    connection.close()
    with pytest.raises(Damaged, match="does not match its hash"):
        await store.messages.read(account_id, appended.message_id)


async def test_damaged_forms_are_damaged(store: SqliteStore, path: Path, account_id: AccountId) -> None:
    (appended,) = await store.messages.append(account_id, INBOX, [new_message()])
    connection = Connection(account_folder(path, account_id) / "mail.db", Access.WRITE)
    connection.run("UPDATE blob SET forms = ?", (b"not a frame",))
    connection.close()
    with pytest.raises(Damaged):
        await store.messages.stored(account_id, [appended.message_id])


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from mailstack.model.errors import TryAgainLater
from mailstack.store.sqlite.blobs import FolderBlobs
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))
folder = Path(sys.argv[1])
try:
    FolderBlobs(folder).at(folder / "holder").pack(__import__("random").Random(1).randbytes(200_000))
except TryAgainLater as fault:
    print(fault.detail)
print([str(file) for file in folder.rglob("*") if file.is_file()])
"""


async def test_a_file_that_does_not_fit_is_try_again_later_and_leaves_nothing(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", FULL_DISK, str(tmp_path), cwd=ROOT, stdout=PIPE, env={"PYTHONPATH": str(ROOT / "src")}
    )
    output, _ = await process.communicate()
    said, left = output.decode().splitlines()
    assert str(tmp_path / "holder") in said
    assert left == "[]"


def test_a_folder_that_is_a_file_is_try_again_later(tmp_path: Path) -> None:
    (tmp_path / "holder").write_bytes(b"")
    with pytest.raises(TryAgainLater):
        FolderBlobs(tmp_path).at(tmp_path / "holder").pack(LARGE)


def test_losing_the_shared_name_loses_only_the_sharing(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path)
    first = blobs.at(tmp_path / "one").pack(LARGE)
    for shared in files(tmp_path / "blobs"):
        shared.unlink()
    second = blobs.at(tmp_path / "two").pack(LARGE)
    assert blobs.at(tmp_path / "one").unpack(first, what="first") == LARGE
    assert blobs.at(tmp_path / "two").unpack(second, what="second") == LARGE
    assert first.file is not None
    blobs.at(tmp_path / "one").discard(first.file)
    assert len(files(tmp_path / "blobs")) == 1


async def test_destroying_a_mailbox_lets_go_of_its_files(store: SqliteStore, path: Path, account_id: AccountId) -> None:
    place = (await store.mailboxes.create(account_id, parent_id=None, name="Gone")).mailbox_id
    await store.messages.append(account_id, place, [large_message()])
    await store.mailboxes.destroy(account_id, place)
    await store.close()
    assert files(path / "blobs") == []
    assert files(account_folder(path, account_id) / "blobs") == []


@pytest.mark.parametrize("fault", [errno.EMLINK, errno.EPERM, errno.EXDEV])
def test_where_no_link_can_be_made_each_holder_has_its_own_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: int
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(fault, os.strerror(fault))

    monkeypatch.setattr(os, "link", refuse)
    blobs = FolderBlobs(tmp_path)
    packed = [blobs.at(tmp_path / holder).pack(LARGE) for holder in ("one", "two")]
    held = [
        blobs.at(tmp_path / holder).unpack(blob, what=holder)
        for blob, holder in zip(packed, ("one", "two"), strict=True)
    ]
    assert held == [LARGE, LARGE]
