"""Which zone of the spec holds which record, and what is left for people to publish. Pure."""

from collections.abc import Collection, Container, Mapping, Sequence
from dataclasses import dataclass, replace

from mailstack.reconcile.dns.record_set import RecordSet, zone_file_lines
from mailstack.reconcile.plan import ByHand
from mailstack.spec.sections.domains import MANUAL_PROVIDER, Dns


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedRecord:
    """zone: "" for none of the spec's. reason: why a person has to publish it although the zone has a provider, else
    "".
    """

    zone: str
    record: RecordSet
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """by_zone: for zones with a provider, every such zone, with the zone's TTL; by_hand: everything else."""

    by_zone: Mapping[str, tuple[RecordSet, ...]]
    by_hand: tuple[PlacedRecord, ...]


def place(records: Sequence[RecordSet], dns: Dns, supported: Mapping[str, Collection[str]]) -> Placed:
    """supported: by zone, the types that its provider can publish; a zone that is not in there takes all."""
    by_zone: dict[str, list[RecordSet]] = {
        name: [] for name, zone in dns.zones.items() if zone.provider != MANUAL_PROVIDER
    }
    by_hand: list[PlacedRecord] = []
    for record in records:
        name = zone_of(record.name, dns.zones)
        if name is None:
            by_hand.append(PlacedRecord(zone="", record=record))
            continue
        held = replace(record, ttl_s=dns.zones[name].ttl)
        if name not in by_zone:
            by_hand.append(PlacedRecord(zone=name, record=held))
        elif record.type not in supported.get(name, (record.type,)):
            reason = f"provider {dns.zones[name].provider} has no {record.type}"
            by_hand.append(PlacedRecord(zone=name, record=held, reason=reason))
        else:
            by_zone[name].append(held)
    return Placed(by_zone={name: tuple(found) for name, found in by_zone.items()}, by_hand=tuple(by_hand))


def zones_of(placed: Placed, dns: Dns) -> Mapping[str, Sequence[RecordSet]]:
    """What each zone of the spec should hold, with those that people publish; of the others what their provider can."""
    manual: dict[str, list[RecordSet]] = {}
    for item in placed.by_hand:
        if item.zone and dns.zones[item.zone].provider == MANUAL_PROVIDER:
            manual.setdefault(item.zone, []).append(item.record)
    return {**placed.by_zone, **manual}


def as_lines(by_hand: Sequence[PlacedRecord]) -> tuple[ByHand, ...]:
    """For people, zone by zone; those of no zone last."""
    found: dict[tuple[str, str], list[RecordSet]] = {}
    for item in sorted(by_hand, key=lambda item: not item.zone):
        found.setdefault((item.zone, item.reason), []).append(item.record)
    return tuple(
        ByHand(zone=zone, records=zone_file_lines(records), reason=reason) for (zone, reason), records in found.items()
    )


def zone_of(name: str, zones: Container[str]) -> str | None:
    """The longest zone that the name is in."""
    labels = name.split(".")
    for start in range(len(labels)):
        candidate = ".".join(labels[start:])
        if candidate in zones:
            return candidate
    return None
