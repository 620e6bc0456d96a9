"""Where a server keeps what it has, as its processes tell each other: a folder of this machine, and with it, for many
nodes, a database, a bucket and NATS servers.

Secrets are resolved: an address goes over lines that nobody else reads, never into a message, a log or a file.
"""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from mailstack.model.errors import Invalid, Unsupported

if TYPE_CHECKING:
    from mailstack.store.postgres.link import Address


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketAt:
    """As store.s3.bucket.BucketAddress has them."""

    bucket: str
    endpoint: str
    region: str
    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    prefix: str
    ca: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class NatsAt:
    """ca: PEM, "" where the system knows."""

    servers: tuple[str, ...]
    username: str = field(repr=False)
    password: str = field(repr=False)
    token: str = field(repr=False)
    ca: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreAddress:
    """folder: absolute; without a database it holds everything, otherwise what belongs to this machine."""

    folder: Path
    database: str = field(default="", repr=False)
    bucket: BucketAt | None = None
    nats: NatsAt | None = None

    def __str__(self) -> str:
        return self.postgres.name if self.database else str(self.folder)

    @property
    def postgres(self) -> "Address":
        """Raises Invalid, Unsupported where the extra is missing."""
        with extra("postgres"):
            from mailstack.store.postgres.link import address_of
        try:
            return address_of(self.database)
        except ValueError as fault:
            raise Invalid(f"storage.database: {fault}") from None

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"folder": str(self.folder)}

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Self:
        bucket, nats = fields["bucket"], fields["nats"]
        return cls(
            folder=Path(fields["folder"]),
            database=fields["database"],
            bucket=None if bucket is None else BucketAt(**bucket),
            nats=None if nats is None else NatsAt(**nats | {"servers": tuple(nats["servers"])}),
        )


@contextmanager
def extra(name: str) -> Iterator[None]:
    """Around the import of what only that extra installs."""
    try:
        yield
    except ModuleNotFoundError as fault:
        # Of this environment: the pip of a shell is often another's.
        how = f"{sys.executable} -m pip install 'mailstack[{name}]'"
        raise Unsupported(f"the module {fault.name} is not installed: {how}") from None
