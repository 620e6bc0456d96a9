"""`storage`: where mail and state are kept. One machine needs a folder; several nodes share a database, an object store
for large messages, and a way to wake each other.
"""

import re
from pathlib import Path
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

from mailstack.spec.sections.section import OrElse, Section
from mailstack.spec.values import FilePath, SecretReference

_BUCKET = re.compile(r"[a-z0-9](?:[a-z0-9.-]{1,61})[a-z0-9]")
_REGION = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_PREFIX = re.compile(r"[A-Za-z0-9!_.*'()-]+(?:/[A-Za-z0-9!_.*'()-]+)*")
MAX_PREFIX = 200
NATS_SCHEMES = ("nats", "tls")


def parse_bucket(text: str) -> str:
    if not _BUCKET.fullmatch(text) or ".." in text:
        raise ValueError("not a bucket (3 to 63 lower-case letters, digits, dots and hyphens)")
    return text


def parse_region(text: str) -> str:
    if not _REGION.fullmatch(text):
        raise ValueError("not a region (such as eu-central-1)")
    return text


def parse_prefix(text: str) -> str:
    """Without slashes at its ends."""
    prefix = text.strip("/")
    parts = prefix.split("/")
    if prefix and (len(prefix) > MAX_PREFIX or not _PREFIX.fullmatch(prefix) or "." in parts or ".." in parts):
        raise ValueError(f"not a prefix (letters, digits and !_.*'()- with slashes between; up to {MAX_PREFIX})")
    return prefix


def parse_object_endpoint(text: str) -> str:
    """Of an object store: scheme, host, port, and nothing that could be a secret or a bucket."""
    url = _split(text, ("https", "http"))
    if url is None or url.path not in ("", "/"):
        raise ValueError("not an endpoint (such as https://s3.eu-central-1.amazonaws.com or http://127.0.0.1:9000)")
    return text.removesuffix("/")


def parse_nats_server(text: str) -> str:
    if "@" in text:
        raise ValueError(
            "a login in plain text; write {servers: [nats://host:4222], username: env/NAME, password: env/NAME}"
        )
    url = _split(text, NATS_SCHEMES)
    if url is None or url.path:
        raise ValueError("not a NATS server (such as nats://nats.example.com:4222, or tls:// where TLS is required)")
    return text


def _split(text: str, schemes: tuple[str, ...]) -> SplitResult | None:
    """None for what is no URL of these schemes with a host; a login, a query or a fragment has no place in it."""
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:
        return None
    is_plain = text.isprintable() and " " not in text and not (url.query or url.fragment or "@" in url.netloc)
    return url if is_plain and url.scheme in schemes and url.hostname and port != 0 else None


def _one_server(value: object) -> object:
    """`events: nats://…` stands for one server without a login."""
    return {"servers": (value,)} if isinstance(value, str) else value


class S3(Section):
    """A bucket that speaks S3. Objects are named by the hash of what they hold, so nodes may share it."""

    bucket: Annotated[str, AfterValidator(parse_bucket)] = Field(
        description="Its name. It must exist, and nothing but this server should write below the prefix."
    )
    endpoint: Annotated[str, AfterValidator(parse_object_endpoint)] | None = Field(
        default=None, description="The service's URL. Default: Amazon's, for the region."
    )
    region: Annotated[str, AfterValidator(parse_region)] = Field(
        default="us-east-1", description="The region that requests are signed for; many other services take any."
    )
    access_key: SecretReference | None = Field(
        default=None,
        description="The id of the access key, by reference. Without keys: those in the environment (AWS_ACCESS_KEY_ID"
        " and its kin), or of the machine's own role.",
    )
    secret_key: SecretReference | None = Field(default=None, description="The access key's secret, by reference.")
    ca: FilePath | None = Field(
        default=None,
        description="Who signs the service's certificate, PEM, where the system does not know. Relative to this file.",
    )
    prefix: Annotated[str, AfterValidator(parse_prefix)] = Field(
        default="", description="What all names begin with, for a bucket that is shared with something else."
    )


class BlobStorage(Section):
    """Messages over 64 KiB; smaller ones lie in the database."""

    s3: S3 = Field(description="An object store that speaks S3.")


class Events(Section):
    """NATS servers of one cluster. Events carry no mail, and what is lost is only seen some seconds later."""

    servers: tuple[Annotated[str, AfterValidator(parse_nats_server)], ...] = Field(
        min_length=1, description="One or more of them: nats://host:4222, or tls://host:4222 where TLS is required."
    )
    username: SecretReference | None = Field(default=None, description="The login, by reference.")
    password: SecretReference | None = Field(default=None, description="By reference.")
    token: SecretReference | None = Field(default=None, description="Instead of a login, by reference.")
    ca: FilePath | None = Field(
        default=None,
        description="Who signs the servers' certificates, PEM, where the system does not know. Relative to this file.",
    )


NatsEvents = Annotated[
    Events, BeforeValidator(_one_server), OrElse({"type": "string", "pattern": "^(nats|tls)://[^@]+$"})
]


class Storage(Section):
    path: FilePath = Field(
        default=Path("/var/lib/mailstack"),
        description="The folder that holds everything: SQLite files and large messages; with a database, what belongs"
        " to this machine alone. Relative to this file.",
    )
    database: SecretReference | None = Field(
        default=None,
        description="A PostgreSQL database that holds everything instead, for several nodes: a reference to its URL"
        " (postgresql://user:password@host/name), which has a password in it.",
    )
    blobs: BlobStorage | None = Field(
        default=None, description="With a database: where messages over 64 KiB are kept. Default: in the database too."
    )
    events: NatsEvents | None = Field(
        default=None,
        description="With a database: how nodes tell each other what changed, NATS servers as nats://host:4222 or with"
        " a login. Default: NOTIFY on the database.",
    )
