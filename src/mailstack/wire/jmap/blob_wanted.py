"""What a client wants to have of blobs: which octets, and in what form. RFC 9404 §4.2."""

from collections.abc import Sequence
from dataclasses import dataclass

from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.blob_given import BASE64, TEXT
from mailstack.wire.jmap.faults import invalid_arguments

DATA, SIZE = "data", "size"
DIGESTS = {"digest:sha": "sha1", "digest:sha-256": "sha256"}
"""By property, the name that hashlib has."""
ALGORITHMS = tuple(name.removeprefix("digest:") for name in DIGESTS)
"""RFC 9404 §3.1: those of the registry of RFC 3230, in lower case."""
_KNOWN = frozenset({"id", DATA, SIZE, TEXT, BASE64, *DIGESTS})
_CONTENT = frozenset({DATA, TEXT, BASE64})


@dataclass(frozen=True, slots=True)
class Octets:
    """Octets [start, stop) of a blob. is_truncated: more were asked for than there are."""

    start: int
    stop: int
    is_truncated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobWanted:
    """length: None for all that is left."""

    names: frozenset[str]
    offset: int
    length: int | None

    @property
    def has_content(self) -> bool:
        return not _CONTENT.isdisjoint(self.names)

    @property
    def digests(self) -> Sequence[str]:
        return [name for name in DIGESTS if name in self.names]

    def octets_of(self, size: int) -> Octets:
        end = size if self.length is None else self.offset + self.length
        start = min(self.offset, size)
        return Octets(start, max(start, min(end, size)), is_truncated=self.offset > size or end > size)


def blob_wanted(arguments: Arguments) -> BlobWanted:
    """Raises MethodFault."""
    names = arguments.texts("properties")
    unknown = sorted(set(names or ()) - _KNOWN)
    if unknown:
        raise invalid_arguments(f"no such properties: {', '.join(unknown)}")
    return BlobWanted(
        names=frozenset((DATA, SIZE) if names is None else names),
        offset=arguments.optional_unsigned("offset") or 0,
        length=arguments.optional_unsigned("length"),
    )
