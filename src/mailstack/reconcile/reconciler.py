"""Plan and apply: the one door for the command line, `serve` and the sandbox."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from mailstack.model.errors import Conflict, NotFound
from mailstack.model.ids import Generation
from mailstack.model.instant import Clock
from mailstack.ports.dmarc_evidence import DmarcEvidence, Evidence, NoReports
from mailstack.ports.state import State
from mailstack.reconcile.actual import Actual, read_actual
from mailstack.reconcile.apply import HashPassword, Workshop, commit
from mailstack.reconcile.authority import is_proving, ordering_of, surroundings_of
from mailstack.reconcile.binding import bind
from mailstack.reconcile.brake import Brake, Planned, refuse
from mailstack.reconcile.contact import tell_contacts
from mailstack.reconcile.desired import Given, desired_state, questions
from mailstack.reconcile.diff import Step
from mailstack.reconcile.dns.adoption import Chosen
from mailstack.reconcile.dns.health import Remark, health
from mailstack.reconcile.dns.live import LiveDns, NotAsked
from mailstack.reconcile.dns.material import Material, material_of
from mailstack.reconcile.dns.overview import every_record
from mailstack.reconcile.dns.patient import PatientDns
from mailstack.reconcile.dns.publish import (
    NO_DNS_WORK,
    DnsWork,
    owner_id,
    plan_adoption,
    plan_dns,
    plan_published,
    published_by_hand,
    with_zone_files,
)
from mailstack.reconcile.dns.records import wanted_records
from mailstack.reconcile.dns.sighting import observe
from mailstack.reconcile.dns.survey import Survey, plan_warnings, survey, unknown_warnings
from mailstack.reconcile.dns.targets import DnsContext, DnsMode, FromSpec, NoDns, ZoneFiles, is_silent
from mailstack.reconcile.dns.zone_look import LOOKED_AT, ZoneLook, look_at_zone
from mailstack.reconcile.dns.zones import PlacedRecord, as_lines, place
from mailstack.reconcile.drift import Drift, drifted_records, drifted_steps, fields_of_users, unpublished
from mailstack.reconcile.issue import Issuing, issue_all, split_orders
from mailstack.reconcile.order import with_order
from mailstack.reconcile.plan import ByHand, Plan, PlanWarning, Stop, in_order, sealed
from mailstack.reconcile.planning import again_at, held_digests, live_hash, steps_towards
from mailstack.reconcile.prepared import LoadedSpec, Prepared
from mailstack.reconcile.progress import Progress, StateCommitted, unseen
from mailstack.reconcile.providers.acme import ACME
from mailstack.reconcile.providers.dmarc import due_domains
from mailstack.reconcile.providers.mta_sts import taken_away
from mailstack.reconcile.publication import held_material, note_published, publish_zones, split_zones
from mailstack.reconcile.renewals import look_at_renewals
from mailstack.reconcile.safety import cautions, over_quota, unreachable, untold
from mailstack.reconcile.wanted import Resolve, Secrets, keyed_digest, nothing_held
from mailstack.spec import secrets as spec_secrets
from mailstack.spec.collector import collector_paused
from mailstack.spec.model import Spec

if TYPE_CHECKING:
    from mailstack.reconcile.dns.zone_plan import ZonePlan, ZoneTarget


STATE_BEHIND = "the server's state is behind the spec, and its DNS follows it: `mailstack apply` does both"


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
        leaving, staying = split_zones(prepared.dns)
        at_once, _ = split_orders(prepared.steps)
        await self._publish(self.state, prepared, leaving, progress)
        generation = await commit(at_once, prepared.plan, self.state, await self._workshop(self.state, progress))
        progress(StateCommitted(generation=generation))
        if not self.leaves_drift:
            await note_published(prepared, self.state)
        await self._publish(self.state, prepared, staying, progress)
        if self.leaves_drift:  # until it is written it is due, and found by not being noted
            await note_published(prepared, self.state)
        return generation

    async def order(
        self, prepared: Prepared, progress: Progress = unseen, *, names: Collection[str] | None = None
    ) -> Generation:
        """What of an applied plan is to be had from an authority, which takes minutes: never within a turn to apply.
        names: of certificates, None for all. One that is not issued is told, and no fault."""
        if self.state is None or self.issuing is None:
            return prepared.plan.generation
        context = prepared.context
        _, orders = split_orders(prepared.steps)
        chosen = tuple(step for step in orders if names is None or step.wanted.resource.name in names)
        if context.spec.tls.issuer == ACME and not is_silent(self.dns):
            around = await surroundings_of(context, self.state, self.issuing, self.live_dns, self.clock, progress)
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
        await note_published(prepared, self.state)
        _, staying = split_zones(prepared.dns)
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
        return await plan_adoption(context, await held_material(loaded.spec, self.state), chosen)

    async def records(self, loaded: LoadedSpec) -> tuple[PlacedRecord, ...]:
        """All that the spec asks for, as overview.every_record has it; nobody is asked."""
        return await every_record(self.spec_here(loaded), self.state)

    async def look_at_zone(self, loaded: LoadedSpec, zone: str) -> ZoneLook:
        """How the records of one zone stand, "" for those in none of the spec's. Raises NotFound."""
        if self.state is None:
            raise NotFound("nothing was applied yet; `mailstack apply` does it")
        actual = Actual(snapshot=await self.state.snapshot(LOOKED_AT), digest_key=await self.state.digest_key())
        context = await self._proving(self._context(self.spec_here(loaded), loaded, actual))
        records = await every_record(context.spec, self.state)
        return await look_at_zone(context, zone, records, PatientDns(self.live_dns))

    async def look_around(self, loaded: LoadedSpec) -> tuple[Remark, ...]:
        """What mail needs of DNS besides records: as health has it, of no zone's provider."""
        return await health(loaded.spec, PatientDns(self.live_dns), {})

    def spec_here(self, loaded: LoadedSpec) -> Spec:
        """With the zones that its records go to."""
        return with_zone_files(loaded.spec, self.dns.directory) if isinstance(self.dns, ZoneFiles) else loaded.spec

    async def by_hand(self, prepared: Prepared) -> tuple[ByHand, ...]:
        """What the plan leaves to people, with the keys that are there by now."""
        if self.state is None or not prepared.plan.by_hand:
            return prepared.plan.by_hand
        spec = prepared.context.spec
        records = wanted_records(spec, await held_material(spec, self.state))
        return as_lines(place(records, spec.dns, prepared.dns.supported).by_hand)

    async def _plan(self, loaded: LoadedSpec) -> Prepared:
        actual = await read_actual(self.state)
        is_applied = self.state is not None and actual.snapshot.spec_hash == loaded.digest
        context, live_dns = await self._to_plan(loaded, actual), self._dns_of_a_plan()
        given = await self._given(loaded, context, actual, live_dns)
        desired = desired_state(context.spec, given)
        steps = steps_towards(desired, context, keyed_digest(actual.digest_key))
        work = await self._plan_dns(context, material_of(context.spec, (item.resource for item in desired.wanted)))
        shown = await self._survey(context.spec, live_dns, work)
        records = tuple(change for zone in work.plans for change in zone.changes)
        if is_applied:
            records = tuple(drifted_records(records, work.due))
            steps = tuple(step for step in drifted_steps(steps) if not (self.leaves_drift and step.change.drift))
        found_hash = live_hash(actual.snapshot, work)
        if self.state is not None:  # else there is no key yet under which a digest would tell nothing
            steps = bind(steps, f"{loaded.digest} {found_hash}", tells_guesses=self.tells_guesses)
        told = (*untold(given.secrets.untold), *desired.warnings, *work.warnings, *plan_warnings(shown))
        plan = Plan(
            spec_path=str(loaded.path),
            spec_hash=loaded.digest,
            generation=actual.snapshot.generation,
            live_hash=found_hash,
            changes=in_order(with_order(steps, records, actual.snapshot.resources)),
            warnings=(*await self._cautions(context, steps), *told),
            by_hand=as_lines(work.by_hand),
            stops=await self._stops(context, steps, work),
        )
        return Prepared(
            plan=sealed(plan),
            context=context,
            steps=steps,
            dns=work,
            survey=shown,
            again_at=again_at(desired, context, steps, self.clock()),
        )

    async def _to_plan(self, loaded: LoadedSpec, actual: Actual) -> DnsContext:
        context = await self._proving(self._context(self.spec_here(loaded), loaded, actual))
        if self.state is None or actual.snapshot.spec_hash != loaded.digest:
            return context
        return replace(context, published=await self.state.published(), leaves_drift=self.leaves_drift)

    async def _cautions(self, context: DnsContext, steps: tuple[Step, ...]) -> tuple[PlanWarning, ...]:
        """Of what the steps do to what is there."""
        return (
            *cautions(steps, context.live),
            *taken_away(steps, context.live),
            *await over_quota(steps, self.brake.holders),
            *(() if isinstance(self.dns, ZoneFiles) else unreachable(context.spec)),
        )

    async def _stops(self, context: DnsContext, steps: tuple[Step, ...], work: DnsWork) -> tuple[Stop, ...]:
        brake = self.brake.releasing(context.spec.reconcile.allow_destroy)
        return await brake.stops(Planned(steps=steps, live=context.live, zones=work.plans, leaving=work.leaving))

    async def _given(self, loaded: LoadedSpec, context: DnsContext, actual: Actual, live_dns: LiveDns) -> Given:
        observed = await observe(live_dns, questions(context.spec, actual.snapshot, self.clock()))
        return Given(
            live=actual.snapshot,
            secrets=Secrets(
                self.resolve,
                context.directory,
                keyed_digest(actual.digest_key),
                context.fault_at,
                held_digests(context) if self.keeps_secrets else nothing_held,
                context.resolve,
                tells_guesses=self.tells_guesses,
            ),
            now=self.clock(),
            passwords=self.passwords,
            certificate_names=self.certificate_names,
            ordering=await ordering_of(context, self.issuing),
            observed=observed,
            evidence=await self._evidence(context),
            scripts=loaded.scripts,
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
        if planned:
            await publish_zones(planned, await self._proving(prepared.context), state, progress)

    async def _workshop(self, state: State, progress: Progress) -> Workshop:
        return Workshop(
            digest=keyed_digest(await state.digest_key()),
            hash_password=self.hash_password,
            clock=self.clock,
            progress=progress,
        )
