"""The data of FETCH, for whole lists of messages at once. RFC 9051 §7.5.2.

No value a message: a mailbox of 100,000 is answered by joining pieces of bytes, and flags are spelt once for all
messages that have the same.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache

from mailstack.model.flags import DELETED
from mailstack.model.instant import Instant
from mailstack.wire.imap.dates import date_time_text


def fetch_lines(numbers: Iterable[int], items: Iterable[bytes]) -> bytes:
    """items: for each message all that is told of it, parted by spaces."""
    return b"".join([b"* %d FETCH (%b)\r\n" % pair for pair in zip(numbers, items, strict=True)])


@lru_cache(maxsize=4096)
def flags_item(keywords_text: str, is_deleted: bool) -> bytes:
    """keywords_text: as model.flags.keywords_text has it."""
    flags = f"{keywords_text} {DELETED}".strip() if is_deleted else keywords_text
    return f"FLAGS ({flags})".encode("ascii")


def uid_items(uids: Iterable[int]) -> list[bytes]:
    return [b"UID %d" % uid for uid in uids]


def size_items(sizes: Iterable[int]) -> list[bytes]:
    return [b"RFC822.SIZE %d" % size for size in sizes]


def internal_date_item(instant: Instant) -> bytes:
    return b"INTERNALDATE " + date_time_text(instant)


def literal_item(label: bytes, octets: bytes | memoryview) -> bytes:
    """RFC 9051 §4.3: what a message holds is sent as a literal, whatever it is."""
    return b"".join((literal_head(label, len(octets)), octets))


def literal_head(label: bytes, size_octets: int) -> bytes:
    """What comes before the octets of a literal that are sent apart."""
    return b"%b {%d}\r\n" % (label, size_octets)


def absent_item(label: bytes) -> bytes:
    """RFC 9051 §7.5.2: a part that is not there is NIL."""
    return label + b" NIL"


def joined(columns: Sequence[Sequence[bytes]]) -> list[bytes]:
    """Columns of items into what fetch_lines takes."""
    return list(columns[0]) if len(columns) == 1 else [b" ".join(row) for row in zip(*columns, strict=True)]
