"""store.sql.blobs.Blobs in a bucket: what does not fit in a row is an object that all accounts share.

An object is named by the hash of the message, so whoever has the same bytes finds them there already. Discarding does
nothing: the object may be another account's, and when nobody names it any more the collector finds that out.
"""

import hashlib
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Generic, TypeVar

from mailstack.model.errors import Damaged
from mailstack.model.ids import AccountId, BlobId
from mailstack.model.instant import Clock
from mailstack.model.message import RawMessage
from mailstack.store.s3.bucket import PART_BYTES, Bucket
from mailstack.store.s3.collector import BucketInThreads, Collector
from mailstack.store.s3.frames import FRAME_BYTES, TABLE_BYTES, Frames, packed, read_table, unpacked
from mailstack.store.sql import objects
from mailstack.store.sql.blobs import INLINE_LIMIT_BYTES, Blob, Retired, blob_id_of, pack_inline, unpack_frame
from mailstack.store.sql.compress import Codec
from mailstack.store.sql.database import Database, Transaction
from mailstack.store.sql.objects import SqlObjects

Key = TypeVar("Key")
Value = TypeVar("Value")

SUFFIX = ".zst"
MAX_RETIRED = 1_000
"""Names that were found retired, so that the next packing takes another. One that is forgotten is found again."""
MAX_TABLES = 64
MAX_FRAMES_KEPT = 8
"""For whoever reads a message piece by piece: the last frames that were opened, of any message."""
FRAMES_AT_ONCE = 8


class S3Blobs:
    """Of every account and of the queue alike. Blocking, used by any thread."""

    def __init__(self, bucket: Bucket, *, token: Callable[[int], bytes] = secrets.token_bytes) -> None:
        self.codec = Codec()
        self._bucket = bucket
        self._token = token
        self._retired = _Recent[str, None](MAX_RETIRED)
        self._tables = _Recent[str, Frames](MAX_TABLES)
        self._frames = _Recent[tuple[str, int], bytes](MAX_FRAMES_KEPT)

    def of_account(self, account_id: AccountId) -> "S3Blobs":  # noqa: ARG002 - all share the bucket
        return self

    def of_queue(self) -> "S3Blobs":
        return self

    @property
    def place(self) -> str:
        return str(self._bucket.address)

    def pack(self, raw: RawMessage) -> Blob:
        if len(raw) <= INLINE_LIMIT_BYTES:
            return pack_inline(raw, self.codec)
        blob_id = blob_id_of(raw)
        name = self._name(blob_id)
        chunks = packed(raw, self.codec)
        beginning, rest = _beginning(chunks)
        if rest is None:
            self._bucket.create(name, beginning)
        else:
            self._bucket.upload(name, chain([beginning], rest))
        return Blob(blob_id=blob_id, size_bytes=len(raw), content=None, file=name)

    def unpack(self, blob: Blob, *, what: str) -> bytes:
        if blob.content is not None:
            return unpack_frame(blob.content, blob, self.codec, what=what)
        running, plain = hashlib.sha256(), bytearray()
        try:
            for chunk in self._chunks(blob, range(len(self._table(blob)))):
                running.update(chunk)
                plain += chunk
        except Damaged as fault:
            raise Damaged(f"{what}: {fault.detail}") from fault
        if running.hexdigest() != blob.blob_id:
            raise Damaged(f"{what} does not match its hash {blob.blob_id}")
        return bytes(plain)

    def read_range(self, blob: Blob, start: int, stop: int, *, what: str) -> bytes:
        """Checked by the frames' own checksums: the hash is of the whole."""
        if blob.content is not None:
            return self.unpack(blob, what=what)[start:stop]
        try:
            return self._piece(blob, start, stop)
        except Damaged:
            # What is remembered of it may be of an object that another release of the compressor has put since.
            self._tables.forget(str(blob.file))
        try:
            return self._piece(blob, start, stop)
        except Damaged as fault:
            raise Damaged(f"{what}: {fault.detail}") from fault

    def remembered(self, blob: Blob, start: int, stop: int) -> bytes | None:  # noqa: ARG002 - large ones are objects
        return None

    def claim(self, transaction: Transaction, blobs: Sequence[Blob]) -> None:
        retired = objects.claim(transaction, [blob.file for blob in blobs if blob.file is not None])
        if retired:
            for name in retired:
                self._retired.keep(name, None)
            raise Retired(f"{', '.join(retired)} in {self.place}")

    def is_there(self, file: str) -> bool:
        return self._bucket.has(file)

    def discard(self, file: str) -> None:
        """Not at once: the object may be another account's."""

    async def collect(self, system: Database, *, clock: Clock) -> int:
        return (await Collector(BucketInThreads(self._bucket), SqlObjects(system), clock=clock).run()).deleted

    def close(self) -> None:
        """Nothing is held open."""

    def _name(self, blob_id: BlobId) -> str:
        """One that is being deleted is not used again: the request to delete it may still be on its way."""
        name = f"{blob_id}{SUFFIX}"
        return f"{blob_id}.{self._token(8).hex()}{SUFFIX}" if self._retired.has(name) else name

    def _piece(self, blob: Blob, start: int, stop: int) -> bytes:
        table = self._table(blob)
        numbers = table.of_range(start, stop)
        if not numbers:
            return b""
        before = table.plain_starts[numbers[0]]
        plain = b"".join(self._chunks(blob, numbers))
        return plain[start - before : stop - before]

    def _chunks(self, blob: Blob, numbers: range) -> Iterator[bytes]:
        """What these frames hold."""
        name = str(blob.file)
        for some in _runs(numbers):
            found = {number: self._frames.get((name, number)) for number in some}
            missing = [number for number in some if found[number] is None]
            if missing:
                found |= self._fetched(blob, range(missing[0], missing[-1] + 1))
            yield from (plain for plain in found.values() if plain is not None)

    def _fetched(self, blob: Blob, numbers: range) -> dict[int, bytes]:
        """With one request."""
        table, name = self._table(blob), str(blob.file)
        start = table.starts[numbers[0]]
        octets = self._bucket.piece(name, start, table.starts[numbers[-1] + 1])
        plain = {}
        for number in numbers:
            frame = octets[table.starts[number] - start : table.starts[number + 1] - start]
            plain[number] = unpacked(frame, table, number, self.codec)
            self._frames.keep((name, number), plain[number])
        return plain

    def _table(self, blob: Blob) -> Frames:
        name = str(blob.file)
        table = self._tables.get(name)
        if table is None:
            # A short object comes whole with its table, which saves a request: most have one frame.
            is_short = blob.size_bytes <= FRAME_BYTES
            end, object_bytes = self._bucket.end(name, 2 * FRAME_BYTES if is_short else TABLE_BYTES)
            table = read_table(end, object_bytes=object_bytes, size_bytes=blob.size_bytes)
            self._tables.keep(name, table)
            if len(table) == 1 and len(end) == object_bytes:
                self._frames.keep((name, 0), unpacked(end[: table.starts[1]], table, 0, self.codec))
        return table


class _Recent(Generic[Key, Value]):
    """The last few, by any thread."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[Key, Value] = OrderedDict()
        self._guard = threading.Lock()

    def get(self, key: Key) -> Value | None:
        with self._guard:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def has(self, key: Key) -> bool:
        with self._guard:
            return key in self._kept

    def keep(self, key: Key, value: Value) -> None:
        with self._guard:
            self._kept[key] = value
            self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)

    def forget(self, key: Key) -> None:
        with self._guard:
            self._kept.pop(key, None)


def _beginning(chunks: Iterator[bytes]) -> tuple[bytes, Iterator[bytes] | None]:
    """What fits into one request, and what comes after it; None when that was all."""
    beginning = bytearray()
    for chunk in chunks:
        beginning += chunk
        if len(beginning) > PART_BYTES:
            return bytes(beginning), chunks
    return bytes(beginning), None


def _runs(numbers: range) -> Iterator[range]:
    for first in range(numbers.start, numbers.stop, FRAMES_AT_ONCE):
        yield range(first, min(first + FRAMES_AT_ONCE, numbers.stop))
