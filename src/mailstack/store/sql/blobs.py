"""Where the bytes of messages lie, as every engine sees it: small ones as a frame in their row, larger ones behind a
name that the row holds. What the name leads to, a file or an object, is the adapter's affair.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from mailstack.model.errors import Damaged
from mailstack.model.ids import AccountId, BlobId
from mailstack.model.instant import Clock
from mailstack.model.message import RawMessage
from mailstack.store.sql.compress import Codec
from mailstack.store.sql.database import Database, Transaction

INLINE_LIMIT_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Blob:
    """One row's share: content for what lies in the database, otherwise the name that the row's column `file` holds."""

    blob_id: BlobId
    size_bytes: int
    content: bytes | None
    file: str | None


class Retired(Exception):
    """Names that rows were about to have are being deleted. Whoever packs again gets others."""


class HeldBlobs(Protocol):
    """The blobs of one holder, an account or the queue. Blocking throughout: callers hand anything larger than
    INLINE_LIMIT_BYTES to a thread. what: how a fault is to name the bytes."""

    @property
    def place(self) -> str:
        """Where they are, for people."""
        ...

    def pack(self, raw: RawMessage) -> Blob:
        """What does not fit in the row is durable when this returns. Raises TryAgainLater."""
        ...

    def unpack(self, blob: Blob, *, what: str) -> bytes:
        """The bytes, checked against their hash. Raises Damaged, TryAgainLater."""
        ...

    def read_range(self, blob: Blob, start: int, stop: int, *, what: str) -> bytes:
        """Octets [start, stop), fewer past the end. Piece by piece costs no more than the whole. Raises as unpack."""
        ...

    def remembered(self, blob: Blob, start: int, stop: int) -> bytes | None:
        """As read_range, of one that is too large to be fetched for each piece, without its content: what an earlier
        read_range has left behind; None where nothing did."""
        ...

    def claim(self, transaction: Transaction, blobs: Sequence[Blob]) -> None:
        """In the transaction whose rows name them, before the first of these. Raises Retired: pack again."""
        ...

    def is_there(self, file: str) -> bool:
        """Whether the name leads anywhere. Raises TryAgainLater."""
        ...

    def discard(self, file: str) -> None:
        """Of a row that is gone for good. Never fails: what stays behind is garbage, and found as such."""
        ...


class Blobs(Protocol):
    @property
    def codec(self) -> Codec: ...

    def of_account(self, account_id: AccountId) -> HeldBlobs: ...

    def of_queue(self) -> HeldBlobs: ...

    async def collect(self, system: Database, *, clock: Clock) -> int:
        """Removes what no row names: what a crash left behind, and what nobody has any more. Returns how much went.

        Once a day is often enough; any number of processes may do it while others write. Raises TryAgainLater.
        """
        ...

    def close(self) -> None:
        """Blocks."""
        ...


def pack_inline(raw: RawMessage, codec: Codec) -> Blob:
    """For up to INLINE_LIMIT_BYTES."""
    plain = bytes(raw)
    blob_id = BlobId(hashlib.sha256(plain).hexdigest())
    return Blob(blob_id=blob_id, size_bytes=len(plain), content=codec.compress(plain), file=None)


def unpack_frame(frame: bytes, blob: Blob, codec: Codec, *, what: str) -> bytes:
    """The whole of a blob from its one frame, checked against its hash. Raises Damaged."""
    try:
        plain = codec.decompress(frame, limit_bytes=blob.size_bytes)
    except Damaged as fault:
        raise Damaged(f"{what}: {fault.detail}") from fault
    if hashlib.sha256(plain).hexdigest() != blob.blob_id:
        raise Damaged(f"{what} does not match its hash {blob.blob_id}")
    return plain


def blob_id_of(raw: RawMessage) -> BlobId:
    """Without a copy, for what may be a mapped file."""
    running = hashlib.sha256()
    with memoryview(raw) as view:
        running.update(view)
    return BlobId(running.hexdigest())
