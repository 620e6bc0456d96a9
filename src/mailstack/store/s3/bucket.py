"""A bucket through obstore, with its faults in the domain's words: what may pass is TryAgainLater, and names the bucket
and the service, never a key. Blocking, used by any thread; the library is only imported when a bucket is opened.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from mailstack.model.errors import Damaged, DomainError, TryAgainLater
from mailstack.model.instant import SECOND_MS, Instant

if TYPE_CHECKING:
    from obstore.store import S3Store

CONNECT_TIMEOUT = timedelta(seconds=5)
REQUEST_TIMEOUT = timedelta(seconds=30)
"""Of one request with its body, which is a part or a few frames at most."""
MAX_RETRIES = 3
RETRY_TIMEOUT = timedelta(seconds=15)
"""From here on nothing is tried again; who waits for it is told to come back, and does so later."""
PART_BYTES = 8 << 20
PARTS_AT_ONCE = 2
LISTED_AT_ONCE = 1_000

FOLDER = "blobs"
_STATUS = re.compile(r"status code: ([0-9]{3}[A-Za-z' -]*)")
_CODE = re.compile(r"<Code>([A-Za-z]{1,64})</Code>")


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketAddress:
    """endpoint: "" for Amazon's own. access_key: "" for what the environment or the machine's own role has. ca: PEM of
    who signed the service's certificate, "" where the system knows."""

    bucket: str
    endpoint: str = ""
    region: str = "us-east-1"
    access_key: str = field(default="", repr=False)
    secret_key: str = field(default="", repr=False)
    prefix: str = ""
    ca: str = ""

    def __str__(self) -> str:
        return f"bucket {self.bucket} at {self.endpoint or f'Amazon S3, {self.region}'}"


@dataclass(frozen=True, slots=True)
class Listed:
    """modified_at: by the service's clock."""

    name: str
    modified_at: Instant


class Bucket:
    """Objects have plain names; where they lie below the prefix is decided here."""

    def __init__(self, address: BucketAddress) -> None:
        self.address = address
        self._store = _open(address)

    def create(self, name: str, content: bytes) -> None:
        """What is there already is as good."""
        import obstore
        from obstore.exceptions import AlreadyExistsError, NotSupportedError

        with self._faults(f"{name} cannot be put"):
            try:
                obstore.put(self._store, _key(name), content, mode="create", use_multipart=False)
            except (AlreadyExistsError, NotSupportedError) as fault:
                if "412" in _status(fault):
                    return
                # A service without conditional requests, or a conflict (409): another request for this name is under
                # way, and may fail, or delete it. Names are hashes, so the same bytes come to lie over them.
                obstore.put(self._store, _key(name), content, use_multipart=False)

    def upload(self, name: str, chunks: Iterable[bytes]) -> None:
        """As create, in parts, of which few are in memory. Parts know no condition, so it is looked for first."""
        import obstore

        with self._faults(f"{name} cannot be put"):
            if not self.has(name):
                obstore.put(self._store, _key(name), iter(chunks), chunk_size=PART_BYTES, max_concurrency=PARTS_AT_ONCE)

    def has(self, name: str) -> bool:
        import obstore

        with self._faults(f"{name} cannot be looked for"):
            try:
                # Not HEAD, whose answer has no body that would tell a missing bucket from a missing object.
                obstore.get_range(self._store, _key(name), start=0, end=1)
            except FileNotFoundError as fault:
                if _code(fault) == "NoSuchBucket":
                    raise
                return False
        return True

    def end(self, name: str, size_bytes: int) -> tuple[bytes, int]:
        """The last so many bytes, or all of fewer, and how many there are. Raises Damaged when it is gone."""
        import obstore

        with self._faults(f"{name} cannot be read"):
            found = obstore.get(self._store, _key(name), options={"range": {"suffix": size_bytes}})
            return found.bytes().to_bytes(), found.meta["size"]

    def piece(self, name: str, start: int, stop: int) -> bytes:
        """Raises Damaged when it is gone, or has no such bytes."""
        import obstore

        with self._faults(f"{name} cannot be read"):
            found = obstore.get_range(self._store, _key(name), start=start, end=stop).to_bytes()
        if len(found) != stop - start:
            raise Damaged(f"{name} cannot be read: it is cut short in {self.address}")
        return found

    def delete(self, names: Sequence[str]) -> None:
        """What is gone already is as good."""
        import obstore

        with self._faults("objects cannot be deleted"):
            for name in names:
                try:
                    obstore.delete(self._store, _key(name))
                except FileNotFoundError as fault:
                    if _code(fault) == "NoSuchBucket":
                        raise

    def listed(self) -> Iterator[list[Listed]]:
        """All of them, some at a time."""
        import obstore

        with self._faults("objects cannot be listed"):
            for page in obstore.list(self._store, FOLDER, chunk_size=LISTED_AT_ONCE):
                yield [Listed(_name(each["path"]), _instant(each["last_modified"])) for each in page]

    @contextmanager
    def _faults(self, what: str) -> Iterator[None]:
        from obstore.exceptions import BaseError

        try:
            yield
        except (BaseError, OSError, ValueError) as fault:
            raise self._translated(fault, what) from fault

    def _translated(self, fault: Exception, what: str) -> DomainError:
        if isinstance(fault, FileNotFoundError) and _code(fault) != "NoSuchBucket":
            return Damaged(f"{what}: it is gone from {self.address}")
        if "416" in _status(fault):
            return Damaged(f"{what}: it is cut short in {self.address}")
        return TryAgainLater(f"{what}: {self.address} {_reason(fault)}")


def _open(address: BucketAddress) -> "S3Store":
    from obstore.store import S3Store

    # Not every service has the request that deletes many at once.
    given: dict[str, Any] = {"disable_bulk_delete": True}
    if address.endpoint:
        given["endpoint"] = address.endpoint
    if address.access_key:
        given |= {"access_key_id": address.access_key, "secret_access_key": address.secret_key}
    client: dict[str, Any] = {"connect_timeout": CONNECT_TIMEOUT, "timeout": REQUEST_TIMEOUT}
    if address.endpoint.startswith("http://"):
        client["allow_http"] = True
    if address.ca:
        client["root_certificate"] = address.ca
    return S3Store(
        address.bucket,
        prefix=address.prefix or None,
        region=address.region,
        client_options=client,  # type: ignore[arg-type]  # a TypedDict whose keys are chosen here
        retry_config={
            "max_retries": MAX_RETRIES,
            "retry_timeout": RETRY_TIMEOUT,
            "backoff": {"init_backoff": timedelta(milliseconds=200), "max_backoff": timedelta(seconds=3), "base": 2},
        },
        **given,
    )


def _key(name: str) -> str:
    """Spread by the hash: services part a bucket by the beginnings of names."""
    return f"{FOLDER}/{name[:2]}/{name}"


def _name(key: str) -> str:
    return key.rpartition("/")[2]


def _instant(moment: datetime) -> Instant:
    return Instant(int(moment.timestamp()) * SECOND_MS)


def _code(fault: Exception) -> str:
    found = _CODE.search(str(fault))
    return found[1] if found else ""


def _status(fault: Exception) -> str:
    found = _STATUS.search(str(fault))
    return found[1].strip() if found else ""


def _reason(fault: Exception) -> str:
    """Without the library's own words, which repeat requests."""
    code, status, text = _code(fault), _status(fault), str(fault)
    if code == "NoSuchBucket":
        return "does not exist: make it, or correct storage.blobs.s3.bucket"
    if status.startswith(("401", "403")):
        return f"refuses it ({code or status}): look at the access key and its rights"
    if status:
        return f"answers {status}{f' ({code})' if code else ''}"
    if "InvalidCertificate" in text:
        return "shows a certificate that is not trusted: storage.blobs.s3.ca may name who signed it"
    if "timed out" in text or "kind: Timeout" in text:
        return "does not answer in time"
    if "NotPartial" in text:
        return "gives the whole where a range was asked for"
    return "cannot be reached"
