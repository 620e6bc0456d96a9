"""Desired against live: which resources to create, change and destroy, field by field. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from mailstack.model.resource import Json, Operation, Resource, Snapshot
from mailstack.reconcile.plan import Change, FieldChange, Mark
from mailstack.reconcile.wanted import Wanted

_MOMENTS = frozenset({"key_since", "next_key_made", "next_key_since", "last_key_since"})
"""Of a certificate, what holds the moment of the planning: apply plans anew, and has another one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One change and what apply needs for it. For a destruction, wanted holds the live resource."""

    change: Change
    wanted: Wanted


def diff(desired: Sequence[Wanted], live: Snapshot, endings: Mapping[str, str] | None = None) -> tuple[Step, ...]:
    """endings: why resources that are no longer desired go, by name, where that is worth a word."""
    steps: list[Step] = []
    reasons = endings or {}
    kept = set()
    for wanted in desired:
        key = (wanted.resource.kind, wanted.resource.name)
        kept.add(key)
        old = live.resources.get(key)
        if old is None:
            steps.append(_step(Operation.CREATE, wanted, tuple(_created(wanted))))
        elif changed := tuple(_changed(old, wanted)):
            steps.append(_step(Operation.UPDATE, wanted, changed))
    for key, resource in live.resources.items():
        if key not in kept:
            steps.append(_step(Operation.DESTROY, Wanted(resource=resource, reason=reasons.get(resource.name, "")), ()))
    return tuple(steps)


def _step(operation: Operation, wanted: Wanted, fields: tuple[FieldChange, ...]) -> Step:
    resource = wanted.resource
    change = Change(
        operation=operation, kind=resource.kind.value, name=resource.name, fields=fields, reason=wanted.reason
    )
    return Step(change=change, wanted=wanted)


def _created(wanted: Wanted) -> Iterator[FieldChange]:
    for name, value in wanted.resource.fields.items():
        if name in wanted.made or (name in _MOMENTS and value):
            yield FieldChange(name=name, mark=Mark.UNKNOWN)
        elif not _says_nothing(value):
            yield FieldChange(name=name, new=value)
    for name in _secret_names(wanted):
        yield FieldChange(name=name, mark=Mark.SECRET)


def _changed(old: Resource, wanted: Wanted) -> Iterator[FieldChange]:
    new = wanted.resource
    if not wanted.made and old.fields == new.fields and old.digests == new.digests:
        return  # the usual case, ten thousand times in a plan
    for name in dict.fromkeys((*old.fields, *new.fields)):
        before, after = old.fields.get(name), new.fields.get(name)
        if name in wanted.made or (name in _MOMENTS and after and before != after):
            yield FieldChange(name=name, old=before, mark=Mark.UNKNOWN)
        elif before != after and (name in old.fields or not _says_nothing(after)):
            yield FieldChange(name=name, old=before, new=after)
    for name in dict.fromkeys((*old.digests, *_secret_names(wanted))):
        is_made = name in wanted.made
        if not is_made and name not in new.digests:
            yield FieldChange(name=name, mark=Mark.SECRET_REMOVED)
        elif is_made or old.digests.get(name) != new.digests[name]:
            yield FieldChange(name=name, mark=Mark.SECRET)


def _secret_names(wanted: Wanted) -> tuple[str, ...]:
    made = (name for name in wanted.made if name not in wanted.resource.fields)
    return tuple(dict.fromkeys((*wanted.resource.digests, *made)))


def _says_nothing(value: Json) -> bool:
    return value is None or value == "" or value == []
