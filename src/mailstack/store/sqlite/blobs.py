"""Blobs in files: what does not fit in a row lies in a folder of its holder, in files that all holders link to.

A large blob's file has one name for each holder (an account's folder, the queue's) and one shared name,
path/blobs/<first two hex>/<sha256>.zst, by which the next holder finds it. Deleting is an unlink; whoever unlinks last
sees by the link count that only the shared name is left, and removes that too. A race there only costs the sharing,
never the bytes: a holder's own name keeps them alive.
"""

import hashlib
import os
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import lru_cache, partial
from pathlib import Path
from typing import IO

from mailstack.model.errors import Damaged, TryAgainLater
from mailstack.model.ids import AccountId, BlobId
from mailstack.model.instant import Clock
from mailstack.model.message import RawMessage
from mailstack.store.sql.blobs import INLINE_LIMIT_BYTES, Blob, blob_id_of, pack_inline, unpack_frame
from mailstack.store.sql.compress import Codec
from mailstack.store.sql.database import Database, Transaction
from mailstack.store.sql.unpacked import UnpackedFiles
from mailstack.store.sqlite.databases import account_folder
from mailstack.store.sqlite.folders import BLOB_FOLDER, BLOB_SUFFIX, QUEUE_FOLDER, make_folder
from mailstack.store.sqlite.sweep import sweep
from mailstack.store.syncing import sync_folder

NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


class FolderBlobs:
    """path: the store's folder."""

    def __init__(self, path: Path, *, token: Callable[[int], bytes] = secrets.token_bytes) -> None:
        self.token = token
        self.codec = Codec()
        self.unpacked = UnpackedFiles()
        self._path = path

    def of_account(self, account_id: AccountId) -> "HeldFiles":
        return self.at(_holder_of(self._path, account_id))

    def of_queue(self) -> "HeldFiles":
        return self.at(self._path / QUEUE_FOLDER)

    def at(self, holder: Path) -> "HeldFiles":
        """holder: the folder of whoever has them."""
        return HeldFiles(self, holder)

    def shared_name(self, blob_id: BlobId) -> Path:
        return self._path / BLOB_FOLDER / blob_id[:2] / (blob_id + BLOB_SUFFIX)

    async def collect(self, system: Database, *, clock: Clock) -> int:
        def discard(holder: Path, file: str) -> None:
            self.at(holder).discard(file)

        return await system.in_thread(partial(sweep, self._path, discard, now=clock()))

    def close(self) -> None:
        self.unpacked.close()


@lru_cache(maxsize=4096)
def _holder_of(path: Path, account_id: AccountId) -> Path:
    """Asked at every message that is read: making the path would cost as much as reading its row."""
    return account_folder(path, account_id) / BLOB_FOLDER


class HeldFiles:
    def __init__(self, blobs: FolderBlobs, holder: Path) -> None:
        self._blobs = blobs
        self._holder = holder

    @property
    def place(self) -> str:
        return str(self._holder)

    def pack(self, raw: RawMessage) -> Blob:
        if len(raw) <= INLINE_LIMIT_BYTES:
            return pack_inline(raw, self._blobs.codec)
        blob_id = blob_id_of(raw)
        own = self._holder / f"{blob_id}.{self._blobs.token(8).hex()}{BLOB_SUFFIX}"
        try:
            self._place(raw, self._blobs.shared_name(blob_id), own)
        except OSError as fault:
            with suppress(OSError):
                own.unlink(missing_ok=True)
            raise TryAgainLater(f"{own}: {fault.strerror}") from fault
        return Blob(blob_id=blob_id, size_bytes=len(raw), content=None, file=own.name)

    def unpack(self, blob: Blob, *, what: str) -> bytes:
        frame = blob.content if blob.content is not None else self._read(self._holder / str(blob.file), what)
        return unpack_frame(frame, blob, self._blobs.codec, what=what)

    def read_range(self, blob: Blob, start: int, stop: int, *, what: str) -> bytes:
        if blob.content is not None:
            return self.unpack(blob, what=what)[start:stop]

        def unpack_into(out: IO[bytes]) -> None:
            self._unpack_into(blob, out, what)

        return self._blobs.unpacked.read(blob.blob_id, start, stop, folder=self._holder, unpack_into=unpack_into)

    def remembered(self, blob: Blob, start: int, stop: int) -> bytes | None:
        return self._blobs.unpacked.read_again(blob.blob_id, start, stop)

    def claim(self, transaction: Transaction, blobs: Sequence[Blob]) -> None:
        """A holder's file is nobody else's to delete."""

    def is_there(self, file: str) -> bool:
        return (self._holder / file).exists()

    def discard(self, file: str) -> None:
        with suppress(OSError):
            (self._holder / file).unlink(missing_ok=True)
            shared = self._blobs.shared_name(BlobId(file.partition(".")[0]))
            if shared.stat().st_nlink == 1:
                shared.unlink()

    def _read(self, name: Path, what: str) -> bytes:
        try:
            return name.read_bytes()
        except FileNotFoundError as fault:
            raise Damaged(f"{what}: {name} is gone") from fault
        except OSError as fault:
            raise TryAgainLater(f"{what}: {name}: {fault.strerror}") from fault

    def _unpack_into(self, blob: Blob, out: IO[bytes], what: str) -> None:
        """As unpack, of a blob in a file, without ever holding much of it."""
        name = self._holder / str(blob.file)
        running, size_bytes = hashlib.sha256(), 0
        try:
            with name.open("rb") as frame:
                for chunk in self._blobs.codec.decompress_stream(frame):
                    running.update(chunk)
                    size_bytes += len(chunk)
                    if size_bytes > blob.size_bytes:
                        break
                    out.write(chunk)
        except FileNotFoundError as fault:
            raise Damaged(f"{what}: {name} is gone") from fault
        except OSError as fault:
            raise TryAgainLater(f"{what}: {name}: {fault.strerror}") from fault
        except Damaged as fault:
            raise Damaged(f"{what}: {fault.detail}") from fault
        if running.hexdigest() != blob.blob_id:
            raise Damaged(f"{what} does not match its hash {blob.blob_id}")

    def _place(self, raw: RawMessage, shared: Path, own: Path) -> None:
        make_folder(own.parent)
        try:
            os.link(shared, own)
        except OSError:  # nobody has it yet, a file with as many names as may be, or a file system without links
            self._write(raw, own)
            make_folder(shared.parent)
            with suppress(OSError):
                os.link(own, shared)
            sync_folder(shared.parent)
        sync_folder(own.parent)

    def _write(self, raw: RawMessage, own: Path) -> None:
        partial = own.with_name(own.name + ".partial")
        try:
            with os.fdopen(os.open(partial, NEW_FILE, 0o600), "wb") as file:
                for chunk in self._blobs.codec.compress_stream(raw):
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            partial.rename(own)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
