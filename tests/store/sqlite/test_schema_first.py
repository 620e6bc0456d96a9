"""A store of the first version opens, and every message is listed, read and answered as it was."""

import struct
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from mailstack.model.errors import Unsupported
from mailstack.model.flags import SEEN
from mailstack.model.ids import AccountId, MailboxId, MessageId, ModSeq, Uid
from mailstack.model.message import Column, NewMessage, Placement
from mailstack.store.sql.compress import Codec
from mailstack.store.sqlite import schema_account, schema_first
from mailstack.store.sqlite.blobs import FolderBlobs
from mailstack.store.sqlite.connection import Access, Connection
from mailstack.store.sqlite.databases import account_folder, open_migrated
from mailstack.store.sqlite.folders import BLOB_FOLDER, make_folder
from mailstack.store.sqlite.migrations import check_version, migrate
from mailstack.store.sqlite.open import SqliteStore, open_store
from tests.support.fake_clock import FakeClock
from tests.support.recording_bus import RecordingBus
from tests.support.stores import make_account, new_message, uids

FIRST, ALL = schema_account.MIGRATIONS[:1], schema_account.MIGRATIONS
INBOX, OTHER = MailboxId(1), MailboxId(2)
INSERT_MAILBOX = """INSERT INTO mailbox (mailbox_id, parent_id, name, is_subscribed, uid_validity, uid_next, mod_seq,
    messages, unseen, size_bytes) VALUES (?, ?, ?, 1, ?, ?, 9, ?, ?, ?)"""
INSERT_MESSAGE = "INSERT INTO message VALUES (?, 1, ?, ?, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
INSERT_BLOB = "INSERT INTO blob (blob_key, content, file) VALUES (?, ?, ?)"
INSERT_PLACEMENT = "INSERT INTO placement VALUES (?, ?, ?, ?, 0, ?)"
LOG = "INSERT INTO change_log VALUES (?, ?, ?, ?, 1, 7)"
COUNTER = (
    "UPDATE counter SET mod_seq = 9, last_mailbox_id = 2, last_message_id = 4, last_uid_validity = 5, used_bytes = ?"
)

LABELLED = frozenset({SEEN, "$Label"})
LARGE = b"Subject: large\r\n\r\n" + b"line\r\n" * 20_000
MESSAGES: Sequence[NewMessage] = (
    new_message(1, message_id="one@x.example", subject="Re: A subject", keywords=LABELLED),
    new_message(2, references=["one@x.example", "gone@x.example"], subject="a \N{SNOWMAN}"),
    replace(new_message(3), raw=LARGE),
)
DAMAGED = 2


def put(connection: Connection, blobs: FolderBlobs, number: int, message: NewMessage, *, of: int) -> None:
    """As the first version wrote it. of: whose bytes it shares."""
    digest = message.digest
    octets = (digest.body, digest.body_structure, digest.parts, digest.header_block)
    forms = struct.pack(">IIII", *map(len, octets)) + b"".join(octets) + digest.preview.encode()
    base_subject = None if digest.base_subject == digest.subject else digest.base_subject
    words = (digest.from_, digest.to, digest.cc, digest.message_id, " ".join(digest.references))
    numbers = (number, len(message.raw), message.received_at, digest.sent_at, of)
    kept = (sha256(message.raw).digest(), digest.envelope, Codec().compress(forms))
    connection.run(INSERT_MESSAGE, (*numbers, digest.subject, base_subject, *words, *kept))
    if of == number:
        make_folder(connection.path.parent / BLOB_FOLDER)
        blob = blobs.at(connection.path.parent / BLOB_FOLDER).pack(message.raw)
        connection.run(INSERT_BLOB, (number, blob.content, blob.file))


def make_old_file(path: Path, account_id: AccountId) -> Path:
    """Three messages in the inbox; another mailbox has the first of them too, and a copy that shares its bytes."""
    file = account_folder(path, account_id) / "mail.db"
    connection = open_migrated(file, FIRST, page_size=schema_account.PAGE_SIZE)
    sizes = [len(message.raw) for message in MESSAGES]
    connection.run(INSERT_MAILBOX, (INBOX, None, "INBOX", 4, 4, 3, 2, sum(sizes)))
    connection.run(INSERT_MAILBOX, (OTHER, INBOX, "Other", 5, 8, 2, 0, 2 * sizes[0]))
    blobs = FolderBlobs(path)
    for number, message in enumerate(MESSAGES, start=1):
        put(connection, blobs, number, message, of=number)
        keywords = " ".join(sorted(message.keywords))
        connection.run(INSERT_PLACEMENT, (INBOX, number, number, number + 1, keywords))
        connection.run(LOG, (number + 1, INBOX, number, number))
    put(connection, blobs, 4, MESSAGES[0], of=1)
    for uid, message_id in ((6, 1), (7, 4)):
        connection.run(INSERT_PLACEMENT, (OTHER, uid, message_id, 9, " ".join(sorted(LABELLED))))
        connection.run(LOG, (9, OTHER, uid, message_id))
    connection.run(COUNTER, (sum(sizes) + sizes[0],))
    connection.close()
    return file


async def store_with_old_file(path: Path) -> tuple[SqliteStore, AccountId, Path]:
    store = await open_store(path, clock=FakeClock(), bus=RecordingBus())
    account_id = await make_account(store)
    return store, account_id, make_old_file(path, account_id)


async def test_data_loss_by_migration_its_mail_is_what_it_was(tmp_path: Path) -> None:
    store, account_id, file = await store_with_old_file(tmp_path)
    numbers = [MessageId(number) for number in (1, 2, 3, 4)]
    stored = await store.messages.stored(account_id, numbers)
    assert [one.digest for one in stored] == [one.digest for one in (*MESSAGES, MESSAGES[0])]
    read = [await store.messages.read(account_id, number) for number in numbers]
    assert read == [one.raw for one in (*MESSAGES, MESSAGES[0])]
    assert await store.messages.placements(account_id, OTHER) == [
        Placement(Uid(uid), MessageId(message_id), ModSeq(9), False, f"$Label {SEEN}")
        for uid, message_id in ((6, 1), (7, 4))
    ]
    columns = await store.messages.columns(account_id, INBOX, [Column.SAVED_AT, Column.BASE_SUBJECT, Column.ENVELOPE])
    assert columns == [
        (uid, None, one.digest.base_subject, one.digest.envelope) for uid, one in enumerate(MESSAGES, start=1)
    ]
    assert await store.mailboxes.keywords(account_id, INBOX) == ["$Label"]
    status = await store.mailboxes.status(account_id, INBOX)
    assert (status.uid_validity, status.uid_next, status.unseen) == (4, 4, 2)
    assert len(await store.changes.since(account_id, ModSeq(1))) == 5
    assert file.with_name("mail.db.v1").exists()
    await store.close()


async def test_it_goes_on_from_there(tmp_path: Path) -> None:
    store, account_id, _ = await store_with_old_file(tmp_path)
    answer = new_message(5, references=["one@x.example"], subject="Re: A subject")
    (appended,) = await store.messages.append(account_id, INBOX, [answer])
    assert (appended.uid, appended.message_id, appended.mod_seq) == (4, 5, 10)
    (stored,) = await store.messages.stored(account_id, [appended.message_id])
    assert stored.thread_id == 1
    copied = await store.messages.copy(account_id, INBOX, uids(3), OTHER)
    assert copied.pairs == ((3, 8),)
    assert await store.upkeep.verify(account_id, reads_messages=True, progress=lambda _done, _count: None) == []
    await store.close()


async def test_what_was_damaged_takes_nothing_with_it(tmp_path: Path) -> None:
    store, account_id, file = await store_with_old_file(tmp_path)
    old = Connection(file, Access.WRITE)
    old.run("UPDATE message SET forms = ? WHERE message_id = ?", (b"damaged", DAMAGED))
    old.close()
    columns = await store.messages.columns(account_id, INBOX, [Column.ENVELOPE])
    assert columns == [(1, MESSAGES[0].digest.envelope), (2, None), (3, MESSAGES[2].digest.envelope)]
    assert await store.messages.read(account_id, MessageId(DAMAGED)) == MESSAGES[1].raw
    await store.close()


def test_a_new_file_has_the_same_tables(tmp_path: Path) -> None:
    listed = "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name"
    new = open_migrated(tmp_path / "new.db", ALL, page_size=schema_account.PAGE_SIZE)
    open_migrated(tmp_path / "old.db", FIRST, page_size=schema_account.PAGE_SIZE).close()
    old = open_migrated(tmp_path / "old.db", ALL, page_size=schema_account.PAGE_SIZE)
    assert new.rows(listed) == old.rows(listed)
    assert new.rows("SELECT * FROM counter") == old.rows("SELECT * FROM counter")
    assert old.pragma("freelist_count") == 0
    new.close()
    old.close()


async def test_data_loss_by_migration_one_that_is_interrupted_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, account_id, file = await store_with_old_file(tmp_path)
    connection = Connection(file, Access.WRITE)
    with monkeypatch.context() as broken:
        broken.setattr(schema_first, "unpack_forms", interrupted)
        with pytest.raises(KeyboardInterrupt):
            migrate(connection, ALL)
    assert check_version(connection, FIRST) == 1
    assert connection.rows("SELECT COUNT(*) FROM message") == [(4,)]
    connection.close()
    assert len(await store.messages.placements(account_id, INBOX)) == 3
    await store.close()


def interrupted(_frame: bytes) -> object:
    raise KeyboardInterrupt


@pytest.mark.parametrize("version", [1, ALL[-1].number + 1])
async def test_who_only_looks_reads_no_other_version(tmp_path: Path, version: int) -> None:
    store, account_id, file = await store_with_old_file(tmp_path)
    await store.close()
    old = Connection(file, Access.WRITE)
    old.pragma("user_version", str(version))
    old.close()
    looking = await open_store(tmp_path, clock=FakeClock(), bus=RecordingBus(), read_only=True)
    with pytest.raises(Unsupported):
        await looking.upkeep.verify(account_id, reads_messages=False, progress=lambda _done, _count: None)
    with pytest.raises(Unsupported):
        await looking.mailboxes.list(account_id)
    await looking.close()


async def test_a_newer_one_is_refused(tmp_path: Path) -> None:
    store, account_id, file = await store_with_old_file(tmp_path)
    old = Connection(file, Access.WRITE)
    old.pragma("user_version", str(ALL[-1].number + 1))
    old.close()
    with pytest.raises(Unsupported):
        await store.mailboxes.list(account_id)
    await store.close()
