"""Which fields are the spec's and which their user's, and what that means for a plan. Pure.

A field is the spec's until its user writes it. What a user wrote stays until the spec says something else of the field
than it said before: then the spec has the last word, and the plan says whose value goes.
"""

from collections.abc import Sequence
from dataclasses import replace

from mailstack.model.resource import Resource, Snapshot
from mailstack.reconcile.diff import Step
from mailstack.reconcile.plan import FieldChange
from mailstack.reconcile.wanted import Wanted


def leave_to_users(desired: Sequence[Wanted], live: Snapshot) -> tuple[Wanted, ...]:
    """A secret that the spec no longer gives is its user's alone: what is known of the spec's stays as it is."""
    by_user = {key: resource for key, resource in live.resources.items() if resource.by_user}
    if not by_user:
        return tuple(desired)
    return tuple(_left(item, by_user.get((item.resource.kind, item.resource.name))) for item in desired)


def name_owners(steps: Sequence[Step], live: Snapshot) -> tuple[Step, ...]:
    """The steps with the users named whose values they write over. live: moved resources under their new names."""
    return tuple(_named(step, live.resources.get((step.wanted.resource.kind, step.change.name))) for step in steps)


def _left(item: Wanted, held: Resource | None) -> Wanted:
    if held is None:
        return item
    kept = {name: held.digests[name] for name in held.by_user if name in held.digests}
    missing = kept.keys() - item.resource.digests.keys()
    if not missing:
        return item
    digests = {**item.resource.digests, **{name: kept[name] for name in missing}}
    return replace(item, resource=replace(item.resource, digests=digests))


def _named(step: Step, held: Resource | None) -> Step:
    if held is None or not held.by_user:
        return step
    fields = tuple(_owned(item, held) for item in step.change.fields)
    return replace(step, change=replace(step.change, fields=fields))


def _owned(item: FieldChange, held: Resource) -> FieldChange:
    return replace(item, by_user_since=held.by_user.get(item.name))
