"""octoDNS's objects, which carry no types, as far as we use them; and record sets into and out of them."""

from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from octodns.record import Record
from octodns.record.rr import Rrset

from mailstack.reconcile.dns.record_set import Key, RecordSet, rdata_texts
from mailstack.reconcile.plan import KNOWN_AFTER_APPLY

COMPARED_TYPES = frozenset(("A", "AAAA", "CAA", "CNAME", "MX", "SRV", "TLSA"))
"""Types whose values ownership looks at, besides TXT; of all others it is enough to know that they are there."""


UNKNOWN_DIGEST = "0" * 64
"""Stands for the digest of a key that apply has yet to make: TLSA has no room for words."""


class OctoRecord(Protocol):
    fqdn: str
    ttl: int


class OctoZone(Protocol):
    name: str

    @property
    def root_ns(self) -> OctoRecord | None: ...

    @property
    def records(self) -> Collection[OctoRecord]: ...

    def add_record(self, record: OctoRecord, *, replace: bool = False) -> None: ...

    def remove_record(self, record: OctoRecord) -> None: ...


class OctoChange(Protocol):
    existing: OctoRecord
    new: OctoRecord

    @property
    def record(self) -> OctoRecord: ...


class OctoPlan(Protocol):
    changes: list[OctoChange]


class OctoProvider(Protocol):
    SUPPORTS: Collection[str]
    root_ns_warnings: bool
    populate: Callable[..., bool]

    def plan(self, desired: OctoZone, *, processors: Sequence[object]) -> OctoPlan | None: ...

    def apply(self, plan: OctoPlan) -> int: ...


def key_of(record: OctoRecord) -> Key:
    return (record.fqdn.rstrip(".").lower(), type_of(record))


def type_of(record: object) -> str:
    return str(getattr(record, "_type"))  # noqa: B009  octoDNS has no other name for it


def from_octodns(record: OctoRecord) -> RecordSet:
    name, record_type = key_of(record)
    values: tuple[str, ...] = ()
    if record_type == "TXT":
        # octoDNS keeps a semicolon escaped inside.
        values = tuple(str(value).replace("\\;", ";") for value in getattr(record, "values", ()))
    elif record_type in COMPARED_TYPES and isinstance(record, Record):
        values = tuple(record.to_rrset().rdatas)
    return RecordSet(name=name, type=record_type, values=values, ttl_s=int(record.ttl))


def to_octodns(zone: OctoZone, record: RecordSet) -> OctoRecord:
    """Raises octoDNS's ValidationError for a record that its active validators refuse."""
    texts = list(rdata_texts(record))
    if record.type == "TLSA":
        texts = [text.replace(KNOWN_AFTER_APPLY, UNKNOWN_DIGEST) for text in texts]
    made: OctoRecord = Record.from_rrset(zone, Rrset(f"{record.name}.", record.type, record.ttl_s, texts))
    return made
