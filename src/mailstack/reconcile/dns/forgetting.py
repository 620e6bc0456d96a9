"""Zones that left the spec and that nobody can write to any more: the state forgets them, and no provider is asked.

A zone that leaves is remembered until its records of ours are gone; one that the provider lost would be remembered for
ever, and every plan would ask for it in vain.
"""

from collections.abc import Sequence
from pathlib import Path

from mailstack.model.errors import Conflict, Invalid, NotFound
from mailstack.model.published import PublishedSet
from mailstack.model.resource import Kind, Operation, ResourceChange, Snapshot
from mailstack.ports.state import State
from mailstack.reconcile.plan import Change, Plan, PlanWarning, sealed
from mailstack.spec.model import Spec

NAMED = 20
"""More records than these are counted instead of named."""


async def plan_forgetting(state: State, spec: Spec, spec_path: Path, zone: str) -> Plan:
    """Raises NotFound for a zone that nobody remembers, Invalid for one that the spec still names."""
    snapshot = await state.snapshot((Kind.DNS_ZONE,))
    if zone in spec.dns.zones:
        raise Invalid(f"the spec names {zone} in dns.zones, and the next apply would remember it again; take it out")
    if (Kind.DNS_ZONE, zone) not in snapshot.resources:
        known = ", ".join(sorted(name for _, name in snapshot.resources)) or "none"
        raise NotFound(f"{zone} is no zone that this server remembers (it remembers: {known})")
    left = (await state.published()).get(zone, ())
    change = Change(
        operation=Operation.DESTROY,
        kind=Kind.DNS_ZONE,
        name=zone,
        reason="forgotten, without asking its provider" + (", where its records stay" if left else ""),
    )
    return sealed(
        Plan(
            spec_path=str(spec_path),
            spec_hash=snapshot.spec_hash,
            generation=snapshot.generation,
            live_hash="",
            changes=(change,),
            warnings=_left_behind(zone, left),
        )
    )


async def forget(state: State, plan: Plan) -> None:
    """Raises Conflict when the state has moved since the plan was made."""
    snapshot = await state.snapshot((Kind.DNS_ZONE,))
    if snapshot.generation != plan.generation:
        raise Conflict("the server changed since the plan was made; plan again")
    changes = [_destroyed(snapshot, change) for change in plan.changes]
    await state.commit(changes, base=snapshot.generation, spec_hash=snapshot.spec_hash)
    for change in plan.changes:
        await state.note_published(change.name, ())


def _destroyed(snapshot: Snapshot, change: Change) -> ResourceChange:
    return ResourceChange(operation=change.operation, resource=snapshot.resources[Kind.DNS_ZONE, change.name])


def _left_behind(zone: str, left: Sequence[PublishedSet]) -> tuple[PlanWarning, ...]:
    if not left:
        return ()
    names = ", ".join(f"{item.name} {item.type}" for item in left[:NAMED])
    more = f" and {len(left) - NAMED} more" if len(left) > NAMED else ""
    text = (
        f"if it is still served somewhere, what mailstack wrote there stays, each with its mark beside it; delete by"
        f" hand: {names}{more}"
    )
    return (PlanWarning(subject=f"dns_zone {zone}", text=text),)
