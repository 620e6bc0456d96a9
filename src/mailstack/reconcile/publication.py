"""Zones of a plan as an apply writes them: with the keys that the state holds by then, and noted in it beforehand."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from mailstack.ports.state import State
from mailstack.reconcile.dns.material import MATERIAL_KINDS, Material, material_of
from mailstack.reconcile.dns.publish import DnsWork, owner_id, publish, published_sets
from mailstack.reconcile.dns.records import wanted_records
from mailstack.reconcile.dns.targets import DnsContext, NoDns
from mailstack.reconcile.dns.zones import place, zones_of
from mailstack.reconcile.prepared import Prepared
from mailstack.reconcile.progress import Progress
from mailstack.spec.model import Spec

if TYPE_CHECKING:
    from mailstack.reconcile.dns.zone_plan import ZonePlan


async def held_material(spec: Spec, state: State) -> Material:
    snapshot = await state.snapshot(MATERIAL_KINDS)
    return material_of(spec, snapshot.resources.values())


def split_zones(work: DnsWork) -> tuple[tuple["ZonePlan", ...], tuple["ZonePlan", ...]]:
    """Zones with something to write: those that leave the spec, and those that stay in it."""
    busy = tuple(plan for plan in work.plans if plan.octo_plan is not None)
    return (
        tuple(plan for plan in busy if plan.zone in work.leaving),
        tuple(plan for plan in busy if plan.zone not in work.leaving),
    )


async def publish_zones(planned: Sequence["ZonePlan"], context: DnsContext, state: State, progress: Progress) -> None:
    """Raises what dns.publish does."""
    # The store that is written to may be younger than the plan.
    owned = replace(context, owner=owner_id(await state.digest_key()))
    await publish(owned, await held_material(context.spec, state), planned, progress)


async def note_published(prepared: Prepared, state: State) -> None:
    """Before any zone is written: from here on it is what was applied, and what a zone lacks has yet to come."""
    spec = prepared.context.spec
    if isinstance(prepared.context.mode, NoDns):
        return
    placed = place(wanted_records(spec, await held_material(spec, state)), spec.dns, prepared.dns.supported)
    meant = {zone: published_sets(records) for zone, records in zones_of(placed, spec.dns).items()}
    known = {zone: tuple(sets) for zone, sets in (await state.published()).items()}
    for zone in sorted(meant.keys() | known.keys()):
        if meant.get(zone, ()) != known.get(zone, ()):
            await state.note_published(zone, meant.get(zone, ()))
