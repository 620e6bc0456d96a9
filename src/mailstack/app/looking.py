"""What a server tells of and leaves alone: a saved spec under `reconcile.on_change: plan-only`, and what drifted.

What is done is the applier's. One structured line each; `mailstack status` has the same.
"""

import shlex
from collections.abc import Sequence

import structlog

from mailstack.model.errors import Forbidden
from mailstack.model.resource import Operation
from mailstack.reconcile.plan import Change, Plan
from mailstack.reconcile.render import summary

log = structlog.get_logger()

NAMED = 20


def refuse_waiting(plan: Plan) -> None:
    """Of a saved spec. Raises Forbidden where it asks for anything."""
    if plan.is_empty:
        return
    log.info("planned", **_names(plan))
    raise Forbidden(
        f"reconcile.on_change is plan-only, and nothing was changed. {summary(plan)} It waits for:"
        f" mailstack apply {shlex.quote(plan.spec_path)}"
    )


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
