"""The bytes of messages: small ones as frames inside a database, large ones as files that every holder links to.

A large blob's file has one name for each holder (an account's folder, the queue's) and one shared name,
path/blobs/<first two hex>/<sha256>.zst, by which the next holder finds it. Deleting is an unlink; whoever unlinks last
sees by the link count that only the shared name is left, and removes that too. A race there only costs the sharing,
never the bytes: a holder's own name keeps them alive.
"""

import hashlib
import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO

from mailstack.model.errors import Damaged, TryAgainLater
from mailstack.model.ids import BlobId
from mailstack.model.message import RawMessage
from mailstack.store.sql.blobs import INLINE_LIMIT_BYTES, Blob
from mailstack.store.sql.compress import Codec

BLOB_FOLDER = "blobs"
QUEUE_FOLDER = "queue"
SUFFIX = ".zst"
NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


class FolderBlobs:
    """store.sql.blobs.Blobs in folders of one file system."""

    def __init__(self, path: Path, *, token: Callable[[int], bytes] = secrets.token_bytes) -> None:
        self._shared = path / BLOB_FOLDER
        self._token = token
        self.codec = Codec()

    def pack(self, raw: RawMessage, holder: Path) -> Blob:
        """A large blob is durable under the holder's folder when this returns. Raises TryAgainLater."""
        if len(raw) <= INLINE_LIMIT_BYTES:
            plain = bytes(raw)
            blob_id = BlobId(hashlib.sha256(plain).hexdigest())
            return Blob(blob_id=blob_id, size_bytes=len(plain), content=self.codec.compress(plain), file=None)
        blob_id = BlobId(_digest(raw))
        name = f"{blob_id}.{self._token(8).hex()}{SUFFIX}"
        try:
            self._place(raw, blob_id, holder / name)
        except OSError as fault:
            with suppress(OSError):
                (holder / name).unlink(missing_ok=True)
            raise TryAgainLater(f"{holder / name}: {fault.strerror}") from fault
        return Blob(blob_id=blob_id, size_bytes=len(raw), content=None, file=name)

    def unpack(self, blob: Blob, holder: Path, *, what: str) -> bytes:
        """The bytes, checked against their hash. what: how a fault is to name them. Raises Damaged."""
        try:
            frame = blob.content if blob.content is not None else (holder / str(blob.file)).read_bytes()
        except FileNotFoundError as fault:
            raise Damaged(f"{what}: {holder / str(blob.file)} is gone") from fault
        except OSError as fault:
            raise TryAgainLater(f"{what}: {holder / str(blob.file)}: {fault.strerror}") from fault
        try:
            plain = self.codec.decompress(frame, limit_bytes=blob.size_bytes)
        except Damaged as fault:
            raise Damaged(f"{what}: {fault.detail}") from fault
        if hashlib.sha256(plain).hexdigest() != blob.blob_id:
            raise Damaged(f"{what} does not match its hash {blob.blob_id}")
        return plain

    def unpack_into(self, blob: Blob, holder: Path, out: IO[bytes], *, what: str) -> None:
        """As unpack, of a blob in a file, without ever holding much of it."""
        name = holder / str(blob.file)
        running, size_bytes = hashlib.sha256(), 0
        try:
            with name.open("rb") as frame:
                for chunk in self.codec.decompress_stream(frame):
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

    def discard(self, holder: Path, file: str) -> None:
        """Of a row that is gone for good."""
        with suppress(OSError):
            (holder / file).unlink(missing_ok=True)
            shared = self._shared_name(BlobId(file.partition(".")[0]))
            if shared.stat().st_nlink == 1:
                shared.unlink()

    def _place(self, raw: RawMessage, blob_id: BlobId, own: Path) -> None:
        shared = self._shared_name(blob_id)
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
                for chunk in self.codec.compress_stream(raw):
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            partial.rename(own)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise

    def _shared_name(self, blob_id: BlobId) -> Path:
        return self._shared / blob_id[:2] / (blob_id + SUFFIX)


def make_folder(folder: Path) -> None:
    """With its parents; durable, for what is put in it must not vanish with it."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    _sync(folder, os.O_RDONLY | os.O_DIRECTORY)


def sync_file(file: Path) -> None:
    _sync(file, os.O_RDONLY)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _digest(raw: RawMessage) -> str:
    running = hashlib.sha256()
    with memoryview(raw) as view:
        running.update(view)
    return running.hexdigest()
