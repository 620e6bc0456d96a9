"""The bytes of messages as rows name them: small ones lie in the row, larger ones in a file or an object elsewhere."""

from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from mailstack.model.ids import BlobId
from mailstack.model.message import RawMessage
from mailstack.store.sql.compress import Codec

INLINE_LIMIT_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Blob:
    """One row's share: content for what lies in the database, otherwise the name of the holder's file."""

    blob_id: BlobId
    size_bytes: int
    content: bytes | None
    file: str | None


class Blobs(Protocol):
    """Blocking throughout: callers hand anything large to a thread. holder: a Database's blob_folder."""

    @property
    def codec(self) -> Codec: ...

    def pack(self, raw: RawMessage, holder: Path) -> Blob:
        """A large blob is durable for the holder when this returns. Raises TryAgainLater."""
        ...

    def unpack(self, blob: Blob, holder: Path, *, what: str) -> bytes:
        """The bytes, checked against their hash. what: how a fault is to name them. Raises Damaged, TryAgainLater."""
        ...

    def unpack_into(self, blob: Blob, holder: Path, out: IO[bytes], *, what: str) -> None:
        """As unpack, of a large blob, without ever holding much of it."""
        ...

    def discard(self, holder: Path, file: str) -> None:
        """Of a row that is gone for good."""
        ...
