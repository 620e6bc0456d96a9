"""Accounts under a new name: what `moved` of the spec means for the live state. Pure.

A live account that has moved is compared under its new name, so that only what truly changes is planned; then its
change says where it came from. What has moved already, or never was, is passed over.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from mailstack.model.resource import Kind, Operation, Resource, Snapshot
from mailstack.reconcile.diff import Step
from mailstack.reconcile.plan import Change
from mailstack.reconcile.wanted import Digest, Wanted
from mailstack.spec.model import Spec


@dataclass(frozen=True, slots=True, kw_only=True)
class Moves:
    """live: the state as if the moves were done. old_names: of the accounts that move, by the new one."""

    live: Snapshot
    old_names: Mapping[str, str]


def moves_of(spec: Spec, desired: Sequence[Wanted], live: Snapshot, digest: Digest) -> Moves:
    wanted = {item.resource.name: item for item in desired if item.resource.kind is Kind.ACCOUNT}
    lives = [name for kind, name in live.resources if kind is Kind.ACCOUNT]
    old_names = {
        new: old
        for old, new in _pairs(spec, lives)
        if new in wanted and old not in wanted and (Kind.ACCOUNT, new) not in live.resources
    }
    resources = dict(live.resources)
    for new, old in old_names.items():
        resources[Kind.ACCOUNT, new] = _renamed(resources.pop((Kind.ACCOUNT, old)), wanted[new], digest)
    return Moves(live=replace(live, resources=resources), old_names=old_names)


def with_moves(steps: Sequence[Step], moves: Moves, desired: Sequence[Wanted]) -> tuple[Step, ...]:
    """Moves in place of the updates of what moves, and of nothing where only the name changes."""
    left = dict(moves.old_names)
    found = []
    for step in steps:
        is_account = step.wanted.resource.kind is Kind.ACCOUNT
        old = left.pop(step.change.name, "") if is_account and step.change.operation is Operation.UPDATE else ""
        found.append(_moved(step, old) if old else step)
    by_name = {item.resource.name: item for item in desired if item.resource.kind is Kind.ACCOUNT}
    for new, old in left.items():
        change = Change(operation=Operation.UPDATE, kind=Kind.ACCOUNT.value, name=new)
        found.append(_moved(Step(change=change, wanted=by_name[new]), old))
    return tuple(found)


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
