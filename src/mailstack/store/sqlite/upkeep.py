"""Looking after an account's file: ports.upkeep on SQLite."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

import orjson

from mailstack.model.errors import Damaged, NotFound, TryAgainLater
from mailstack.model.ids import AccountId, BlobId, MailboxId
from mailstack.model.instant import Instant
from mailstack.model.mailbox import DELIMITER
from mailstack.model.upkeep import UNKNOWN_BYTES, AccountSizes, Flaw, MailboxSizes
from mailstack.ports.upkeep import Progress
from mailstack.store.sql.blobs import Blob, Blobs, HeldBlobs
from mailstack.store.sql.database import Connection, Database
from mailstack.store.sql.listing import MAX_FRAME_BYTES, unpack_forms
from mailstack.store.sql.vocabulary import CHUNK, CHUNK_NUMBERS, MAX_CHUNK_BYTES
from mailstack.store.sqlite.databases import AccountDatabases
from mailstack.store.sqlite.invariants import broken

READ_AT_ONCE = 100

ACCOUNTS = "SELECT login, account_id FROM account WHERE login IN (SELECT value FROM json_each(?)) ORDER BY login"
TOTALS = "SELECT COUNT(*), MIN(received_at), MAX(received_at) FROM message"
USED = "SELECT used_bytes FROM counter"
MAILBOXES = "SELECT mailbox_id, parent_id, name, messages, unseen, size_bytes FROM mailbox ORDER BY mailbox_id"
COUNT = "SELECT COUNT(*) FROM message"
NEXT_BLOBS = """SELECT m.message_id, b.blob_id, m.size_bytes, b.content, b.file, b.forms
    FROM message m JOIN blob b ON b.blob_key = m.blob_key WHERE m.message_id > ? ORDER BY m.message_id LIMIT ?"""
FILES = "SELECT file FROM blob WHERE file IS NOT NULL"
READ_PACK = "SELECT envelopes, header_blocks, structures, words FROM head_pack WHERE block = ?"
DERIVED = (
    ("head-pack", "pack", "SELECT block FROM head_pack", READ_PACK, MAX_FRAME_BYTES),
    ("search-words", "chunk", CHUNK_NUMBERS, CHUNK, MAX_CHUNK_BYTES),
)
"""What `reindex` makes anew: rule, what it is called, its numbers, the frames of one, and how large they may be."""
IS_NAMED = "SELECT 1 FROM blob WHERE file = ?"


class SqliteUpkeep:
    def __init__(self, system: Database, databases: AccountDatabases, *, blobs: Blobs) -> None:
        self._system = system
        self._databases = databases
        self._blobs = blobs

    async def held(self, logins: Collection[str]) -> Mapping[str, int]:
        wanted = orjson.dumps(list(logins)).decode()
        accounts = await self._system.read_long(lambda connection: connection.rows(ACCOUNTS, (wanted,)))
        # Of those that are asked about, most have had no mail yet: no file is opened for them.
        used = {login: await self._used_bytes(name) for login, name in accounts if self._databases.has_file(name)}
        return {login: size_bytes for login, size_bytes in used.items() if size_bytes}

    async def sizes(self, account_id: AccountId) -> AccountSizes:
        database = await self._databases.get(account_id)
        return await database.read_long(lambda connection: _sizes(connection, database.path.parent))

    async def verify(self, account_id: AccountId, *, reads_messages: bool, progress: Progress) -> Sequence[Flaw]:
        database = await self._databases.get(account_id)

        held = self._blobs.of_account(account_id)

        def work(connection: Connection) -> list[Flaw]:
            with connection.snapshot():
                flaws = list(broken(connection))
            flaws += _missing_files(connection, held)
            if reads_messages:
                flaws += self._unreadable(connection, held, progress)
                flaws += self._unreadable_indexes(connection)
            return flaws

        try:
            return await database.read_long(work)
        except Damaged as fault:
            return [Flaw(rule="file", where="the account's file", text=fault.detail)]

    async def _used_bytes(self, account_id: AccountId) -> int:
        try:
            database = await self._databases.get(account_id)
            return int((await database.read(lambda connection: connection.one(USED)))[0])
        except NotFound:
            return 0  # it went just now
        except Damaged:
            return UNKNOWN_BYTES

    def _unreadable(self, connection: Connection, held: HeldBlobs, progress: Progress) -> Iterator[Flaw]:
        # In steps, not in one snapshot: the log of a file that is being read cannot be folded into it.
        (count,) = connection.one(COUNT)
        done, last = 0, 0
        while rows := connection.rows(NEXT_BLOBS, (last, READ_AT_ONCE)):
            for message_id, blob_id, size_bytes, content, file, forms in rows:
                blob = Blob(blob_id=BlobId(blob_id.hex()), size_bytes=size_bytes, content=content, file=file)
                what = f"message {message_id}"
                try:
                    held.unpack(blob, what=what)
                except (Damaged, TryAgainLater) as fault:
                    if file is None or connection.row(IS_NAMED, (file,)):  # or it was expunged meanwhile
                        yield Flaw(rule="message-bytes", where=what, text=fault.detail)
                try:
                    unpack_forms(self._blobs.codec.decompress(forms, limit_bytes=MAX_FRAME_BYTES))
                except (Damaged, ValueError) as fault:
                    yield Flaw(rule="message-forms", where=what, text=f"what lists show of it cannot be read: {fault}")
            done, last = done + len(rows), rows[-1][0]
            progress(done, max(done, count))

    def _unreadable_indexes(self, connection: Connection) -> Iterator[Flaw]:
        for rule, what, numbers, frames, limit_bytes in DERIVED:
            for (number,) in connection.rows(numbers):
                try:
                    for frame in connection.row(frames, (number,)) or ():
                        self._blobs.codec.decompress(frame, limit_bytes=limit_bytes)
                except Damaged as fault:
                    text = f"cannot be read: {fault.detail}; `mailstack account reindex` makes it anew"
                    yield Flaw(rule=rule, where=f"{what} {number}", text=text)


def _sizes(connection: Connection, folder: Path) -> AccountSizes:
    with connection.snapshot():
        messages, oldest, newest = connection.one(TOTALS)
        (used_bytes,) = connection.one(USED)
        rows = connection.rows(MAILBOXES)
    places = {mailbox_id: (parent_id, name) for mailbox_id, parent_id, name, *_ in rows}
    mailboxes = (
        MailboxSizes(
            mailbox_id=MailboxId(mailbox_id),
            path=_path(places, mailbox_id),
            messages=count,
            unseen=unseen,
            size_bytes=size_bytes,
        )
        for mailbox_id, _, _, count, unseen, size_bytes in rows
    )
    return AccountSizes(
        messages=messages,
        used_bytes=used_bytes,
        disk_bytes=sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()),
        oldest=None if oldest is None else Instant(oldest),
        newest=None if newest is None else Instant(newest),
        mailboxes=tuple(sorted(mailboxes, key=lambda one: one.path)),
    )


def _path(places: Mapping[int, tuple[int | None, str]], mailbox_id: int) -> str:
    """Of a damaged tree too: no parent is asked twice."""
    names: list[str] = []
    seen: set[int] = set()
    at: int | None = mailbox_id
    while at is not None and at in places and at not in seen:
        seen.add(at)
        at, name = places[at]
        names.append(name)
    return DELIMITER.join(reversed(names))


def _missing_files(connection: Connection, held: HeldBlobs) -> Iterator[Flaw]:
    rows = connection.rows(FILES)
    for (file,) in rows:
        if not held.is_there(file) and connection.row(IS_NAMED, (file,)):
            yield Flaw(rule="blob-file", where=file, text=f"is gone from {held.place}")
