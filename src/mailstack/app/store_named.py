"""The address of the store that a spec names: its references followed, its paths made absolute.

Apart from store_address, for whoever serves knows the address and never reads a spec.
"""

from pathlib import Path

from mailstack.app.store_address import BucketAt, NatsAt, StoreAddress
from mailstack.model.errors import Invalid
from mailstack.spec.load import LoadedSpec
from mailstack.spec.secrets import SecretMissing, resolve
from mailstack.spec.sections.section import Section
from mailstack.spec.sections.storage import S3, Events, Storage


def address_in(loaded: LoadedSpec) -> StoreAddress:
    """Raises Invalid where a secret or a certificate that it names is not there."""
    return address_of_storage(loaded.spec.storage, loaded.path.absolute().parent)


def address_of_storage(storage: Storage, directory: Path) -> StoreAddress:
    """directory: where its relative paths start."""
    folder = (directory / storage.path).absolute()
    if storage.database is None:
        return StoreAddress(folder=folder)
    return StoreAddress(
        folder=folder,
        database=_secret(storage, "database", "storage.database", directory),
        bucket=None if storage.blobs is None else _bucket(storage.blobs.s3, directory),
        nats=None if storage.events is None else _nats(storage.events, directory),
    )


def _bucket(s3: S3, directory: Path) -> BucketAt:
    at = "storage.blobs.s3"
    return BucketAt(
        bucket=s3.bucket,
        endpoint=s3.endpoint or "",
        region=s3.region,
        access_key=_secret(s3, "access_key", at, directory),
        secret_key=_secret(s3, "secret_key", at, directory),
        prefix=s3.prefix,
        ca=_file(s3.ca, f"{at}.ca", directory),
    )


def _nats(events: Events, directory: Path) -> NatsAt:
    at = "storage.events"
    return NatsAt(
        servers=events.servers,
        username=_secret(events, "username", at, directory),
        password=_secret(events, "password", at, directory),
        token=_secret(events, "token", at, directory),
        ca=_file(events.ca, f"{at}.ca", directory),
    )


def _secret(section: Section, key: str, at: str, directory: Path) -> str:
    """What the section's key refers to; "" where it says nothing."""
    reference = getattr(section, key)
    if reference is None:
        return ""
    try:
        return resolve(reference.get_secret_value(), directory)
    except SecretMissing as fault:
        raise Invalid(f"{at if at.endswith(key) else f'{at}.{key}'}: {fault}") from None


def _file(path: Path | None, at: str, directory: Path) -> str:
    if path is None:
        return ""
    try:
        return (directory / path).read_text()
    except (OSError, UnicodeDecodeError) as fault:
        raise Invalid(f"{at}: {directory / path} cannot be read: {getattr(fault, 'strerror', None) or fault}") from None
