"""DNS for the reconciler: which zones there are to plan, their plans, and writing them until they are seen.

octoDNS is imported only when there is a zone with a provider.
"""

import asyncio
import hashlib
import hmac
from collections.abc import Collection, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from mailstack.model.errors import Conflict, DomainError, TryAgainLater
from mailstack.model.published import PublishedSet
from mailstack.model.resource import DnsZoneBody, Kind, Operation, body_of
from mailstack.reconcile.dns.adoption import Chosen, take_over
from mailstack.reconcile.dns.material import Material
from mailstack.reconcile.dns.ownership import settle_labelled
from mailstack.reconcile.dns.record_set import PROOF_LABEL, RecordSet
from mailstack.reconcile.dns.targets import DnsContext, targets_of, zone_targets
from mailstack.reconcile.dns.zones import PlacedRecord, zone_of
from mailstack.reconcile.plan import PlanWarning
from mailstack.reconcile.progress import Progress, ZoneVerified, ZoneWritten
from mailstack.spec.model import Spec
from mailstack.spec.sections.domains import MANUAL_PROVIDER, Provider, Zone

if TYPE_CHECKING:
    from mailstack.reconcile.dns.zone_plan import ZonePlan, ZoneTarget

VERIFY_AFTER_S = (0.0, 0.2, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Providers answer an update before every one of their machines shows it."""
WRITTEN_AT_ONCE = 8
NAMED = 20
"""More than these are counted instead of named."""
ZONE_FILES = "zonefiles"


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsWork:
    """leaving: zones that are no longer in the spec, and only lose records. supported: as zones.place takes it.
    due: records, as changes name them, that are to differ from what was published."""

    plans: tuple["ZonePlan", ...]
    leaving: frozenset[str]
    by_hand: tuple[PlacedRecord, ...]
    supported: Mapping[str, Collection[str]]
    warnings: tuple[PlanWarning, ...]
    due: frozenset[str] = frozenset()


NO_DNS_WORK = DnsWork(plans=(), leaving=frozenset(), by_hand=(), supported={}, warnings=())


def owner_id(digest_key: bytes) -> str:
    """Tells this server's records from another one's; says nothing about the key."""
    return hmac.digest(digest_key, b"dns owner", hashlib.sha256).hex()[:16]


def with_zone_files(spec: Spec, directory: Path) -> Spec:
    names = dict.fromkeys(spec.dns.zones)
    own_names = (*spec.domains, *spec.dns.no_mail, spec.server.hostname)
    for name in sorted(own_names, key=lambda name: name.count(".")):
        if zone_of(name, names) is None:
            names[name] = None
    provider = Provider.model_validate(
        {"class": "mailstack.reconcile.dns.zone_file.ZoneFileProvider", "directory": str(directory)}
    )
    held = Zone(provider=ZONE_FILES)
    zones = {name: spec.dns.zones.get(name, held).model_copy(update={"provider": ZONE_FILES}) for name in names}
    dns = spec.dns.model_copy(update={"providers": {ZONE_FILES: provider}, "zones": zones})
    return spec.model_copy(update={"dns": dns})


async def plan_dns(context: DnsContext, material: Material) -> DnsWork:
    """Raises TryAgainLater with zone and reason when a provider cannot be asked."""
    targets = targets_of(context, material)
    plans = await _planned(targets.zones, context.owner)
    found = (item for plan in plans for item in plan.warnings)
    return DnsWork(
        plans=plans,
        leaving=targets.leaving,
        by_hand=targets.by_hand,
        supported=targets.supported,
        warnings=(*targets.warnings, *_policy_warnings(context.spec), *found),
        due=frozenset(f"{name} {record_type}" for name, record_type in targets.due),
    )


async def publish(context: DnsContext, material: Material, planned: Sequence["ZonePlan"], progress: Progress) -> None:
    """Writes the zones that were planned, each planned anew with keys that now exist, several at a time.

    A zone that fails leaves the others to be done. Raises Conflict when a zone's records of ours have moved since,
    TryAgainLater when a write is not seen; of several zones, with all that failed and what was done.
    """
    by_zone = {plan.zone: plan for plan in planned}
    targets = [target for target in targets_of(context, material).zones if target.zone in by_zone]
    slots, outcomes = asyncio.Semaphore(WRITTEN_AT_ONCE), dict[str, DomainError | None]()

    async def write(target: "ZoneTarget") -> None:
        async with slots:
            await _publish_zone(target, by_zone[target.zone], context.owner, progress)

    for group in _one_after_another(targets, by_zone, context.spec.server.hostname):
        # All of them to their end: a zone must not be left half written because another one failed.
        found = await asyncio.gather(*map(write, group), return_exceptions=True)
        for target, fault in zip(group, found, strict=True):
            if fault is not None and not isinstance(fault, DomainError):
                raise fault
            outcomes[target.zone] = fault
        if any(outcomes.values()):
            break
    _raise_failed(outcomes, [target.zone for target in targets if target.zone not in outcomes])


def _one_after_another(
    targets: Sequence["ZoneTarget"], by_zone: Mapping[str, "ZonePlan"], hostname: str
) -> Iterator[Sequence["ZoneTarget"]]:
    """Groups of zones that do not depend on each other: where the host's name is new, MX records of other zones lead
    nowhere until it is there."""
    new = (Operation.CREATE, frozenset((f"{hostname} A", f"{hostname} AAAA")))
    brings_host = {
        zone: any(change.operation is new[0] and change.name in new[1] for change in plan.changes)
        for zone, plan in by_zone.items()
    }
    for is_first in (True, False):
        if group := [target for target in targets if brings_host[target.zone] is is_first]:
            yield group


def _raise_failed(outcomes: Mapping[str, DomainError | None], waiting: Sequence[str]) -> None:
    """outcomes: by zone, None for one that is done. waiting: zones that were not begun."""
    faults = [fault for fault in outcomes.values() if fault is not None]
    if not faults:
        return
    done = [zone for zone, fault in outcomes.items() if fault is None]
    told = [
        *(fault.detail for fault in faults),
        *([f"written all the same: {_named(done)}"] if done else []),
        *([f"not begun before that: {_named(waiting)}"] if waiting else []),
    ]
    # Another plan is what helps only where nothing but the zones themselves stood in the way.
    worst = next((fault for fault in faults if not isinstance(fault, Conflict)), faults[0])
    raise type(worst)("; ".join(told)) from worst


def _named(zones: Sequence[str]) -> str:
    more = f" and {len(zones) - NAMED} more" if len(zones) > NAMED else ""
    return ", ".join(zones[:NAMED]) + more


async def plan_published(context: DnsContext, published: Mapping[str, Sequence[PublishedSet]]) -> DnsWork:
    """The zones held to what was published in them last, by the providers that they had then; for looking only."""
    held = _providers_then(context)
    asked = {zone: provider for zone, provider in held.items() if provider != MANUAL_PROVIDER and zone in published}
    known = {zone: provider for zone, provider in asked.items() if provider in context.spec.dns.providers}
    records = {zone: tuple(map(_as_record, published[zone])) for zone in known}
    plans = await _planned(zone_targets(context, records, known), context.owner)
    unknown = tuple(
        PlanWarning(subject=f"dns_zone {zone}", text=f"{provider} is gone from dns.providers and cannot be asked")
        for zone, provider in asked.items()
        if zone not in known
    )
    warnings = (*unknown, *(item for plan in plans for item in plan.warnings))
    return DnsWork(plans=plans, leaving=frozenset(), by_hand=(), supported={}, warnings=warnings)


def published_by_hand(context: DnsContext, published: Mapping[str, Sequence[PublishedSet]]) -> tuple[PlacedRecord, ...]:
    """What people were asked to publish last, in the zones that were theirs then."""
    manual = (zone for zone, provider in _providers_then(context).items() if provider == MANUAL_PROVIDER)
    return tuple(
        PlacedRecord(zone=zone, record=_as_record(item)) for zone in manual for item in published.get(zone, ())
    )


def _providers_then(context: DnsContext) -> Mapping[str, str]:
    """By zone, as of the last apply."""
    return {
        name: body_of(DnsZoneBody, resource).provider
        for (kind, name), resource in context.live.resources.items()
        if kind is Kind.DNS_ZONE
    }


async def plan_adoption(
    context: DnsContext, material: Material, chosen: Chosen
) -> "tuple[tuple[ZoneTarget, ZonePlan], ...]":
    """For every zone with a provider: what would be marked as ours there, and nothing else."""
    targets = tuple(
        replace(target, settling=partial(take_over, chosen=_in_zone(chosen, target.zone, context.spec.dns.zones)))
        for target in targets_of(context, material).zones
    )
    return tuple(zip(targets, await _planned(targets, context.owner), strict=True))


def _in_zone(chosen: Chosen, zone: str, zones: Container[str]) -> Chosen:
    return replace(chosen, keys=tuple(key for key in chosen.keys if zone_of(key[0], zones) == zone))


async def write_adoption(planned: "Sequence[tuple[ZoneTarget, ZonePlan]]") -> None:
    from mailstack.reconcile.dns.zone_plan import write_zone

    for target, plan in planned:
        await asyncio.to_thread(write_zone, target, plan)


def published_sets(records: Sequence[RecordSet]) -> tuple[PublishedSet, ...]:
    sets = (
        PublishedSet(name=one.name, type=one.type, ttl_s=one.ttl_s, values=tuple(sorted(one.values))) for one in records
    )
    return tuple(sorted(sets))


def _as_record(published: PublishedSet) -> RecordSet:
    return RecordSet(name=published.name, type=published.type, values=published.values, ttl_s=published.ttl_s)


async def write_proofs(
    context: DnsContext, material: Material, proofs: Sequence[RecordSet], zones: Collection[str]
) -> None:
    """Has these zones hold these proofs and no other of ours, and leaves all else in them as it is: what a person
    changed there since is for a plan to show. Called without proofs, it takes them away.

    Raises Invalid, TryAgainLater.
    """
    from mailstack.reconcile.dns.zone_plan import write_zone

    for target in targets_of(context, material).zones:
        if target.zone in zones:
            wanted = tuple(record for record in proofs if zone_of(record.name, context.spec.dns.zones) == target.zone)
            held = replace(target, wanted=wanted, settling=partial(settle_labelled, PROOF_LABEL))
            (plan,) = await _planned((held,), context.owner)
            await asyncio.to_thread(write_zone, held, plan)


async def _publish_zone(target: "ZoneTarget", planned: "ZonePlan", owner: str, progress: Progress) -> None:
    from mailstack.reconcile.dns.zone_plan import write_zone

    (fresh,) = await _planned((target,), owner)
    shown = {(change.operation, change.name) for change in planned.changes}
    # A name that was somebody else's when the plan was made may be free by now.
    is_shown = shown.issuperset((change.operation, change.name) for change in fresh.changes)
    if fresh.live_hash != planned.live_hash or not is_shown:
        raise Conflict(f"DNS zone {target.zone} changed since the plan was made; plan again")
    await asyncio.to_thread(write_zone, target, fresh)
    progress(ZoneWritten(zone=target.zone, changes=len(fresh.changes)))
    for delay_s in VERIFY_AFTER_S:
        await asyncio.sleep(delay_s)
        (fresh,) = await _planned((target,), owner)
        if fresh.octo_plan is None:
            progress(ZoneVerified(zone=target.zone))
            return
    names = ", ".join(change.name for change in fresh.changes)
    raise TryAgainLater(f"DNS zone {target.zone} was written, and still differs: {names}")


async def _planned(targets: Sequence["ZoneTarget"], owner: str) -> tuple["ZonePlan", ...]:
    if not targets:
        return ()
    from mailstack.reconcile.dns.zone_plan import plan_zones

    return await asyncio.to_thread(plan_zones, targets, owner)


def _policy_warnings(spec: Spec) -> tuple[PlanWarning, ...]:
    # RFC 8461 §3.3: the record alone says nothing; senders fetch the policy over HTTPS.
    text = "listeners.https is off: another web server must have https://mta-sts.{0}/.well-known/mta-sts.txt"
    if spec.server.listeners.https:
        return ()
    return tuple(
        PlanWarning(subject=f"domain {name}", text=text.format(name))
        for name, domain in spec.domains.items()
        if domain.mta_sts
    )
