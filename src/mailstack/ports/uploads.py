"""What programs have uploaded and not put into a message yet. RFC 8620 §6.1."""

from collections.abc import Collection, Mapping
from typing import Protocol

from mailstack.model.ids import AccountId, BlobId
from mailstack.model.instant import Instant
from mailstack.model.message import RawMessage


class Uploads(Protocol):
    """Each is one account's, by the hash of its bytes, and ends at a time; from there on it is not there."""

    async def put(self, account_id: AccountId, raw: RawMessage, *, now: Instant, limit_bytes: int) -> BlobId:
        """limit_bytes: of all of an account's; the oldest ones give way, but none that has not been there for an hour.
        The same bytes once more last as long as new ones. Raises QuotaExceeded, TryAgainLater."""
        ...

    async def sizes(self, account_id: AccountId, blob_ids: Collection[BlobId], *, now: Instant) -> Mapping[BlobId, int]:
        """In octets, without those that are not there."""
        ...

    async def read(self, account_id: AccountId, blob_id: BlobId, *, now: Instant) -> bytes:
        """NotFound, or Damaged when the bytes do not match."""
        ...

    async def read_range(self, account_id: AccountId, blob_id: BlobId, start: int, stop: int, *, now: Instant) -> bytes:
        """Octets [start, stop), fewer past its end. Raises as read."""
        ...

    async def forget(self, *, now: Instant) -> int:
        """What has ended; returns how many. Once a day is often enough."""
        ...
