"""What DNS shows of what the spec wants: asked all at once, within a time, and told as warnings of a plan."""

import asyncio
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from mailstack.reconcile.dns.check import Finding, Standing, is_made_by_apply, judge, summary
from mailstack.reconcile.dns.health import Remark, health
from mailstack.reconcile.dns.live import LiveDns, NotAsked, Seen
from mailstack.reconcile.dns.zones import PlacedRecord
from mailstack.reconcile.plan import PlanWarning
from mailstack.spec.model import Spec

DEADLINE_S = 20.0
"""Of a whole plan's questions: one of thousands of records must not wait for DNS that is gone."""
NAMED = 20
"""More records than these are counted instead of named: of those to publish each is wanted."""
NAMED_UNKNOWN = 3
"""Of those that share one reason, a few will do."""
IN_TIME = "did not answer in time"
TO_COME = "apply makes it"

Answer = TypeVar("Answer")


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
    deadline_s: float = DEADLINE_S,
) -> Survey:
    """nameservers: of zones, as their provider has them. Never raises for what DNS does."""
    if isinstance(live_dns, NotAsked):
        return Survey()
    deadline = asyncio.get_running_loop().time() + deadline_s
    late = Remark(subject="dns", text=IN_TIME, is_good=None)
    remarks, findings = await asyncio.gather(
        _within(deadline, health(spec, live_dns, nameservers), (late,)),
        asyncio.gather(*(_finding(live_dns, item, deadline) for item in records)),
    )
    return Survey(findings=tuple(findings), remarks=remarks)


def plan_warnings(found: Survey) -> tuple[PlanWarning, ...]:
    """Of records that people publish: a zone that lacks many is one warning, a value that harms is one of its own."""
    return tuple(_warnings(found))


async def _finding(live_dns: LiveDns, item: PlacedRecord, deadline: float) -> Finding:
    zone, record = item.zone, item.record
    if is_made_by_apply(record):
        return Finding(zone=zone, record=record, told=TO_COME, is_skipped=True)
    seen = await _within(deadline, live_dns.seen(zone, record.name, record.type), Seen(failure=IN_TIME))
    return judge(zone, record, seen)


async def _within(deadline: float, asking: Awaitable[Answer], otherwise: Answer) -> Answer:
    try:
        async with asyncio.timeout_at(deadline):
            return await asking
    except TimeoutError:
        return otherwise


def _warnings(found: Survey) -> Iterator[PlanWarning]:
    by_zone: dict[str, list[Finding]] = {}
    for finding in found.findings:
        by_zone.setdefault(finding.zone, []).append(finding)
    for zone, findings in by_zone.items():
        yield from _zone_warnings(f"dns_zone {zone}" if zone else "dns", findings)
    for remark in found.remarks:
        if remark.is_good is not True:
            is_unknown = "could not be checked: " if remark.is_good is None else ""
            yield PlanWarning(subject=remark.subject, text=f"{is_unknown}{remark.text}")


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
    for finding in findings:
        if finding.standing is Standing.UNKNOWN and not finding.is_skipped:
            by_reason.setdefault(summary(finding), []).append(finding)
    for reason, those in by_reason.items():
        yield PlanWarning(subject=subject, text=f"could not be asked for {_names(those, NAMED_UNKNOWN)}: {reason}")


def _names(findings: Sequence[Finding], most: int) -> str:
    names = [f"{finding.record.name} {finding.record.type}" for finding in findings]
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
