"""Plan and apply: the one door for the command line, `serve` and the sandbox."""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from mailstack.model.errors import Conflict, NotFound
from mailstack.model.ids import Generation
from mailstack.model.instant import MINUTE_MS, SECOND_MS, Clock, Instant, earliest
from mailstack.model.resource import Kind, Snapshot
from mailstack.ports.dmarc_evidence import DmarcEvidence, Evidence, NoReports
from mailstack.ports.state import State
from mailstack.reconcile.actual import Actual, read_actual
from mailstack.reconcile.apply import HashPassword, Workshop, writes_of
from mailstack.reconcile.authority import eab_key, is_proving, ordering_of, prover_for
from mailstack.reconcile.binding import bind
from mailstack.reconcile.brake import Brake, Planned, refuse
from mailstack.reconcile.contact import tell_contacts
from mailstack.reconcile.desired import Desired, Given, desired_state, questions
from mailstack.reconcile.diff import Step, diff
from mailstack.reconcile.dns.adoption import Chosen
from mailstack.reconcile.dns.live import LiveDns, NotAsked
from mailstack.reconcile.dns.material import MATERIAL_KINDS, Material, material_of
from mailstack.reconcile.dns.patient import PatientDns
from mailstack.reconcile.dns.publish import (
    NO_DNS_WORK,
    DnsWork,
    owner_id,
    plan_adoption,
    plan_dns,
    plan_published,
    publish,
    published_by_hand,
    published_sets,
    with_zone_files,
)
from mailstack.reconcile.dns.records import wanted_records
from mailstack.reconcile.dns.sighting import Observed, observe
from mailstack.reconcile.dns.survey import Survey, plan_warnings, survey, unknown_warnings
from mailstack.reconcile.dns.targets import DnsContext, DnsMode, FromSpec, NoDns, ZoneFiles
from mailstack.reconcile.dns.zones import as_lines, place, zones_of
from mailstack.reconcile.drift import Drift, drifted_records, drifted_steps, fields_of_users, unpublished
from mailstack.reconcile.issue import Issuing, issue_all, split_orders
from mailstack.reconcile.issue import Surroundings as OrderSurroundings
from mailstack.reconcile.moves import former_logins, moves_of, with_moves
from mailstack.reconcile.order import with_order
from mailstack.reconcile.owners import leave_to_users, name_owners
from mailstack.reconcile.plan import ByHand, Plan, Stop, in_order, sealed
from mailstack.reconcile.progress import Progress, StateCommitted, TurnAwaited, unseen
from mailstack.reconcile.providers.acme import ACME
from mailstack.reconcile.providers.dmarc import due_domains
from mailstack.reconcile.providers.mta_sts import taken_away
from mailstack.reconcile.renewals import look_at_renewals
from mailstack.reconcile.safety import cautions, over_quota, unreachable, untold
from mailstack.reconcile.wanted import Held, Resolve, Secrets, Wanted, keyed_digest, nothing_held
from mailstack.spec import secrets as spec_secrets
from mailstack.spec.collector import collector_paused
from mailstack.spec.faults import Fault
from mailstack.spec.faults import Path as SpecPath
from mailstack.spec.model import Spec

if TYPE_CHECKING:
    from mailstack.reconcile.dns.zone_plan import ZonePlan, ZoneTarget


AFTER_RENEWAL_MS = MINUTE_MS


STATE_BEHIND = "the server's state is behind the spec, and its DNS follows it: `mailstack apply` does both"


class LoadedSpec(Protocol):
    """What is needed of spec.load.LoadedSpec; digest: SHA-256 over all files read."""

    @property
    def spec(self) -> Spec: ...

    @property
    def path(self) -> Path: ...

    @property
    def digest(self) -> str: ...

    def fault(self, path: SpecPath, message: str) -> Fault: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A plan, and what its execution needs that nobody is shown. survey: what DNS shows of what people publish.
    again_at: when the same spec may ask for something else, None where only a change can."""

    plan: Plan
    context: DnsContext = field(repr=False)
    steps: tuple[Step, ...] = field(repr=False)
    dns: DnsWork = field(repr=False)
    survey: Survey = field(default_factory=Survey, repr=False)
    again_at: Instant | None = None

    @property
    def changes_services(self) -> bool:
        """Something that a running server looks at; what is in DNS alone it does not."""
        return any(step.wanted.resource.kind not in (Kind.DNS_ZONE, Kind.DMARC) for step in self.steps)

    @property
    def is_done(self) -> bool:
        """Nothing is to do, down to the record of which spec was applied."""
        return self.plan.is_empty and self.context.live.spec_hash == self.plan.spec_hash


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciler:
    """state: None where no store exists yet; such a reconciler can plan, not apply. resolve: reads references to
    secrets; resolve_for_dns: those of DNS providers and authorities, where they are read in another way.
    keeps_secrets: one that cannot be read stays as it is, where the server has it for the very same resource.
    tells_guesses: whether a plan may tell that a password is, or is not, the one in use.
    leaves_drift: of a spec that is applied, only what is due by the clock is planned.
    passwords: by account, plain or hashed, instead of the spec's. certificate_names: further names for a self-
    signed certificate. live_dns: whom to ask what is in DNS now; nobody, where dns is NoDns.
    """

    state: State | None
    clock: Clock
    hash_password: HashPassword
    brake: Brake
    dns: DnsMode = field(default_factory=FromSpec)
    live_dns: LiveDns = field(default_factory=NotAsked, repr=False)
    dmarc_evidence: DmarcEvidence = field(default_factory=NoReports, repr=False)
    resolve: Resolve = spec_secrets.resolve
    resolve_for_dns: Resolve | None = None
    keeps_secrets: bool = False
    tells_guesses: bool = True
    leaves_drift: bool = False
    passwords: Mapping[str, str] = field(default_factory=dict, repr=False)
    certificate_names: tuple[str, ...] = ()
    issuing: Issuing | None = field(default=None, repr=False)

    async def plan(self, loaded: LoadedSpec) -> Prepared:
        """Writes nothing. Raises SpecInvalid for secrets and files that cannot be used, TryAgainLater for DNS."""
        with collector_paused():
            return await self._plan(loaded)

    async def apply(self, prepared: Prepared, progress: Progress = unseen) -> Generation:
        """Raises Conflict when the server or its DNS has moved since the plan was made, Forbidden by the brake.

        Zones that leave the spec are emptied first, while the state still remembers them; all others come after the
        state, whose keys they publish. An apply that ends in between is finished by the next. What is to be had from
        an authority is left to `order`.
        """
        if self.state is None:
            raise NotFound("there is no store to apply to")
        if await self.state.generation() != prepared.plan.generation:
            raise Conflict("the server changed since the plan was made; plan again")
        # Once more: mail may have come since the plan was made.
        refuse(await self._stops(prepared.context, prepared.steps, prepared.dns), prepared.plan.spec_arguments)
        leaving, staying = _split(prepared.dns)
        at_once, _ = split_orders(prepared.steps)
        await self._publish(self.state, prepared, leaving, progress)
        generation = await self._commit(self.state, prepared, at_once, progress)
        progress(StateCommitted(generation=generation))
        if not self.leaves_drift:
            await self._note_published(self.state, prepared)
        await self._publish(self.state, prepared, staying, progress)
        if self.leaves_drift:  # until it is written it is due, and found by not being noted
            await self._note_published(self.state, prepared)
        return generation

    async def order(
        self, prepared: Prepared, progress: Progress = unseen, *, names: Collection[str] | None = None
    ) -> Generation:
        """What of an applied plan is to be had from an authority, which takes minutes: never within a turn to apply.
        names: of certificates, None for all. One that is not issued is told, and no fault."""
        if self.state is None or self.issuing is None:
            return prepared.plan.generation
        _, orders = split_orders(prepared.steps)
        chosen = tuple(step for step in orders if names is None or step.wanted.resource.name in names)
        is_ours = prepared.context.spec.tls.issuer == ACME and not _is_silent(self.dns)
        if is_ours:
            around = await self._surroundings(self.state, self.issuing, prepared.context, progress)
            await tell_contacts(chosen, self.issuing, around)
            await issue_all(chosen, self.issuing, around)
            await look_at_renewals(self.issuing, around)
        return await self.state.generation()

    async def publish(self, prepared: Prepared, progress: Progress = unseen) -> None:
        """The zones alone, of a plan that asks nothing else. Raises Conflict where it does, and what apply raises."""
        if self.state is None or prepared.steps:
            raise Conflict(STATE_BEHIND)
        if await self.state.generation() != prepared.plan.generation:
            raise Conflict("the server changed since the plan was made; plan again")
        await self._note_published(self.state, prepared)
        _, staying = _split(prepared.dns)
        await self._publish(self.state, prepared, staying, progress)

    async def drift(self, loaded: LoadedSpec) -> Drift:
        """What is not as it was applied. Raises NotFound before the first apply, and what plan raises."""
        actual = await read_actual(self.state)
        if self.state is None or not actual.snapshot.generation:
            raise NotFound("nothing was applied yet; `mailstack apply` does it")
        generation, by_user = actual.snapshot.generation, tuple(fields_of_users(actual.snapshot))
        if actual.snapshot.spec_hash == loaded.digest:
            prepared = await self.plan(loaded)
            work, shown, changes = prepared.dns, prepared.survey, prepared.plan.changes
        else:
            context = await self._proving(self._context(loaded.spec, loaded, actual))
            published = await self.state.published()
            work = await plan_published(context, published)
            shown = await survey(loaded.spec, self._dns_of_a_plan(), published_by_hand(context, published), {})
            changes = in_order(tuple(drifted_records(change for zone in work.plans for change in zone.changes)))
        return Drift(
            generation=generation,
            changes=tuple(change for change in changes if change.drift),
            by_user=by_user,
            by_hand=tuple(unpublished(shown.findings)),
            warnings=(*work.warnings, *unknown_warnings(shown)),
            is_edited=actual.snapshot.spec_hash != loaded.digest,
        )

    async def adoptable(self, loaded: LoadedSpec, chosen: Chosen) -> "tuple[tuple[ZoneTarget, ZonePlan], ...]":
        """What of the spec's zones would be taken over; write_adoption does it. Raises as drift does."""
        actual = await read_actual(self.state)
        if self.state is None or not actual.snapshot.generation:
            raise NotFound("nothing was applied yet; `mailstack apply --no-dns` does it and leaves DNS as it is")
        context = self._context(loaded.spec, loaded, actual)
        return await plan_adoption(context, await _held(loaded.spec, self.state), chosen)

    async def by_hand(self, prepared: Prepared) -> tuple[ByHand, ...]:
        """What the plan leaves to people, with the keys that are there by now."""
        if self.state is None or not prepared.plan.by_hand:
            return prepared.plan.by_hand
        spec = prepared.context.spec
        records = wanted_records(spec, await _held(spec, self.state))
        return as_lines(place(records, spec.dns, prepared.dns.supported).by_hand)

    async def _plan(self, loaded: LoadedSpec) -> Prepared:
        actual = await read_actual(self.state)
        spec = with_zone_files(loaded.spec, self.dns.directory) if isinstance(self.dns, ZoneFiles) else loaded.spec
        context = await self._proving(self._context(spec, loaded, actual))
        is_applied = self.state is not None and actual.snapshot.spec_hash == loaded.digest
        if self.state is not None and is_applied:
            context = replace(context, published=await self.state.published(), leaves_drift=self.leaves_drift)
        live_dns = self._dns_of_a_plan()
        observed = await observe(live_dns, questions(spec, actual.snapshot, self.clock()))
        given = await self._given(context, actual, observed)
        desired = desired_state(spec, given)
        wanted, compared = desired.wanted, actual.snapshot
        if isinstance(self.dns, NoDns):
            wanted, compared = _new_zones_only(wanted, compared)
        moves = moves_of(spec, wanted, compared, keyed_digest(actual.digest_key))
        wanted = leave_to_users(wanted, moves.live)
        steps = name_owners(with_moves(diff(wanted, moves.live, desired.endings), moves, wanted), moves.live)
        work = await self._plan_dns(context, material_of(context.spec, (item.resource for item in desired.wanted)))
        shown = await self._survey(spec, live_dns, work)
        records = tuple(change for zone in work.plans for change in zone.changes)
        if is_applied:
            records = tuple(drifted_records(records, work.due))
            steps = drifted_steps(steps)
            steps = tuple(step for step in steps if not (self.leaves_drift and step.change.drift))
        live_hash = _live_hash(actual.snapshot, work)
        if self.state is not None:  # else there is no key yet under which a digest would tell nothing
            steps = bind(steps, f"{loaded.digest} {live_hash}", tells_guesses=self.tells_guesses)
        changes = with_order(steps, records, actual.snapshot.resources)
        plan = Plan(
            spec_path=str(loaded.path),
            spec_hash=loaded.digest,
            generation=actual.snapshot.generation,
            live_hash=live_hash,
            changes=in_order(changes),
            warnings=(
                *cautions(steps, actual.snapshot),
                *taken_away(steps, actual.snapshot),
                *await over_quota(steps, self.brake.holders),
                *(() if isinstance(self.dns, ZoneFiles) else unreachable(spec)),
                *untold(given.secrets.untold),
                *desired.warnings,
                *work.warnings,
                *plan_warnings(shown),
            ),
            by_hand=as_lines(work.by_hand),
            stops=await self._stops(context, steps, work),
        )
        return Prepared(
            plan=sealed(plan),
            context=context,
            steps=steps,
            dns=work,
            survey=shown,
            again_at=self._again_at(spec, desired, steps),
        )

    def _again_at(self, spec: Spec, desired: Desired, steps: Sequence[Step]) -> Instant | None:
        interval, now = spec.reconcile.drift_check, self.clock()
        is_checked = interval is not None and isinstance(self.dns, FromSpec) and spec.dns.zones
        is_renewing = any(step.wanted.resource.kind is Kind.CERTIFICATE for step in steps)
        return earliest(
            desired.again_at,
            Instant(now + round(interval.total_seconds() * SECOND_MS)) if interval is not None and is_checked else None,
            # Only a plan that is made after an order, or with a new key, knows what comes next.
            Instant(now + AFTER_RENEWAL_MS) if is_renewing else None,
        )

    async def _stops(self, context: DnsContext, steps: tuple[Step, ...], work: DnsWork) -> tuple[Stop, ...]:
        brake = self.brake.releasing(context.spec.reconcile.allow_destroy)
        return await brake.stops(Planned(steps=steps, live=context.live, zones=work.plans, leaving=work.leaving))

    async def _given(self, context: DnsContext, actual: Actual, observed: Observed) -> Given:
        digest, held = keyed_digest(actual.digest_key), self._held(context)
        return Given(
            live=actual.snapshot,
            secrets=Secrets(
                self.resolve,
                context.directory,
                digest,
                context.fault_at,
                held,
                context.resolve,
                tells_guesses=self.tells_guesses,
            ),
            now=self.clock(),
            passwords=self.passwords,
            certificate_names=self.certificate_names,
            ordering=await ordering_of(context, self.issuing),
            observed=observed,
            evidence=await self._evidence(context),
        )

    async def _evidence(self, context: DnsContext) -> Mapping[str, Evidence | None]:
        due = due_domains(context.spec, context.live, self.clock())
        return {name: await self.dmarc_evidence.reported(name, since) for name, since in due.items()}

    def _context(self, spec: Spec, loaded: LoadedSpec, actual: Actual) -> DnsContext:
        return DnsContext(
            spec=spec,
            live=actual.snapshot,
            owner="" if self.state is None else owner_id(actual.digest_key),
            resolve=self.resolve_for_dns or self.resolve,
            # A relative path in the spec starts at the spec's own folder.
            directory=loaded.path.absolute().parent,
            fault_at=loaded.fault,
            mode=self.dns,
        )

    async def _proving(self, context: DnsContext) -> DnsContext:
        return replace(context, is_proving=await is_proving(self.issuing, self.clock()))

    def _held(self, context: DnsContext) -> Held:
        def digest_of(kind: Kind, name: str, secret: str) -> str | None:
            names = (name, *former_logins(context.spec, name)) if kind is Kind.ACCOUNT else (name,)
            held = (context.live.resources[kind, each] for each in names if (kind, each) in context.live.resources)
            return next((resource.digests.get(secret) for resource in held), None)

        return digest_of if self.keeps_secrets else nothing_held

    async def _plan_dns(self, context: DnsContext, material: Material) -> DnsWork:
        return NO_DNS_WORK if isinstance(self.dns, NoDns) else await plan_dns(context, material)

    def _dns_of_a_plan(self) -> LiveDns:
        """One time for all that it asks."""
        is_left_out = isinstance(self.dns, NoDns) or isinstance(self.live_dns, NotAsked)
        return NotAsked() if is_left_out else PatientDns(self.live_dns)

    async def _survey(self, spec: Spec, live_dns: LiveDns, work: DnsWork) -> Survey:
        """Of what people publish, and of what our records need beside them; zone files have neither."""
        asked = live_dns if isinstance(self.dns, FromSpec) else NotAsked()
        return await survey(spec, asked, work.by_hand, {plan.zone: plan.nameservers for plan in work.plans})

    async def _publish(
        self, state: State, prepared: Prepared, planned: Sequence["ZonePlan"], progress: Progress
    ) -> None:
        if not planned:
            return
        # The store that is written to may be younger than the plan.
        context = await self._proving(replace(prepared.context, owner=owner_id(await state.digest_key())))
        await publish(context, await _held(context.spec, state), planned, progress)

    async def _note_published(self, state: State, prepared: Prepared) -> None:
        """Before any zone is written: from here on it is what was applied, and what a zone lacks has yet to come."""
        if isinstance(self.dns, NoDns):
            return
        spec = prepared.context.spec
        placed = place(wanted_records(spec, await _held(spec, state)), spec.dns, prepared.dns.supported)
        meant = {zone: published_sets(records) for zone, records in zones_of(placed, spec.dns).items()}
        known = {zone: tuple(sets) for zone, sets in (await state.published()).items()}
        for zone in sorted(meant.keys() | known.keys()):
            if meant.get(zone, ()) != known.get(zone, ()):
                await state.note_published(zone, meant.get(zone, ()))

    async def _surroundings(
        self, state: State, issuing: Issuing, context: DnsContext, progress: Progress
    ) -> OrderSurroundings:
        digest_key = await state.digest_key()
        prover = prover_for(
            replace(context, owner=owner_id(digest_key)),
            await _held(context.spec, state),
            self.live_dns,
            issuing,
            self.clock,
            lambda holder: progress(TurnAwaited(holder=holder)),
        )
        return OrderSurroundings(
            state=state,
            acme=context.spec.tls.acme,
            eab_key=eab_key(context),
            prover=prover,
            digest=keyed_digest(digest_key),
            clock=self.clock,
            progress=progress,
        )

    async def _commit(self, state: State, prepared: Prepared, steps: Sequence[Step], progress: Progress) -> Generation:
        workshop = Workshop(
            digest=keyed_digest(await state.digest_key()),
            hash_password=self.hash_password,
            clock=self.clock,
            progress=progress,
            certificate_keys=await _certificate_keys(state, steps),
        )
        changes = await writes_of(steps, workshop)
        return await state.commit(changes, base=prepared.plan.generation, spec_hash=prepared.plan.spec_hash)


async def _certificate_keys(state: State, steps: Sequence[Step]) -> Mapping[str, str]:
    """Of those held, where some may be kept."""
    if not any(step.wanted.resource.kind is Kind.CERTIFICATE for step in steps):
        return {}
    held = await state.secrets(Kind.CERTIFICATE)
    return {name: secrets["key"] for name, secrets in held.items() if "key" in secrets}


async def _held(spec: Spec, state: State) -> Material:
    snapshot = await state.snapshot(MATERIAL_KINDS)
    return material_of(spec, snapshot.resources.values())


def _new_zones_only(wanted: tuple[Wanted, ...], live: Snapshot) -> tuple[tuple[Wanted, ...], Snapshot]:
    """A zone that changes or leaves must stay as it is known until its provider has been asked."""
    held = {key for key in live.resources if key[0] is Kind.DNS_ZONE}
    resources = {key: resource for key, resource in live.resources.items() if key not in held}
    kept = tuple(item for item in wanted if (item.resource.kind, item.resource.name) not in held)
    return kept, replace(live, resources=resources)


def _is_silent(mode: DnsMode) -> bool:
    """Nothing outside of this machine is to be asked."""
    return isinstance(mode, NoDns) and not mode.may_order


def _split(work: DnsWork) -> tuple[tuple["ZonePlan", ...], tuple["ZonePlan", ...]]:
    """Zones with something to write: those that leave the spec, and those that stay in it."""
    busy = tuple(plan for plan in work.plans if plan.octo_plan is not None)
    return (
        tuple(plan for plan in busy if plan.zone in work.leaving),
        tuple(plan for plan in busy if plan.zone not in work.leaving),
    )


def _live_hash(snapshot: Snapshot, work: DnsWork) -> str:
    zones = sorted((plan.zone, plan.live_hash) for plan in work.plans)
    text = json.dumps([snapshot.generation, snapshot.spec_hash, zones])
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
