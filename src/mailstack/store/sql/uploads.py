"""Uploads: ports.uploads in SQL. Their bytes lie where those of queued mails do."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from mailstack.model.errors import NotFound, QuotaExceeded
from mailstack.model.ids import AccountId, BlobId
from mailstack.model.instant import DAY_MS, HOUR_MS, Instant
from mailstack.model.message import RawMessage
from mailstack.store.sql.blobs import INLINE_LIMIT_BYTES, Blob, HeldBlobs
from mailstack.store.sql.database import Database, Transaction
from mailstack.store.sql.packing import pack_each, write_packed
from mailstack.store.sql.storing import tidy

KEPT_MS = DAY_MS
SPARED_MS = HOUR_MS
"""RFC 8620 §6: what nothing refers to stays for an hour at least."""
FORGOTTEN_AT_ONCE = 100

OF_ACCOUNT = "SELECT blob_id, size_bytes, file, ends_at FROM upload WHERE account_id = ? ORDER BY ends_at, blob_id"
# Should the same come twice at once, one of the files is garbage and found as such.
PUT = """INSERT INTO upload (account_id, blob_id, size_bytes, ends_at, content, file) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (account_id, blob_id) DO UPDATE SET ends_at = excluded.ends_at"""
LAST = "UPDATE upload SET ends_at = ? WHERE account_id = ? AND blob_id = ?"
DROP = "DELETE FROM upload WHERE account_id = ? AND blob_id = ?"
SIZES = """SELECT blob_id, size_bytes FROM upload WHERE account_id = ? AND ends_at > ?
    AND blob_id IN (SELECT value FROM json_each(?) AS texts)"""
BYTES = "SELECT size_bytes, content, file FROM upload WHERE account_id = ? AND blob_id = ? AND ends_at > ?"
BYTES_IF_SMALL = BYTES.replace("content", f"CASE WHEN size_bytes <= {INLINE_LIMIT_BYTES} THEN content END")
FORGET_SOME = """DELETE FROM upload WHERE (account_id, blob_id) IN (
    SELECT account_id, blob_id FROM upload WHERE ends_at <= ? LIMIT ?) RETURNING file"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Packed:
    blob: Blob


class SqlUploads:
    def __init__(self, system: Database, *, blobs: HeldBlobs) -> None:
        self._system = system
        self._blobs = blobs

    async def put(self, account_id: AccountId, raw: RawMessage, *, now: Instant, limit_bytes: int) -> BlobId:
        if len(raw) > limit_bytes:
            raise QuotaExceeded(f"{len(raw)} bytes are more than the {limit_bytes} that uploads may have")

        def work(transaction: Transaction, packed: Sequence[_Packed]) -> BlobId:
            blob = packed[0].blob
            files = _put(transaction, account_id, blob, now=now, limit_bytes=limit_bytes)
            tidy(transaction, self._blobs, files)
            return blob.blob_id

        return await write_packed(
            self._system,
            self._blobs,
            lambda: pack_each(self._blobs, [raw], lambda one: _Packed(blob=self._blobs.pack(one))),
            work,
            is_large=len(raw) > INLINE_LIMIT_BYTES,
            is_long=False,
        )

    async def sizes(self, account_id: AccountId, blob_ids: Collection[BlobId], *, now: Instant) -> Mapping[BlobId, int]:
        rows = await self._system.rows(SIZES, (account_id, now, json.dumps(sorted(blob_ids))))
        return {BlobId(blob_id): size_bytes for blob_id, size_bytes in rows}

    async def read(self, account_id: AccountId, blob_id: BlobId, *, now: Instant) -> bytes:
        blob = await self._blob(BYTES, account_id, blob_id, now)
        unpack = partial(self._blobs.unpack, blob, what=_what(account_id, blob_id))
        return unpack() if blob.size_bytes <= INLINE_LIMIT_BYTES else await self._system.in_thread(unpack)

    async def read_range(self, account_id: AccountId, blob_id: BlobId, start: int, stop: int, *, now: Instant) -> bytes:
        blob = await self._blob(BYTES_IF_SMALL, account_id, blob_id, now)
        if blob.content is None and blob.file is None:
            # Large, and in its row: as in store.sql.messages.
            found = await self._system.in_thread(self._blobs.remembered, blob, start, stop)
            if found is not None:
                return found
            blob = await self._blob(BYTES, account_id, blob_id, now)
        read = partial(self._blobs.read_range, blob, start, stop, what=_what(account_id, blob_id))
        return read() if blob.size_bytes <= INLINE_LIMIT_BYTES else await self._system.in_thread(read)

    async def forget(self, *, now: Instant) -> int:
        def work(transaction: Transaction) -> int:
            gone = transaction.rows(FORGET_SOME, (now, FORGOTTEN_AT_ONCE))
            tidy(transaction, self._blobs, [file for (file,) in gone if file is not None])
            return len(gone)

        forgotten = 0
        while True:
            count = await self._system.write(work, is_long=True)
            forgotten += count
            if count < FORGOTTEN_AT_ONCE:
                return forgotten

    async def _blob(self, statement: str, account_id: AccountId, blob_id: BlobId, now: Instant) -> Blob:
        row = await self._system.row(statement, (account_id, blob_id, now))
        if row is None:
            raise NotFound(f"account {account_id} has no upload {blob_id}")
        size_bytes, content, file = row
        return Blob(blob_id=blob_id, size_bytes=size_bytes, content=content, file=file)


def _put(transaction: Transaction, account_id: AccountId, blob: Blob, *, now: Instant, limit_bytes: int) -> list[str]:
    """Returns files that no row names. Raises QuotaExceeded."""
    ends_at = now + KEPT_MS
    there = transaction.rows(OF_ACCOUNT, (account_id,))
    if any(blob_id == blob.blob_id for blob_id, *_ in there):
        # RFC 8620 §6: what is uploaded again lasts as long as if it were new.
        transaction.run(LAST, (ends_at, account_id, blob.blob_id))
        return [] if blob.file is None or any(blob.file == file for _, _, file, _ in there) else [blob.file]
    used_bytes = sum(size_bytes for _, size_bytes, *_ in there) + blob.size_bytes
    files: list[str] = []
    for blob_id, size_bytes, file, its_end in there:
        is_spared = its_end > now + KEPT_MS - SPARED_MS
        if its_end > now and (used_bytes <= limit_bytes or is_spared):
            break
        transaction.run(DROP, (account_id, blob_id))
        used_bytes -= size_bytes
        files += [] if file is None else [file]
    if used_bytes > limit_bytes:
        raise QuotaExceeded(f"{used_bytes} bytes would be uploaded, {limit_bytes} may be")
    transaction.run(PUT, (account_id, blob.blob_id, blob.size_bytes, ends_at, blob.content, blob.file))
    return files


def _what(account_id: AccountId, blob_id: BlobId) -> str:
    return f"upload {blob_id} of account {account_id}"
