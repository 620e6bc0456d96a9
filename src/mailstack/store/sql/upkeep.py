"""Looking after an account and what it holds: ports.upkeep in SQL."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Protocol

from mailstack.model.errors import Damaged, TryAgainLater
from mailstack.model.ids import AccountId, BlobId, MailboxId
from mailstack.model.instant import Instant
from mailstack.model.mailbox import DELIMITER
from mailstack.model.upkeep import AccountSizes, Flaw, MailboxSizes
from mailstack.ports.upkeep import Progress
from mailstack.store.sql.blobs import INLINE_LIMIT_BYTES, Blob, Blobs, HeldBlobs
from mailstack.store.sql.database import Connection, Databases, Row
from mailstack.store.sql.invariants import broken
from mailstack.store.sql.listing import MAX_FRAME_BYTES, unpack_forms
from mailstack.store.sql.messages import BYTES
from mailstack.store.sql.vocabulary import CHUNK, CHUNK_NUMBERS, MAX_CHUNK_BYTES

READ_AT_ONCE = 100

TOTALS = "SELECT COUNT(*), MIN(received_at), MAX(received_at) FROM message /*whole*/"
USED = "SELECT used_bytes FROM counter /*whole*/"
MAILBOXES = """SELECT mailbox_id, parent_id, name, messages, unseen, size_bytes
    FROM mailbox /*whole*/ ORDER BY mailbox_id"""
COUNT = "SELECT COUNT(*) FROM message /*whole*/"
# Large ones are asked for one by one.
NEXT_BLOBS = f"""SELECT m.message_id, b.blob_id, m.size_bytes,
        CASE WHEN m.size_bytes <= {INLINE_LIMIT_BYTES} THEN b.content END, b.file, b.forms
    FROM message m JOIN blob b ON /*of b*/ b.blob_key = m.blob_key
    WHERE /*of m*/ m.message_id > ? ORDER BY m.message_id LIMIT ?"""  # noqa: S608 - a number
FILES = "SELECT file FROM blob WHERE /*of*/ file IS NOT NULL"
PACKS = "SELECT block FROM head_pack /*whole*/"
READ_PACK = "SELECT envelopes, header_blocks, structures, words FROM head_pack WHERE /*of*/ block = ?"
DERIVED = (
    ("head-pack", "pack", PACKS, READ_PACK, MAX_FRAME_BYTES),
    ("search-words", "chunk", CHUNK_NUMBERS, CHUNK, MAX_CHUNK_BYTES),
)
"""What `reindex` makes anew: rule, what it is called, its numbers, the frames of one, and how large they may be."""
IS_NAMED = "SELECT 1 FROM blob WHERE /*of*/ file = ?"


class Premises(Protocol):
    """What only the engine knows of accounts."""

    @property
    def name(self) -> str:
        """Of what an account's rows are in, for people."""
        ...

    async def held(self, logins: Collection[str]) -> Mapping[str, int]:
        """As ports.upkeep has it."""
        ...

    def disk_bytes(self, connection: Connection, account_id: AccountId) -> int: ...

    def flaws(self, connection: Connection) -> Iterator[Flaw]:
        """Beyond the rules of invariants."""
        ...


class SqlUpkeep:
    def __init__(self, databases: Databases, *, premises: Premises, blobs: Blobs) -> None:
        self._databases = databases
        self._premises = premises
        self._blobs = blobs

    async def held(self, logins: Collection[str]) -> Mapping[str, int]:
        return await self._premises.held(logins)

    async def sizes(self, account_id: AccountId) -> AccountSizes:
        database = await self._databases.get(account_id)

        def reading(connection: Connection) -> AccountSizes:
            with connection.snapshot():
                return _sizes(connection, disk_bytes=self._premises.disk_bytes(connection, account_id))

        return await database.read_long(reading)

    async def verify(self, account_id: AccountId, *, reads_messages: bool, progress: Progress) -> Sequence[Flaw]:
        try:
            flaws = await (await self._databases.get(account_id)).read_long(self._broken)
            flaws += await self._missing_files(account_id)
            if reads_messages:
                flaws += await self._unreadable(account_id, progress)
                flaws += await (await self._databases.get(account_id)).read_long(self._unreadable_indexes)
        except Damaged as fault:
            return [Flaw(rule="file", where=self._premises.name, text=fault.detail)]
        return flaws

    def _broken(self, connection: Connection) -> list[Flaw]:
        with connection.snapshot():
            return [*self._premises.flaws(connection), *broken(connection, where=self._premises.name)]

    async def _missing_files(self, account_id: AccountId) -> list[Flaw]:
        held = self._blobs.of_account(account_id)
        database = await self._databases.get(account_id)
        files = await database.read_long(lambda connection: [file for (file,) in connection.rows(FILES)])
        database = await self._databases.get(account_id)
        missing = await database.in_thread(lambda: [file for file in files if not held.is_there(file)])
        return [
            Flaw(rule="blob-file", where=file, text=f"is gone from {held.place}")
            for file in missing
            if await self._is_named(account_id, file)
        ]

    async def _unreadable(self, account_id: AccountId, progress: Progress) -> list[Flaw]:
        # In steps, not on one view: what is seen for long cannot be cleared away.
        held = self._blobs.of_account(account_id)
        found: list[Flaw] = []
        (count,) = await (await self._databases.get(account_id)).read_long(lambda connection: connection.one(COUNT))
        done, last = 0, 0
        while True:
            rows = await self._next_blobs(account_id, last)
            if not rows:
                return found
            done, last = done + len(rows), rows[-1][0]

            def check(rows: Sequence[Row] = rows, done: int = done) -> list[tuple[Flaw, str | None]]:
                flaws = [flaw for row in rows for flaw in self._unreadable_ones(held, row)]
                progress(done, max(done, count))
                return flaws

            for flaw, file in await (await self._databases.get(account_id)).in_thread(check):
                if file is None or await self._is_named(account_id, file):
                    found.append(flaw)

    async def _next_blobs(self, account_id: AccountId, last: int) -> list[Row]:
        """As many as NEXT_BLOBS tells of, but of large ones in rows one at a time."""

        def reading(connection: Connection) -> list[Row]:
            rows: list[Row] = []
            for row in connection.rows(NEXT_BLOBS, (last, READ_AT_ONCE)):
                message_id, blob_id, size_bytes, content, file, forms = row
                if content is not None or file is not None or size_bytes <= INLINE_LIMIT_BYTES:
                    rows.append(row)
                    continue
                if not rows:
                    (_, _, content, _) = connection.row(BYTES, (message_id,)) or (None,) * 4
                    rows.append((message_id, blob_id, size_bytes, content, file, forms))
                break
            return rows

        return await (await self._databases.get(account_id)).read_long(reading)

    def _unreadable_ones(self, held: HeldBlobs, row: Row) -> Iterator[tuple[Flaw, str | None]]:
        """With the name of a file that may have been removed meanwhile."""
        message_id, blob_id, size_bytes, content, file, forms = row
        blob = Blob(blob_id=BlobId(blob_id.hex()), size_bytes=size_bytes, content=content, file=file)
        what = f"message {message_id}"
        try:
            held.unpack(blob, what=what)
        except (Damaged, TryAgainLater) as fault:
            yield Flaw(rule="message-bytes", where=what, text=fault.detail), file
        try:
            unpack_forms(self._blobs.codec.decompress(forms, limit_bytes=MAX_FRAME_BYTES))
        except (Damaged, ValueError) as fault:
            yield Flaw(rule="message-forms", where=what, text=f"what lists show of it cannot be read: {fault}"), None

    def _unreadable_indexes(self, connection: Connection) -> list[Flaw]:
        found = []
        for rule, what, numbers, frames, limit_bytes in DERIVED:
            for (number,) in connection.rows(numbers):
                try:
                    for frame in connection.row(frames, (number,)) or ():
                        self._blobs.codec.decompress(frame, limit_bytes=limit_bytes)
                except Damaged as fault:
                    text = f"cannot be read: {fault.detail}; `mailstack account reindex` makes it anew"
                    found.append(Flaw(rule=rule, where=f"{what} {number}", text=text))
        return found

    async def _is_named(self, account_id: AccountId, file: str) -> bool:
        return await (await self._databases.get(account_id)).row(IS_NAMED, (file,)) is not None


def _sizes(connection: Connection, *, disk_bytes: int) -> AccountSizes:
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
        disk_bytes=disk_bytes,
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
