"""An octoDNS provider that keeps each zone in a file, <directory>/<zone>.zone, and reads it back.

octodns-bind's own writes a file from the changes alone, so that a second plan would create everything again. Records
of other hands in the file stay as they are, of whatever type. RFC 1035 §5.
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import dns.name
import dns.rdataclass
import dns.rdataset
import dns.rdatatype
import dns.zone
from octodns.provider.base import BaseProvider
from octodns.record import Record
from octodns.record.rr import Rrset
from octodns.zone import Zone

from mailstack.reconcile.dns.octo import type_of
from mailstack.reconcile.dns.zone_text import read_zone, zone_path

NEW_ZONE = """\
$TTL 3600
@ IN SOA ns1 hostmaster 1 3600 600 604800 300
@ IN NS ns1
ns1 IN A 127.0.0.1
"""


class _Plan(Protocol):
    desired: Zone
    changes: Sequence["_Change"]


class _Change(Protocol):
    existing: Record | None
    new: Record | None


class ZoneFileProvider(BaseProvider):  # type: ignore[misc]  # octoDNS has no types, and wants its own class above
    """directory is made when the first zone is written. A zone without a file is empty."""

    SUPPORTS_GEO = False
    SUPPORTS_DYNAMIC = False
    SUPPORTS_MULTIVALUE_PTR = True
    SUPPORTS_ROOT_NS = True
    SUPPORTS = frozenset(
        ("A", "AAAA", "CAA", "CNAME", "DS", "HTTPS", "MX", "NAPTR", "NS", "PTR", "SRV", "SSHFP", "SVCB", "TLSA", "TXT")
    )

    def __init__(self, id: str, directory: str, **settings: object) -> None:  # noqa: A002  octoDNS's word
        self.log = logging.getLogger(f"ZoneFileProvider[{id}]")
        super().__init__(id, **settings)
        self._directory = Path(directory)

    def populate(self, zone: Zone, target: bool = False, lenient: bool = False) -> bool:  # noqa: ARG002  octoDNS's
        held = read_zone(self._directory, zone.name)
        if held is None:
            return False
        for name, rdataset in held.iterate_rdatasets():
            record_type = dns.rdatatype.to_text(rdataset.rdtype)
            if record_type in self.SUPPORTS:
                texts = [rdata.to_text() for rdata in rdataset]
                rrset = Rrset(name.to_text(), record_type, rdataset.ttl, texts)
                zone.add_record(Record.from_rrset(zone, rrset, lenient=True), lenient=True)
        return True

    def _apply(self, plan: _Plan) -> None:
        zone_name = plan.desired.name
        held = read_zone(self._directory, zone_name) or dns.zone.from_text(NEW_ZONE, zone_name, relativize=False)
        for change in plan.changes:
            if change.existing is not None:
                old = change.existing.to_rrset()
                held.delete_rdataset(dns.name.from_text(old.name), dns.rdatatype.from_text(type_of(change.existing)))
            if change.new is not None:
                new = change.new.to_rrset()
                rdataset = dns.rdataset.from_text_list(dns.rdataclass.IN, type_of(change.new), new.ttl, new.rdatas)
                held.replace_rdataset(dns.name.from_text(new.name), rdataset)
        _raise_serial(held, zone_name)
        self._write(zone_name, held)

    def _write(self, zone_name: str, held: dns.zone.Zone) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        path = zone_path(self._directory, zone_name)
        beside = path.with_suffix(".new")
        text = held.to_text(sorted=True, relativize=False)
        beside.write_text(f"$ORIGIN {zone_name}\n{text.rstrip()}\n", encoding="utf-8")
        beside.replace(path)


def _raise_serial(held: dns.zone.Zone, zone_name: str) -> None:
    """RFC 1982 §3.1: secondaries take a zone over when its serial has grown, modulo 2**32."""
    soa = held.get_rdataset(dns.name.from_text(zone_name), dns.rdatatype.SOA)
    if soa is not None:
        raised = [rdata.replace(serial=(rdata.serial + 1) % (1 << 32)) for rdata in soa]
        held.replace_rdataset(dns.name.from_text(zone_name), dns.rdataset.from_rdata_list(soa.ttl, raised))
