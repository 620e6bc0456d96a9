"""What tells that two messages are of one thread: a message-id that stands in both, and the same base subject.
RFC 8621 §3. The numbers are part of the stored format."""

from collections.abc import Collection
from hashlib import blake2b

MAX_NAMED = 16
"""Of the ids that a message names: its own, the root, which most of its thread names too, and the nearest."""


def keys_of(header_id: str, references: Collection[str], base_subject: str) -> list[int]:
    """The message's own id, then from the root to the nearest.

    RFC 8621 §3: subjects are compared without white space; that case is passed over too is ours.
    """
    subject = "".join(base_subject.split()).casefold()
    named = [name for name in (header_id, *references) if name]
    if len(named) > MAX_NAMED:
        named = [*named[:2], *named[2 - MAX_NAMED :]]
    return list(dict.fromkeys(_key(name, subject) for name in named))


def _key(header_id: str, subject: str) -> int:
    # 64 bits, for an id may be as long as a line.
    octets = f"{header_id}\n{subject}".encode("utf-8", "replace")
    return int.from_bytes(blake2b(octets, digest_size=8).digest(), "big", signed=True)
