"""The zones to write to: what each should hold of ours, and the octoDNS provider that writes it.

octoDNS is imported only when there is a zone with a provider.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from mailstack.model.published import PublishedSet
from mailstack.model.resource import DnsZoneBody, Kind, Snapshot, body_of
from mailstack.reconcile.dns.material import Material
from mailstack.reconcile.dns.ownership import settle, settle_some, settle_unlabelled
from mailstack.reconcile.dns.record_set import PROOF_LABEL, Key, RecordSet
from mailstack.reconcile.dns.records import wanted_records
from mailstack.reconcile.dns.zones import PlacedRecord, place
from mailstack.reconcile.plan import PlanWarning
from mailstack.reconcile.wanted import FaultAt, Resolve
from mailstack.spec.faults import Fault, SpecInvalid
from mailstack.spec.model import Spec
from mailstack.spec.sections.domains import MANUAL_PROVIDER

if TYPE_CHECKING:
    from mailstack.reconcile.dns.octo import OctoProvider
    from mailstack.reconcile.dns.zone_plan import ZoneTarget


GONE_FOR_GOOD = (
    "--no-dns leaves DNS out; the zone has left dns.zones, and mailstack's records are to leave it: where it is gone"
    " for good, `mailstack dns forget SPEC {}`"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FromSpec:
    """DNS as the spec's `dns` says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneFiles:
    """Every domain's zone goes to a file in directory, whatever the spec's `dns` says; nothing leaves the machine."""

    directory: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class NoDns:
    """DNS is neither read nor written; zones that the state knows already are left as they are there. may_order: for
    certificates whose proof needs no DNS of ours, what is there already has to do."""

    may_order: bool = False


DnsMode = FromSpec | ZoneFiles | NoDns


def is_silent(mode: DnsMode) -> bool:
    """Nothing outside of this machine is to be asked."""
    return isinstance(mode, NoDns) and not mode.may_order


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsContext:
    """What reading and writing zones needs besides records. owner: owner_id, or "" before there is a store. is_proving:
    an order is under way somewhere, and its proofs in the zones are left alone. published: what the zones were meant to
    hold so far, None where the spec is not the one that was applied. leaves_drift: only what is to differ from that is
    written, and what somebody changed there stays."""

    spec: Spec
    live: Snapshot
    owner: str
    resolve: Resolve
    directory: Path
    fault_at: FaultAt
    mode: DnsMode
    is_proving: bool = False
    published: Mapping[str, Sequence[PublishedSet]] | None = None
    leaves_drift: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """leaving: zones that are no longer in the spec, and only lose records. supported: as zones.place takes it.
    warnings: zones that nothing can be done for. due: what is to differ from what was published.
    """

    zones: tuple["ZoneTarget", ...]
    leaving: frozenset[str]
    by_hand: tuple[PlacedRecord, ...]
    supported: Mapping[str, Collection[str]]
    warnings: tuple[PlanWarning, ...]
    due: frozenset[Key]


def targets_of(context: DnsContext, material: Material) -> Targets:
    """Raises SpecInvalid for what of dns.providers cannot be used."""
    leaving, left_behind = _leaving(context)
    dns = context.spec.dns
    names = {zone: entry.provider for zone, entry in dns.zones.items() if entry.provider != MANUAL_PROVIDER}
    names |= leaving
    providers = _built(context, frozenset(names.values()))
    supported = {zone: providers[name].SUPPORTS for zone, name in names.items()}
    placed = place(wanted_records(context.spec, material), dns, supported)
    wanted = {**placed.by_zone, **dict.fromkeys(leaving, ())}
    published = context.published or {}
    due = frozenset(key for zone in wanted for key in _changing(wanted[zone], published.get(zone, ())))
    zones = tuple(
        replace(target, way_out=GONE_FOR_GOOD.format(target.zone)) if target.zone in leaving else target
        for target in _zone_targets(context, wanted, names, providers)
    )
    return Targets(
        zones=tuple(_due_alone(zone, due) for zone in zones) if context.leaves_drift else zones,
        leaving=frozenset(leaving),
        by_hand=placed.by_hand,
        supported=supported,
        warnings=left_behind,
        due=due,
    )


def _due_alone(target: "ZoneTarget", due: frozenset[Key]) -> "ZoneTarget":
    return replace(target, settling=partial(settle_some, due.__contains__))


def _changing(wanted: Sequence[RecordSet], published: Sequence[PublishedSet]) -> frozenset[Key]:
    now = {record.key: (record.ttl_s, sorted(record.values)) for record in wanted}
    before = {(one.name, one.type): (one.ttl_s, sorted(one.values)) for one in published}
    return frozenset(key for key in now.keys() | before.keys() if now.get(key) != before.get(key))


def zone_targets(
    context: DnsContext, wanted: Mapping[str, tuple[RecordSet, ...]], names: Mapping[str, str]
) -> tuple["ZoneTarget", ...]:
    """names: of providers, by zone. Raises SpecInvalid as targets_of."""
    return _zone_targets(context, wanted, names, _built(context, frozenset(names[zone] for zone in wanted)))


def _zone_targets(
    context: DnsContext,
    wanted: Mapping[str, tuple[RecordSet, ...]],
    names: Mapping[str, str],
    providers: Mapping[str, "OctoProvider"],
) -> tuple["ZoneTarget", ...]:
    if not wanted:
        return ()
    from mailstack.reconcile.dns.zone_plan import ZoneTarget

    settling = partial(settle_unlabelled, PROOF_LABEL) if context.is_proving else settle
    return tuple(
        ZoneTarget(
            zone=zone,
            provider_name=names[zone],
            provider=providers[names[zone]],
            wanted=records,
            settling=settling,
        )
        for zone, records in wanted.items()
    )


def _built(context: DnsContext, names: Collection[str]) -> Mapping[str, "OctoProvider"]:
    if not names:
        return {}
    from mailstack.reconcile.dns.providers import Surroundings, build_provider

    around = Surroundings(resolve=context.resolve, directory=context.directory, fault_at=context.fault_at)
    built: dict[str, OctoProvider] = {}
    faults: list[Fault] = []
    for name in sorted(names):
        try:
            built[name] = build_provider(name, context.spec.dns.providers[name], around)
        except SpecInvalid as invalid:
            faults += invalid.faults
    if faults:
        raise SpecInvalid(faults)
    return built


def _leaving(context: DnsContext) -> tuple[Mapping[str, str], tuple[PlanWarning, ...]]:
    """Zones that are managed and no longer in the spec, with their provider; and those that nothing can be done for."""
    leaving: dict[str, str] = {}
    warnings: list[PlanWarning] = []
    for (kind, zone), resource in context.live.resources.items():
        if kind is not Kind.DNS_ZONE:
            continue
        held, now = body_of(DnsZoneBody, resource), context.spec.dns.zones.get(zone)
        if held.provider == MANUAL_PROVIDER or (now is not None and now.provider == held.provider):
            continue
        if now is None and held.provider in context.spec.dns.providers:
            leaving[zone] = held.provider
        elif not isinstance(context.mode, ZoneFiles):  # which takes every provider's place on purpose
            # A zone that moves is still asked for at the old provider until its delegation has changed.
            why = "is gone from dns.providers" if now is None else "no longer publishes the zone"
            text = f"{held.provider} {why}: the records that mailstack wrote there stay; delete them by hand"
            warnings.append(PlanWarning(subject=f"dns_zone {zone}", text=text))
    return leaving, tuple(warnings)
