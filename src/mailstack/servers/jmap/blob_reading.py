"""Blobs that one method call reads, and how much of them: parts are decoded whole, however little is wanted of them."""

from collections.abc import AsyncIterator

from mailstack.servers.jmap.blob_named import open_named
from mailstack.servers.jmap.bound import Bound
from mailstack.servers.jmap.method import Call
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.blobs import Blob

MOST_OCTETS = 64 * 1024 * 1024
"""That a call reads or makes, or holds decoded on the way, where it is more than one blob."""


def bound_of_call() -> Bound:
    return Bound(MOST_OCTETS, of="call")


class BlobReading:
    """Raises NotFound, Damaged; TooLarge where the call has read enough."""

    def __init__(self, call: Call, mail: AccountMail) -> None:
        self._call = call
        self._mail = mail
        self._bound = bound_of_call()
        self._last: tuple[str, Blob] | None = None

    async def open(self, object_id: str) -> Blob:
        if self._last is not None and self._last[0] == object_id:
            return self._last[1]
        self._last = None
        blob = await open_named(self._call, self._mail, object_id)
        if blob.is_held:
            self._bound.take(max(blob.size_octets, blob.found_in_octets))
        self._last = (object_id, blob)
        return blob

    async def pieces(self, blob: Blob, start: int, stop: int) -> AsyncIterator[bytes]:
        if not blob.is_held:
            self._bound.take(stop - start)
        async for piece in blob.pieces(start, stop):
            yield piece
