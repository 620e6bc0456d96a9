"""Accounts under a new name: what `moved` of the spec means for the live state. Pure.

A live account that has moved is compared under its new name, so that only what truly changes is planned; then its
change says where it came from. What has moved already, or never was, is passed over. The script that the spec gives an
account moves with it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from mailstack.model.resource import Kind, Operation, Resource, Snapshot
from mailstack.reconcile.diff import Step
from mailstack.reconcile.plan import Change
from mailstack.reconcile.wanted import Digest, Wanted
from mailstack.spec.model import Spec

Key = tuple[Kind, str]
_MOVING = (Kind.ACCOUNT, Kind.SCRIPT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moves:
    """live: the state as if the moves were done. old_names: of what moves, by kind and new name."""

    live: Snapshot
    old_names: Mapping[Key, str]


def moves_of(spec: Spec, desired: Sequence[Wanted], live: Snapshot, digest: Digest) -> Moves:
    wanted = _movable(desired)
    lives = [name for kind, name in live.resources if kind is Kind.ACCOUNT]
    accounts = {
        new: old
        for old, new in _pairs(spec, lives)
        if (Kind.ACCOUNT, new) in wanted
        and (Kind.ACCOUNT, old) not in wanted
        and (Kind.ACCOUNT, new) not in live.resources
    }
    old_names = {
        (kind, new): old
        for kind in _MOVING
        for new, old in accounts.items()
        if (kind, new) in wanted and (kind, old) in live.resources
    }
    resources = dict(live.resources)
    for (kind, new), old in old_names.items():
        resources[kind, new] = _renamed(resources.pop((kind, old)), wanted[kind, new], digest)
    return Moves(live=replace(live, resources=resources), old_names=old_names)


def with_moves(steps: Sequence[Step], moves: Moves, desired: Sequence[Wanted]) -> tuple[Step, ...]:
    """Moves in place of the updates of what moves, and of nothing where only the name changes."""
    left = dict(moves.old_names)
    found = []
    for step in steps:
        key = (step.wanted.resource.kind, step.change.name)
        old = left.pop(key, "") if step.change.operation is Operation.UPDATE else ""
        found.append(_moved(step, old) if old else step)
    wanted = _movable(desired)
    for (kind, new), old in left.items():
        change = Change(operation=Operation.UPDATE, kind=kind.value, name=new)
        found.append(_moved(Step(change=change, wanted=wanted[kind, new]), old))
    return tuple(found)


def _movable(desired: Sequence[Wanted]) -> dict[Key, Wanted]:
    found = ((item.resource.kind, item) for item in desired)
    return {(kind, item.resource.name): item for kind, item in found if kind in _MOVING}


def _pairs(spec: Spec, lives: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Old and new address of each account that could move. Of two that end at one address, the nearer comes last."""
    table = {moved.from_: moved.to for moved in spec.moved}
    trails = [_trail(login, table) for login in lives]
    for trail in sorted(trails, key=len, reverse=True):
        if len(trail) > 1:
            yield trail[0], trail[-1]


def _trail(login: str, table: Mapping[str, str]) -> list[str]:
    """Through all that moved since; an entry for an account goes before its domain's."""
    trail = [login]
    for _ in table:
        local_part, _, domain = trail[-1].rpartition("@")
        if trail[-1] in table:
            trail.append(table[trail[-1]])
        elif domain in table:
            trail.append(f"{local_part}@{table[domain]}")
        else:
            break
    return trail


def former_logins(spec: Spec, login: str) -> Iterator[str]:
    """What an account was called before the spec moved it, the latest first; nothing where the spec says nothing."""
    for _ in spec.moved:
        local_part, _, domain = login.rpartition("@")
        before = {moved.to: moved.from_ for moved in spec.moved}
        if login in before:
            login = before[login]
        elif domain in before:
            login = f"{local_part}@{before[domain]}"
        else:
            return
        yield login


def _renamed(resource: Resource, wanted: Wanted, digest: Digest) -> Resource:
    """A secret's digest is made with the resource's name: one of the same value stays unchanged under the new name."""
    digests = {
        secret: wanted.resource.digests[secret]
        if secret in wanted.secrets and digest(resource.kind, resource.name, secret, wanted.secrets[secret]) == known
        else known
        for secret, known in resource.digests.items()
    }
    return replace(resource, name=wanted.resource.name, digests=digests)


def _moved(step: Step, old: str) -> Step:
    return replace(step, change=replace(step.change, operation=Operation.MOVE, moved_from=old))
