"""store.sql.blobs.Blobs for a database without a bucket beside it: the bytes of messages lie in their rows, whole.

It asks nothing more of those who operate it, and costs what databases are dear for: a piece of a large message fetches
the whole row, once for all pieces that follow. Who has many of them wants a bucket.
"""

from collections.abc import Sequence
from pathlib import Path

from mailstack.model.ids import AccountId
from mailstack.model.instant import Clock
from mailstack.model.message import RawMessage
from mailstack.store.sql.blobs import INLINE_LIMIT_BYTES, Blob, pack_inline, unpack_frame
from mailstack.store.sql.compress import Codec
from mailstack.store.sql.database import Database, Transaction
from mailstack.store.sql.unpacked import UnpackedFiles


class RowBlobs:
    """Of every account and of the queue alike. folder: for messages that are read piece by piece; it must exist."""

    def __init__(self, folder: Path) -> None:
        self.codec = Codec()
        self._unpacked = UnpackedFiles()
        self._folder = folder

    def of_account(self, account_id: AccountId) -> "RowBlobs":  # noqa: ARG002 - a row knows whose it is
        return self

    def of_queue(self) -> "RowBlobs":
        return self

    @property
    def place(self) -> str:
        return "the database"

    def pack(self, raw: RawMessage) -> Blob:
        return pack_inline(raw, self.codec)

    def unpack(self, blob: Blob, *, what: str) -> bytes:
        return unpack_frame(blob.content or b"", blob, self.codec, what=what)

    def read_range(self, blob: Blob, start: int, stop: int, *, what: str) -> bytes:
        if blob.size_bytes <= INLINE_LIMIT_BYTES:
            return self.unpack(blob, what=what)[start:stop]
        return self._unpacked.read(
            blob.blob_id,
            start,
            stop,
            folder=self._folder,
            unpack_into=lambda out: out.write(self.unpack(blob, what=what)),
        )

    def remembered(self, blob: Blob, start: int, stop: int) -> bytes | None:
        return self._unpacked.read_again(blob.blob_id, start, stop)

    def claim(self, transaction: Transaction, blobs: Sequence[Blob]) -> None:
        """A row's own bytes are nobody else's to delete."""

    def is_there(self, file: str) -> bool:  # noqa: ARG002 - no row names one
        return False

    def discard(self, file: str) -> None:
        """They went with their row."""

    async def collect(self, system: Database, *, clock: Clock) -> int:  # noqa: ARG002 - nothing lies outside of rows
        return 0

    def close(self) -> None:
        self._unpacked.close()
