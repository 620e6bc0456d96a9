"""Keeps a foreign TXT record that is no UTF-8 text from stopping every plan of its zone.

octoDNS raises for one while reading a transferred zone. Such sets are left out of what it sees, and remembered, so
that ownership never writes to their names.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

import dns.exception
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from mailstack.reconcile.dns.octo import OctoProvider, OctoZone, type_of
from mailstack.reconcile.dns.record_set import Key


class _TransferredRecord(Protocol):
    """octodns.record.rr.Rr."""

    name: str
    rdata: str


ReadZone = Callable[..., Sequence[_TransferredRecord]]


class ReadableRecords:
    """Stands where octodns-bind's providers have their method `zone_records`."""

    def __init__(self, read_zone: ReadZone) -> None:
        self._read_zone = read_zone
        self.unreadable: dict[str, frozenset[Key]] = {}

    def __call__(self, zone: OctoZone, *, target: bool = False) -> Sequence[_TransferredRecord]:
        records = self._read_zone(zone, target=target)
        unreadable = frozenset(_key(record) for record in records if not _is_readable(record))
        self.unreadable[zone.name] = unreadable
        return [record for record in records if _key(record) not in unreadable]


def shield(provider: OctoProvider) -> None:
    """Providers that read by API have texts to begin with, and are left as they are."""
    read_zone = getattr(provider, "zone_records", None)
    if callable(read_zone):
        setattr(provider, "zone_records", ReadableRecords(read_zone))  # noqa: B010  the attribute is octodns-bind's


def unreadable_in(provider: OctoProvider, zone: OctoZone) -> frozenset[Key]:
    """Record sets that the last read of the zone left out."""
    reader = getattr(provider, "zone_records", None)
    return reader.unreadable.get(zone.name, frozenset()) if isinstance(reader, ReadableRecords) else frozenset()


def _key(record: _TransferredRecord) -> Key:
    return (record.name.rstrip(".").lower(), type_of(record))


def _is_readable(record: _TransferredRecord) -> bool:
    if type_of(record) != "TXT":
        return True
    try:
        rdata = dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.TXT, record.rdata)
        b"".join(getattr(rdata, "strings", ())).decode("utf-8")
    except (dns.exception.DNSException, UnicodeDecodeError):
        return False
    return True
