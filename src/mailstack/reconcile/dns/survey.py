"""What DNS shows of what the spec wants: asked all at once, and told as warnings of a plan.

For how long is whoever asks's to bound: patient.PatientDns.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from mailstack.reconcile.dns.check import Finding, Standing, is_made_by_apply, judge, summary
from mailstack.reconcile.dns.health import Remark, health
from mailstack.reconcile.dns.live import LiveDns, NotAsked
from mailstack.reconcile.dns.zones import PlacedRecord
from mailstack.reconcile.plan import PlanWarning
from mailstack.spec.model import Spec

NAMED = 20
"""More records than these are counted instead of named: of those to publish each is wanted."""
NAMED_UNKNOWN = 3
"""Of those that share one reason, a few will do."""
TO_COME = "apply makes it"
NO_ZONE = "no zone of the spec"


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    findings: tuple[Finding, ...] = ()
    remarks: tuple[Remark, ...] = ()

    @property
    def is_wrong(self) -> bool:
        standings = {finding.standing for finding in self.findings}
        is_bad = any(remark.is_good is False for remark in self.remarks)
        return is_bad or not standings.isdisjoint((Standing.MISSING, Standing.DIFFERS))

    @property
    def is_unsure(self) -> bool:
        """Somebody could not be asked, or something is not made yet."""
        is_unknown = any(remark.is_good is None for remark in self.remarks)
        return is_unknown or any(finding.standing is Standing.UNKNOWN for finding in self.findings)


async def survey(
    spec: Spec,
    live_dns: LiveDns,
    records: Sequence[PlacedRecord],
    nameservers: Mapping[str, tuple[str, ...]],
) -> Survey:
    """nameservers: of zones, as their provider has them. Never raises for what DNS does."""
    if isinstance(live_dns, NotAsked):
        return Survey()
    remarks, findings = await asyncio.gather(
        health(spec, live_dns, nameservers),
        asyncio.gather(*(finding_of(live_dns, item) for item in records)),
    )
    return Survey(findings=tuple(findings), remarks=remarks)


def plan_warnings(found: Survey) -> tuple[PlanWarning, ...]:
    """Of records that people publish: a zone that lacks many is one warning, a value that harms is one of its own."""
    return tuple(_warnings(found))


def unknown_warnings(found: Survey) -> tuple[PlanWarning, ...]:
    """Of those, where nobody could be asked."""
    return plan_warnings(Survey(findings=tuple(filter(_is_unknown, found.findings))))


async def finding_of(live_dns: LiveDns, item: PlacedRecord) -> Finding:
    zone, record = item.zone, item.record
    if is_made_by_apply(record):
        return Finding(zone=zone, record=record, told=TO_COME, is_skipped=True)
    return judge(zone, record, await live_dns.seen(zone, record.name, record.type))


def _warnings(found: Survey) -> Iterator[PlanWarning]:
    by_zone: dict[str, list[Finding]] = {}
    for finding in found.findings:
        if not finding.is_skipped:
            by_zone.setdefault(finding.zone, []).append(finding)
    silent = {zone: findings[0] for zone, findings in by_zone.items() if all(map(_is_unknown, findings))}
    for zone, findings in by_zone.items():
        if zone not in silent:
            yield from _zone_warnings(f"dns_zone {zone}" if zone else "dns", findings)
    yield from _silence(silent)
    for remark in found.remarks:
        if remark.is_good is False:
            yield PlanWarning(subject=remark.subject, text=remark.text)
    unsure: dict[str, list[str]] = {}
    for remark in found.remarks:
        if remark.is_good is None:
            unsure.setdefault(_in_short(remark.text), []).append(remark.subject)
    for reason, subjects in unsure.items():
        yield PlanWarning(subject="dns", text=f"could not be asked about {_listed(subjects, NAMED)}: {reason}")


def _is_unknown(finding: Finding) -> bool:
    return finding.standing is Standing.UNKNOWN


def _silence(silent: Mapping[str, Finding]) -> Iterator[PlanWarning]:
    """Zones of which nothing at all was learned, in one line where they share the reason."""
    by_reason: dict[str, list[str]] = {}
    for zone, finding in silent.items():
        by_reason.setdefault(_in_short(summary(finding)), []).append(f"dns_zone {zone}" if zone else NO_ZONE)
    for reason, zones in by_reason.items():
        text = f"could not be asked about records to publish by hand, in {_listed(zones, NAMED)}: {reason}"
        yield PlanWarning(subject="dns", text=f"{text}; `mailstack dns check` waits longer")


def _in_short(reason: str) -> str:
    """Without which question it was that nobody answered."""
    return reason.partition(" (")[0]


def _zone_warnings(subject: str, findings: Sequence[Finding]) -> Iterator[PlanWarning]:
    missing = [finding for finding in findings if finding.standing is Standing.MISSING]
    if missing:
        yield PlanWarning(
            subject=subject, text=f"to be published by hand, and not everywhere yet: {_names(missing, NAMED)}"
        )
    for finding in findings:
        if finding.standing is Standing.DIFFERS:
            record = finding.record
            yield PlanWarning(subject=f"dns_record {record.name} {record.type}", text=summary(finding))
    by_reason: dict[str, list[Finding]] = {}
    for finding in filter(_is_unknown, findings):
        by_reason.setdefault(summary(finding), []).append(finding)
    for reason, those in by_reason.items():
        yield PlanWarning(subject=subject, text=f"could not be asked for {_names(those, NAMED_UNKNOWN)}: {reason}")


def _names(findings: Sequence[Finding], most: int) -> str:
    return _listed([f"{finding.record.name} {finding.record.type}" for finding in findings], most)


def _listed(names: Sequence[str], most: int) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
