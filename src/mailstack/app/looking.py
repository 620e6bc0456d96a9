"""What a server tells of and leaves alone: a saved spec under `reconcile.on_change: plan-only`, and what drifted.

What is done is the applier's. One structured line each; `mailstack status` has the same.
"""

import shlex
from collections.abc import Sequence

import structlog

from mailstack.app.messages import Finished
from mailstack.model.errors import Forbidden
from mailstack.model.resource import Operation, Snapshot
from mailstack.reconcile.plan import Change, Plan
from mailstack.reconcile.reconciler import Reconciler
from mailstack.reconcile.render import summary
from mailstack.spec.load import LoadedSpec

log = structlog.get_logger()

NAMED = 20


async def only_planned(reconciler: Reconciler, loaded: LoadedSpec, applied: Snapshot) -> Finished | None:
    """The end of it, where nothing may be done; None where what is applied only has to be kept going: what is due by
    the clock is done, and so is a spec that asks for nothing new. Raises Forbidden for one that does."""
    prepared = await reconciler.plan(loaded)
    plan = prepared.plan
    if plan.is_empty:
        return None
    if applied.spec_hash != loaded.digest:
        log.info("planned", **_names(plan))
        raise Forbidden(
            f"reconcile.on_change is plan-only, and nothing was changed. {summary(plan)} It waits for:"
            f" mailstack apply {shlex.quote(plan.spec_path)}"
        )
    if not all(change.drift for change in plan.changes):
        return None
    return Finished(generation=applied.generation, again_at=prepared.again_at, drift=tell_drift(plan.changes))


def tell_drift(changes: Sequence[Change]) -> list[str]:
    """The names of what was not as it was applied."""
    found = [f"{change.kind} {change.name}" for change in changes if change.drift]
    if found:
        log.warning("drift", found=found[:NAMED], count=len(found))
    return found


def _names(plan: Plan) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for change in plan.changes:
        found.setdefault(f"to_{Operation(change.operation).value}", []).append(f"{change.kind} {change.name}")
    return {word: names[:NAMED] for word, names in found.items()}
