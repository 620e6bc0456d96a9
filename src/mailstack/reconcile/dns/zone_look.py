"""How the records of one zone stand: what the spec wants, what its provider holds, and what name servers show of it.

For looking: of each record in one word what a plan, its warnings and a check say of it together. Writes nothing.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from mailstack.model.errors import DomainError
from mailstack.model.resource import Kind, Operation
from mailstack.reconcile.dns.check import Finding, Standing, is_made_by_apply, summary
from mailstack.reconcile.dns.health import Remark, delegation
from mailstack.reconcile.dns.live import LiveDns
from mailstack.reconcile.dns.material import MATERIAL_KINDS
from mailstack.reconcile.dns.ownership import Zone, marker_owner
from mailstack.reconcile.dns.record_set import RecordSet
from mailstack.reconcile.dns.survey import TO_COME, finding_of
from mailstack.reconcile.dns.targets import DnsContext, zone_targets
from mailstack.reconcile.dns.zones import PlacedRecord
from mailstack.spec.faults import SpecInvalid
from mailstack.spec.sections.domains import MANUAL_PROVIDER

if TYPE_CHECKING:
    from mailstack.reconcile.dns.zone_plan import ZonePlan

LOOKED_AT = (*MATERIAL_KINDS, Kind.DNS_ZONE)
"""Of the state."""


class RecordState(StrEnum):
    OK = "ok"
    WAITING = "waiting"  # published, or about to be, and not seen everywhere yet
    MISSING = "missing"
    DIFFERS = "differs"
    NOT_OURS = "not ours"  # somebody else's record is in the way
    UNKNOWN = "unknown"  # nobody could be asked


class Owner(StrEnum):
    """Who keeps a record set: by the mark beside it, where a provider publishes it."""

    MAILSTACK = "mailstack"
    ANOTHER = "another mailstack"
    SOMEBODY = "somebody else"
    PERSON = "you"
    NOBODY = ""  # it is not there, or its provider does not say


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What the provider of a zone holds, and would change."""

    plan: "ZonePlan"
    zone: Zone


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordLook:
    """told: what is wrong, "" where nothing is. published: what its provider holds, None where no provider is asked."""

    item: PlacedRecord
    finding: Finding
    state: RecordState
    told: str
    owner: Owner
    published: tuple[str, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneLook:
    """failure: why its provider could not be asked, "" where it was, or where there is none."""

    records: tuple[RecordLook, ...]
    remarks: tuple[Remark, ...]
    failure: str


async def look_at_zone(context: DnsContext, zone: str, records: Sequence[PlacedRecord], live_dns: LiveDns) -> ZoneLook:
    """records: every one of the spec. zone: "" for names in none of it. What cannot be asked is told."""
    meant = [item for item in records if item.zone == zone]
    asking = asyncio.gather(*(finding_of(live_dns, item) for item in meant))
    held: Held | None = None
    failure = ""
    try:
        held = await _held(context, zone, meant)
    except DomainError as fault:
        failure = fault.detail
    except SpecInvalid as invalid:
        failure = invalid.lines()[0]
    findings = await asking
    remark = None if held is None else await delegation(context.spec, live_dns, zone, held.plan.nameservers)
    return ZoneLook(
        records=tuple(
            _as_seen(item, finding, Owner.PERSON if item.reason or not failure else Owner.NOBODY)
            if item.reason or held is None
            else _of_provider(item, finding, held)
            for item, finding in zip(meant, findings, strict=True)
        ),
        remarks=() if remark is None else (remark,),
        failure=failure,
    )


async def _held(context: DnsContext, zone: str, meant: Sequence[PlacedRecord]) -> Held | None:
    """None where people publish it. Raises DomainError, SpecInvalid."""
    entry = context.spec.dns.zones.get(zone)
    if entry is None or entry.provider == MANUAL_PROVIDER:
        return None
    from mailstack.reconcile.dns.zone_plan import look_at_zone as look

    records = tuple(item.record for item in meant if not item.reason)
    (target,) = zone_targets(context, {zone: records}, {zone: entry.provider})
    able = tuple(record for record in records if record.type in target.provider.SUPPORTS)
    plan, found = await asyncio.to_thread(look, replace(target, wanted=able), context.owner)
    return Held(plan=plan, zone=found)


def _as_seen(item: PlacedRecord, finding: Finding, owner: Owner) -> RecordLook:
    """Of no provider, or of one that says nothing."""
    state = _seen(finding)
    told = "" if state is RecordState.OK else _told(finding)
    return RecordLook(item=item, finding=finding, state=state, told=told, owner=owner, published=None)


def _of_provider(item: PlacedRecord, finding: Finding, held: Held) -> RecordLook:
    record = finding.record
    live = held.zone.live.get(record.key)
    state, told = _published(finding, held)
    return RecordLook(
        item=item,
        finding=finding,
        state=state,
        told=told,
        owner=_owner(held.zone, record),
        published=() if live is None else live.values,
    )


def _published(finding: Finding, held: Held) -> tuple[RecordState, str]:
    """What is wrong at the provider comes before what is seen: name servers show no more than it holds."""
    record = finding.record
    name = f"{record.name} {record.type}"
    if is_made_by_apply(record):
        return RecordState.WAITING, TO_COME
    for warning in held.plan.warnings:
        if warning.subject == f"dns_record {name}":
            return RecordState.NOT_OURS, warning.text
    if (operation := _operations(held).get(name)) is not None:
        is_new = operation is Operation.CREATE
        return (RecordState.MISSING if is_new else RecordState.DIFFERS), "apply publishes it"
    state = _seen(finding)
    if state in (RecordState.MISSING, RecordState.DIFFERS):
        return RecordState.WAITING, f"published, and not seen everywhere yet: {summary(finding)}"
    if state is RecordState.UNKNOWN and finding.is_skipped:
        return RecordState.OK, ""
    return state, "" if state is RecordState.OK else _told(finding)


def _operations(held: Held) -> Mapping[str, Operation]:
    return {change.name: change.operation for change in held.plan.changes}


def _owner(zone: Zone, record: RecordSet) -> Owner:
    mark = marker_owner(zone, record.key)
    if mark:
        return Owner.MAILSTACK if mark == zone.owner else Owner.ANOTHER
    return Owner.SOMEBODY if record.key in zone.live else Owner.NOBODY


def _seen(finding: Finding) -> RecordState:
    if is_made_by_apply(finding.record):
        return RecordState.WAITING
    return _STATES[finding.standing]


def _told(finding: Finding) -> str:
    return TO_COME if is_made_by_apply(finding.record) else summary(finding)


_STATES = {
    Standing.PRESENT: RecordState.OK,
    Standing.MISSING: RecordState.MISSING,
    Standing.DIFFERS: RecordState.DIFFERS,
    Standing.UNKNOWN: RecordState.UNKNOWN,
}
