"""Whether a bucket can be used: everything that the store will ask of it, asked once, with objects of its own that are
gone afterwards. They have names that no message has, and the collector would find what a broken run leaves behind.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from functools import partial

from mailstack.model.errors import Damaged, DomainError, Unsupported
from mailstack.store.probing import Finding, asked
from mailstack.store.s3.bucket import PART_BYTES, Bucket

CONTENT_BYTES = 200_000
PLACE = "look at storage.blobs.s3, and whether the service can be reached from this machine"
RIGHTS = "the key needs s3:GetObject, s3:PutObject and s3:DeleteObject on the prefix, and s3:ListBucket on the bucket"


async def probed(bucket: Bucket, *, token: Callable[[int], bytes] = secrets.token_bytes) -> AsyncIterator[Finding]:
    """Ends with the first that all others need."""
    # First of all names in a listing, so that one page of it is enough.
    name, long_name = (f"{'0' * 32}{token(16).hex()}.probe" for _ in range(2))
    content, other = token(CONTENT_BYTES), token(CONTENT_BYTES)

    def read_back() -> None:
        _expect(bucket.end(name, CONTENT_BYTES)[0] == content, "what was put is not what is there")

    def read_a_piece() -> None:
        _expect(bucket.piece(name, 1_000, 5_096) == content[1_000:5_096], "a range is not what was asked for")

    def put_again() -> None:
        bucket.create(name, other)
        if bucket.end(name, CONTENT_BYTES)[0] != content:
            raise Unsupported("an object that was there was put over, though only a new one was asked for")

    def put_in_parts() -> None:
        bucket.upload(long_name, [content, bytes(PART_BYTES), other])
        _expect(bucket.end(long_name, CONTENT_BYTES)[0] == other, "what was put in parts is not what is there")

    def find_in_listing() -> None:
        first = next(iter(bucket.listed()), [])
        _expect(name in {each.name for each in first}, "what was put is not in the listing")

    def delete() -> None:
        bucket.delete([name, long_name])
        _expect(not bucket.has(name), "what was deleted is still there")

    try:
        put = await _asked("put an object", lambda: bucket.create(name, content), f"{PLACE}; {RIGHTS}")
        yield put
        if put.fault:
            return
        yield await _asked("read it", read_back, RIGHTS)
        yield await _asked("read a piece of it", read_a_piece, "the service, or what is before it, must serve ranges")
        remedy = "nothing has to be done: messages that are there already are put once more"
        yield await _asked("put it only where there is none", put_again, remedy, is_needed=False)
        yield await _asked("put an object in parts", put_in_parts, f"{RIGHTS}; and s3:AbortMultipartUpload")
        yield await _asked("find it in a listing", find_in_listing, RIGHTS)
        yield await _asked("delete both", delete, RIGHTS)
    finally:
        with suppress(DomainError):
            await asyncio.to_thread(bucket.delete, [name, long_name])


async def _asked(what: str, ask: Callable[[], None], remedy: str, *, is_needed: bool = True) -> Finding:
    return await asked(what, partial(asyncio.to_thread, ask), remedy, is_needed=is_needed)


def _expect(is_so: bool, otherwise: str) -> None:
    if not is_so:
        raise Damaged(otherwise)
