"""Which zone of the spec holds which record, and what is left for people to publish. Pure."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace

from mailstack.reconcile.dns.record_set import RecordSet, zone_file_lines
from mailstack.reconcile.plan import ByHand
from mailstack.spec.sections.domains import MANUAL_PROVIDER, Dns


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """by_zone: for zones with a provider, every such zone, with the zone's TTL; by_hand: everything else."""

    by_zone: Mapping[str, tuple[RecordSet, ...]]
    by_hand: tuple[ByHand, ...]


def place(records: Sequence[RecordSet], dns: Dns) -> Placed:
    in_zone: dict[str, list[RecordSet]] = {name: [] for name in dns.zones}
    in_none: list[RecordSet] = []
    for record in records:
        name = zone_of(record.name, dns.zones)
        if name is None:
            in_none.append(record)
        else:
            in_zone[name].append(replace(record, ttl_s=dns.zones[name].ttl))
    by_hand = [
        ByHand(zone=name, records=zone_file_lines(found))
        for name, found in in_zone.items()
        if dns.zones[name].provider == MANUAL_PROVIDER and found
    ]
    if in_none:
        by_hand.append(ByHand(zone="", records=zone_file_lines(in_none)))
    automatic = {name: tuple(found) for name, found in in_zone.items() if dns.zones[name].provider != MANUAL_PROVIDER}
    return Placed(by_zone=automatic, by_hand=tuple(by_hand))


def zone_of(name: str, zones: Container[str]) -> str | None:
    """The longest zone that the name is in."""
    labels = name.split(".")
    for start in range(len(labels)):
        candidate = ".".join(labels[start:])
        if candidate in zones:
            return candidate
    return None
