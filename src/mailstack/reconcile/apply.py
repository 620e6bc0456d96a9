"""From steps to writes: keys and certificates are made, new passwords hashed, and all of it put in a safe order."""

import asyncio
import itertools
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from mailstack.model.ids import Generation
from mailstack.model.instant import Clock, iso
from mailstack.model.password import scheme_of
from mailstack.model.resource import Kind, Operation, Resource, ResourceChange
from mailstack.ports.state import State
from mailstack.reconcile.diff import Step
from mailstack.reconcile.order import place_of
from mailstack.reconcile.plan import Plan
from mailstack.reconcile.progress import Made, PasswordHashed, Progress
from mailstack.reconcile.providers.certs import make_key as make_private_key
from mailstack.reconcile.providers.keys import make_key
from mailstack.reconcile.providers.tls import NEXT_KEY, make_certificate, make_next_key
from mailstack.reconcile.wanted import Digest, Wanted

HashPassword = Callable[[str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """What writes are made with. digest: under the key of the store that is written to. certificate_keys: those held,
    by certificate."""

    digest: Digest
    hash_password: HashPassword
    clock: Clock
    progress: Progress
    certificate_keys: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draft:
    change: ResourceChange
    to_hash: str = field(default="", repr=False)


async def commit(steps: Sequence[Step], plan: Plan, state: State, workshop: Workshop) -> Generation:
    """All or nothing, as the generation after the plan's. Raises Conflict where another one is there by now."""
    held = replace(workshop, certificate_keys=await _certificate_keys(steps, state))
    changes = await writes_of(steps, held)
    return await state.commit(changes, base=plan.generation, spec_hash=plan.spec_hash)


async def writes_of(steps: Sequence[Step], workshop: Workshop) -> tuple[ResourceChange, ...]:
    drafts = [_draft(step, workshop) for step in sorted(steps, key=place_of)]
    return await _hashed(drafts, workshop)


async def _certificate_keys(steps: Sequence[Step], state: State) -> Mapping[str, str]:
    """Of those held, where some may be kept."""
    if not any(step.wanted.resource.kind is Kind.CERTIFICATE for step in steps):
        return {}
    held = await state.secrets(Kind.CERTIFICATE)
    return {name: secrets["key"] for name, secrets in held.items() if "key" in secrets}


def _draft(step: Step, workshop: Workshop) -> _Draft:
    operation, wanted = step.change.operation, step.wanted
    if operation is Operation.DESTROY:
        return _Draft(change=ResourceChange(operation=operation, resource=wanted.resource))
    resource, secrets = _made(wanted, workshop)
    changed = {item.name for item in step.change.fields}
    new = {name: value for name, value in secrets.items() if name in changed}
    resource = replace(resource, digests=_digests(resource, secrets, workshop.digest))
    if resource.kind is Kind.ACCOUNT and "password" in changed:
        # An account whose password was taken away gets an empty one: nobody can log in.
        password = new.get("password", "")
        is_plain = bool(password) and scheme_of(password) is None
        stored = {"password": "" if is_plain else password}
        change = ResourceChange(
            operation=operation, resource=resource, secrets=stored, moved_from=step.change.moved_from
        )
        return _Draft(change=change, to_hash=password if is_plain else "")
    change = ResourceChange(operation=operation, resource=resource, secrets=new, moved_from=step.change.moved_from)
    return _Draft(change=change)


def _made(wanted: Wanted, workshop: Workshop) -> tuple[Resource, Mapping[str, str]]:
    if not wanted.made:
        return wanted.resource, wanted.secrets
    resource = wanted.resource
    if any(name not in resource.fields for name in wanted.made):  # not where only its age is noted
        workshop.progress(Made(kind=resource.kind.value, name=resource.name))
    if resource.kind is Kind.DKIM_KEY:
        return make_key(wanted, workshop.clock())
    if resource.kind is Kind.DMARC:
        stamps = dict.fromkeys(wanted.made, iso(workshop.clock()))
        return replace(resource, fields={**resource.fields, **stamps}), {}
    if resource.kind is Kind.ACME_ACCOUNT:
        return resource, {"key": make_private_key()}
    if NEXT_KEY in wanted.made:
        return make_next_key(wanted)
    return make_certificate(wanted, workshop.clock(), workshop.certificate_keys.get(resource.name))


def _digests(resource: Resource, secrets: Mapping[str, str], digest: Digest) -> Mapping[str, str]:
    """Of the secrets at hand; those that are kept, or were taken over with their resource, keep their own."""
    return {
        **resource.digests,
        **{name: digest(resource.kind, resource.name, name, value) for name, value in secrets.items()},
    }


async def _hashed(drafts: Sequence[_Draft], workshop: Workshop) -> tuple[ResourceChange, ...]:
    """As many threads as cores, each hash filling its own memory."""
    total = sum(bool(draft.to_hash) for draft in drafts)
    slots, done = asyncio.Semaphore(os.cpu_count() or 1), itertools.count(1)

    async def finish(draft: _Draft) -> ResourceChange:
        if not draft.to_hash:
            return draft.change
        async with slots:
            hashed = await asyncio.to_thread(workshop.hash_password, draft.to_hash)
        workshop.progress(PasswordHashed(done=next(done), total=total))
        return replace(draft.change, secrets={"password": hashed})

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(finish(draft)) for draft in drafts]
    return tuple(task.result() for task in tasks)
