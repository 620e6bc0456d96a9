"""Whether the parts of `storage` hold together: what several nodes share has no place without a database."""

from collections.abc import Iterator, Mapping

from mailstack.spec.document import Document
from mailstack.spec.faults import Fault, Path
from mailstack.spec.outline import section
from mailstack.spec.yaml_values import Value

_SHARED = {
    "blobs": "SQLite keeps large messages in files below storage.path",
    "events": "the processes of one machine tell each other without NATS",
}


def check_storage(document: Document) -> Iterator[Fault]:
    storage = section(document.values, "storage")
    if storage.get("database") is None:
        for key, reason in _SHARED.items():
            if storage.get(key) is not None:
                message = f"needs storage.database ({reason})"
                yield document.fault(("storage", key), message, at_key=True)
    s3 = section(document.values, "storage", "blobs", "s3")
    yield from _alone(document, ("storage", "blobs", "s3"), s3, ("access_key", "secret_key"))
    events = section(document.values, "storage", "events")
    yield from _alone(document, ("storage", "events"), events, ("username", "password"))
    if events.get("token") is not None and events.get("username") is not None:
        yield document.fault(("storage", "events", "token"), "is used instead of username and password", at_key=True)


def _alone(document: Document, path: Path, given: Mapping[str, Value], pair: tuple[str, str]) -> Iterator[Fault]:
    """One of two that are good for nothing without each other."""
    for key, other in (pair, pair[::-1]):
        if given.get(key) is not None and given.get(other) is None:
            yield document.fault((*path, key), f"needs {other} beside it", at_key=True)
