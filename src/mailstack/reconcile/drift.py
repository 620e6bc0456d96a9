"""What has changed behind the spec's back since the last apply: the live state against what was applied. Pure.

Not what an edited spec asks for: that is a plan. While the spec is the one that was applied, whatever a plan of it
would put right has drifted, but for what is due by the clock; otherwise the zones are held to what was published. Zones
that people publish are held to what was asked of them, by what their servers show.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from typing_extensions import TypedDict  # pydantic reads the standard one only from Python 3.12 on

from mailstack.model.ids import Generation
from mailstack.model.instant import Instant, iso
from mailstack.model.resource import Kind, Operation, Snapshot
from mailstack.reconcile.diff import Step
from mailstack.reconcile.dns.check import Finding, Standing, summary
from mailstack.reconcile.dns.ownership import MARK_RENEWED
from mailstack.reconcile.plan import (
    Change,
    ChangeDocument,
    Mark,
    PlanWarning,
    WarningDocument,
    change_document,
    warning_document,
)

NOT_AS_APPLIED = "not as it was applied"
SOURCE_CHANGED = "the file or secret that the spec refers to has changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class UserField:
    """Written by its user: known and left alone, so no drift."""

    kind: Kind
    name: str
    field: str
    since: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpublished:
    """A record set of what people publish that is not everywhere as it was asked for. told: where it is not, and what
    is there instead."""

    zone: str
    name: str
    type: str
    standing: str
    told: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """changes: what would put it right. by_hand: what only people can. is_edited: the spec is no longer the one that
    was applied."""

    generation: Generation
    changes: tuple[Change, ...]
    by_user: tuple[UserField, ...]
    by_hand: tuple[Unpublished, ...] = ()
    warnings: tuple[PlanWarning, ...] = ()
    is_edited: bool = False

    @property
    def is_any(self) -> bool:
        return bool(self.changes or self.by_hand)


class UserFieldDocument(TypedDict):
    kind: str
    name: str
    field: str
    since: str


class UnpublishedDocument(TypedDict):
    """standing: missing or differs."""

    zone: str
    name: str
    type: str
    standing: str
    told: str


class DriftDocument(TypedDict):
    """What `mailstack drift --format json` prints."""

    generation: int
    spec_edited: bool
    changes: list[ChangeDocument]
    by_user: list[UserFieldDocument]
    by_hand: list[UnpublishedDocument]
    warnings: list[WarningDocument]


def drifted_steps(steps: Sequence[Step]) -> tuple[Step, ...]:
    """Of a spec that is applied: certificates and secrets that are read from elsewhere, and are others there now."""
    return tuple(_drifted(step) if _is_read_elsewhere(step) else step for step in steps)


def drifted_records(records: Iterable[Change], due: Collection[str] = ()) -> Iterator[Change]:
    """With those that another version of mailstack would write otherwise, and those that are due by name: no drift."""
    for change in records:
        is_drift = change.reason != MARK_RENEWED and change.name not in due
        yield replace(change, reason=NOT_AS_APPLIED, drift=True) if is_drift else change


def unpublished(findings: Sequence[Finding]) -> Iterator[Unpublished]:
    for finding in findings:
        if finding.standing in (Standing.MISSING, Standing.DIFFERS):
            record = finding.record
            yield Unpublished(
                zone=finding.zone,
                name=record.name,
                type=record.type,
                standing=finding.standing.value,
                told=summary(finding),
            )


def fields_of_users(live: Snapshot) -> Iterator[UserField]:
    for (kind, name), resource in sorted(live.resources.items()):
        for field, since in sorted(resource.by_user.items()):
            yield UserField(kind=kind, name=name, field=field, since=since)


def drift_document(drift: Drift) -> DriftDocument:
    return DriftDocument(
        generation=int(drift.generation),
        spec_edited=drift.is_edited,
        changes=[change_document(change) for change in drift.changes],
        by_user=[
            UserFieldDocument(kind=item.kind.value, name=item.name, field=item.field, since=iso(item.since))
            for item in drift.by_user
        ],
        by_hand=[
            UnpublishedDocument(zone=item.zone, name=item.name, type=item.type, standing=item.standing, told=item.told)
            for item in drift.by_hand
        ],
        warnings=[warning_document(item) for item in drift.warnings],
    )


def _is_read_elsewhere(step: Step) -> bool:
    change, resource = step.change, step.wanted.resource
    if change.operation is not Operation.UPDATE or change.reason or step.wanted.made:
        return False
    secrets = (Mark.SECRET, Mark.SECRET_REMOVED)
    return resource.kind is Kind.CERTIFICATE or all(item.mark in secrets for item in change.fields)


def _drifted(step: Step) -> Step:
    return replace(step, change=replace(step.change, reason=SOURCE_CHANGED, drift=True))
