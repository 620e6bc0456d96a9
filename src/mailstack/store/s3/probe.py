"""Whether a bucket can be used: everything that the store will ask of it, asked once, with objects of its own that are
gone afterwards. They have names that no message has, and the collector would find what a broken run leaves behind.
"""

import secrets
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from time import perf_counter

from mailstack.model.errors import Damaged, DomainError, Unsupported
from mailstack.store.s3.bucket import PART_BYTES, Bucket

CONTENT_BYTES = 200_000
RIGHTS = "the key needs s3:GetObject, s3:PutObject and s3:DeleteObject on the prefix, and s3:ListBucket on the bucket"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """fault: "" where all is well. remedy: what to do about it. is_needed: the store does not work without."""

    what: str
    took_s: float
    fault: str = ""
    remedy: str = ""
    is_needed: bool = True


def probed(bucket: Bucket, *, token: Callable[[int], bytes] = secrets.token_bytes) -> Iterator[Finding]:
    """Blocks between findings. Ends with the first that all others need."""
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
        put = _asked("put an object", lambda: bucket.create(name, content), RIGHTS)
        yield put
        if put.fault:
            return
        yield _asked("read it", read_back, RIGHTS)
        yield _asked("read a piece of it", read_a_piece, "the service, or what is before it, must serve ranges")
        remedy = "nothing has to be done: messages that are there already are put once more"
        yield _asked("put it only where there is none", put_again, remedy, is_needed=False)
        yield _asked("put an object in parts", put_in_parts, f"{RIGHTS}; and s3:AbortMultipartUpload")
        yield _asked("find it in a listing", find_in_listing, RIGHTS)
        yield _asked("delete both", delete, RIGHTS)
    finally:
        with suppress(DomainError):
            bucket.delete([name, long_name])


def _asked(what: str, ask: Callable[[], None], remedy: str, *, is_needed: bool = True) -> Finding:
    began = perf_counter()
    try:
        ask()
    except DomainError as fault:
        took_s = perf_counter() - began
        return Finding(what=what, took_s=took_s, fault=fault.detail, remedy=remedy, is_needed=is_needed)
    return Finding(what=what, took_s=perf_counter() - began, is_needed=is_needed)


def _expect(is_so: bool, otherwise: str) -> None:
    if not is_so:
        raise Damaged(otherwise)
