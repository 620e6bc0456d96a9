"""What a server tells of and leaves alone: a saved spec under `reconcile.on_change: plan-only`, and what drifted.

What is done is the applier's. One structured line each; `mailstack status` has the same.
"""

import shlex
from collections.abc import Sequence

import structlog

from mailstack.app.change_log import NAMED, TO_DO, named_changes
from mailstack.model.errors import Forbidden
from mailstack.reconcile.plan import Change, Plan
from mailstack.reconcile.render import summary

log = structlog.get_logger()


def refuse_waiting(plan: Plan) -> None:
    """Of a saved spec. Raises Forbidden where it asks for anything."""
    if plan.is_empty:
        return
    log.info("planned", **named_changes(plan.changes, TO_DO))
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
