"""Taking over record sets that are there already: a marker is written beside them, and nothing else. Pure.

From then on they are this server's, and the next plan may change them. For records that people made by hand before they
had mailstack, and for a server that has lost its state: its own records look like another server's to it.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from mailstack.reconcile.dns.ownership import (
    Settled,
    Zone,
    is_marker,
    marked_key,
    marker_for,
    marker_owner,
    remarked,
    version_tag,
)
from mailstack.reconcile.dns.record_set import Key, RecordSet
from mailstack.reconcile.plan import PlanWarning


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What is to be taken over. keys: these sets; owner: all that are marked with this id; as_wanted: all that hold
    what the spec asks for already."""

    keys: Collection[Key] = ()
    owner: str = ""
    as_wanted: bool = False


def take_over(zone: Zone, wanted: Sequence[RecordSet], chosen: Chosen) -> Settled:
    """The markers to write, in place of what ownership.settle would do; `adopted` has the sets as they are."""
    by_key = {record.key: record for record in wanted}
    markers: dict[Key, RecordSet] = {}
    adopted: list[RecordSet] = []
    for key, marker in (*_marked_by(zone, chosen.owner), *_chosen(zone, by_key, chosen)):
        if marker.key not in markers and marker_owner(zone, key) != zone.owner:
            markers[marker.key] = marker
            adopted += [zone.live[key]] if key in zone.live else []
    warnings = tuple(_refused(zone, by_key, chosen))
    return Settled(final=markers, dropped=frozenset(), warnings=warnings, adopted=tuple(adopted))


def _marked_by(zone: Zone, owner: str) -> Iterator[tuple[Key, RecordSet]]:
    for (name, record_type), marker in sorted(zone.live.items()):
        if owner and record_type == "TXT" and is_marker(name):
            key = marked_key(name)
            if marker_owner(zone, key) == owner:
                yield key, remarked(zone, marker, key)


def _chosen(zone: Zone, wanted: Mapping[Key, RecordSet], chosen: Chosen) -> Iterator[tuple[Key, RecordSet]]:
    for key, record in wanted.items():
        live = zone.live.get(key)
        if live is None:
            continue
        is_same = set(record.values) <= set(live.values) if key[1] == "TXT" else set(record.values) == set(live.values)
        if key in chosen.keys or (chosen.as_wanted and is_same):
            ours = _taken(record, live)
            if ours.values:
                yield key, marker_for(zone, ours)


def _taken(record: RecordSet, live: RecordSet) -> RecordSet:
    """A TXT set is shared: of it, the values that ours are, or would be a second one of the same version beside."""
    if record.type != "TXT":
        return live
    tags = {version_tag(value) for value in record.values} - {""}
    values = tuple(value for value in live.values if value in record.values or version_tag(value) in tags)
    return RecordSet(name=live.name, type=live.type, values=values, ttl_s=live.ttl_s)


def _refused(zone: Zone, wanted: Mapping[Key, RecordSet], chosen: Chosen) -> Iterator[PlanWarning]:
    for key in chosen.keys:
        subject = f"dns_record {key[0]} {key[1]}"
        if key not in wanted:
            yield PlanWarning(subject=subject, text="the spec asks for no such record; left alone")
        elif key not in zone.live:
            yield PlanWarning(subject=subject, text="is not there; apply makes it")
        elif marker_owner(zone, key) == zone.owner:
            yield PlanWarning(subject=subject, text="is this server's already")
        elif not _taken(wanted[key], zone.live[key]).values:
            yield PlanWarning(subject=subject, text="holds no value that the spec's would replace; apply adds to it")
