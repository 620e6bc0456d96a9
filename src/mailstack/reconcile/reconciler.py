"""Plan and apply: the one door for the command line, `serve` and the sandbox."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from mailstack.model.errors import Conflict, NotFound
from mailstack.model.ids import Generation
from mailstack.model.instant import Clock
from mailstack.model.resource import Snapshot
from mailstack.ports.state import State
from mailstack.reconcile.actual import Actual, read_actual
from mailstack.reconcile.apply import HashPassword, Workshop, writes_of
from mailstack.reconcile.desired import Given, desired_state
from mailstack.reconcile.diff import Step, diff
from mailstack.reconcile.plan import Plan, in_order, sealed
from mailstack.reconcile.progress import Progress, StateCommitted, unseen
from mailstack.reconcile.wanted import Resolve, Secrets, keyed_digest
from mailstack.spec import secrets as spec_secrets
from mailstack.spec.model import Spec


class LoadedSpec(Protocol):
    """What is needed of spec.load.LoadedSpec; digest: SHA-256 over all files read."""

    @property
    def spec(self) -> Spec: ...

    @property
    def path(self) -> Path: ...

    @property
    def digest(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A plan, and what its execution needs that nobody is shown."""

    plan: Plan
    spec: Spec = field(repr=False)
    steps: tuple[Step, ...] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciler:
    """state: None where no store exists yet; such a reconciler can plan, not apply. resolve: reads references to
    secrets. passwords: by account, plain or hashed, instead of the spec's. certificate_names: further names for a
    self-signed certificate.
    """

    state: State | None
    clock: Clock
    hash_password: HashPassword
    resolve: Resolve = spec_secrets.resolve
    passwords: Mapping[str, str] = field(default_factory=dict, repr=False)
    certificate_names: tuple[str, ...] = ()

    async def plan(self, loaded: LoadedSpec) -> Prepared:
        """Writes nothing. Raises Invalid for secrets and files that cannot be used."""
        actual = await read_actual(self.state)
        desired = desired_state(loaded.spec, self._given(loaded, actual))
        steps = diff(desired.wanted, actual.snapshot)
        plan = Plan(
            spec_path=str(loaded.path),
            spec_hash=loaded.digest,
            generation=actual.snapshot.generation,
            live_hash=_live_hash(actual.snapshot),
            changes=in_order([step.change for step in steps]),
            warnings=desired.warnings,
        )
        return Prepared(plan=sealed(plan), spec=loaded.spec, steps=steps)

    async def apply(self, prepared: Prepared, progress: Progress = unseen) -> Generation:
        """Raises Conflict when the server has moved since the plan was made."""
        if self.state is None:
            raise NotFound("there is no store to apply to")
        generation = await self._commit(self.state, prepared, progress)
        progress(StateCommitted(generation=generation))
        return generation

    def _given(self, loaded: LoadedSpec, actual: Actual) -> Given:
        # A relative path in the spec starts at the spec's own folder.
        directory = loaded.path.absolute().parent
        return Given(
            live=actual.snapshot,
            secrets=Secrets(self.resolve, directory, keyed_digest(actual.digest_key)),
            now=self.clock(),
            passwords=self.passwords,
            certificate_names=self.certificate_names,
        )

    async def _commit(self, state: State, prepared: Prepared, progress: Progress) -> Generation:
        if await state.generation() != prepared.plan.generation:
            raise Conflict("the server changed since the plan was made; plan again")
        workshop = Workshop(
            digest=keyed_digest(await state.digest_key()),
            hash_password=self.hash_password,
            clock=self.clock,
            progress=progress,
        )
        changes = await writes_of(prepared.steps, workshop)
        return await state.commit(changes, base=prepared.plan.generation, spec_hash=prepared.plan.spec_hash)


def _live_hash(snapshot: Snapshot, zones: Sequence[tuple[str, str]] = ()) -> str:
    text = json.dumps([snapshot.generation, snapshot.spec_hash, list(zones)])
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
