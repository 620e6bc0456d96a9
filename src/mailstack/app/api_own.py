"""Drift, a plan or an apply of the spec that lies on the server, for who looks after it in a browser.

Under the brakes that `mailstack apply` has, released by the same words.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypedDict

import structlog

import mailstack
from mailstack.app.answer_line import JSON, LINES, Line
from mailstack.app.api_line import Steps, opened_store
from mailstack.app.api_models import OwnApplyRequest, OwnPlanRequest
from mailstack.app.api_process import Order
from mailstack.app.api_turn import refuse_unfit, tell_applied, turn_to_apply
from mailstack.app.api_visit import allowed_by, own_spec
from mailstack.app.applied_spec import keep_applied
from mailstack.app.change_log import named_changes
from mailstack.app.received import as_far_as_received, settle
from mailstack.app.reconcilers import reconciler_of, sandbox_reconciler
from mailstack.app.sandbox import SandboxJob, account_passwords, harmless
from mailstack.app.silence import Silence
from mailstack.app.turn import LeaveTurn
from mailstack.ports.store import Store
from mailstack.reconcile.awaiting import CarriedOut, carry_out
from mailstack.reconcile.awaiting import order as order_certificates
from mailstack.reconcile.brake import Allowed
from mailstack.reconcile.drift import drift_document
from mailstack.reconcile.plan import Change, document
from mailstack.reconcile.progress import Event
from mailstack.reconcile.progress_told import told
from mailstack.reconcile.reconciler import Reconciler
from mailstack.reconcile.render import SYMBOLS, field_lines, remark, title
from mailstack.spec.load import LoadedSpec

log = structlog.get_logger()


class ShownChange(TypedDict):
    """As `mailstack plan` prints it."""

    operation: str
    symbol: str
    title: str
    remark: str
    lines: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """loaded: as it runs here, which a sandbox changes; as_saved: as it lies there."""

    as_saved: LoadedSpec
    loaded: LoadedSpec
    reconciler: Reconciler


async def tell_drift(order: Order, line: Line, *, shown: bool = False) -> None:
    """shown: with what is printed of each change."""
    async with opened_store(order, Silence(), read_only=True) as store:
        own = own_of(order, store)
        found = await own.reconciler.drift(own.loaded)
    line.begin(JSON)
    line.tell(**drift_document(found), **({"shown": _shown(found.changes)} if shown else {}))


async def plan_own(order: Order, request: OwnPlanRequest, line: Line) -> None:
    async with opened_store(order, Silence(), read_only=True) as store:
        own = own_of(order, store, allowed_by(request.allow))
        prepared = await own.reconciler.plan(own.loaded)
    line.begin(JSON)
    line.tell(
        version=mailstack.__version__,
        is_done=prepared.is_done,
        plan=document(prepared.plan),
        shown=_shown(prepared.plan.changes),
    )


async def apply_own(order: Order, request: OwnApplyRequest, line: Line) -> None:
    async with turn_to_apply(order, f"the admin page, for {order.caller}") as (store, leave_turn):
        await _apply_to(store, order, request, line, leave_turn)


async def _apply_to(store: Store, order: Order, request: OwnApplyRequest, line: Line, leave_turn: LeaveTurn) -> None:
    storage = order.store.folder
    settle(storage, await store.state.summary())
    own = own_of(order, store, allowed_by(request.allow))
    prepared = await own.reconciler.plan(own.loaded)
    await refuse_unfit(store, own.loaded, prepared.plan, expected=request.expected, allow=request.allow)
    done = CarriedOut(generation=prepared.plan.generation, by_hand=prepared.plan.by_hand, waiting=())
    line.begin(LINES)
    if not prepared.is_done:
        steps = Steps(line)

        def tell(event: Event) -> None:
            steps.tell(event, told=told(event))

        try:
            done = await carry_out(own.reconciler, own.loaded, prepared, tell)
        finally:
            if steps.is_committed:
                keep_applied(storage, own.as_saved)
        log.info("applied", generation=done.generation, caller=order.caller, **named_changes(prepared.plan.changes))
        await leave_turn()
        generation = await order_certificates(own.reconciler, own.loaded, prepared, tell)
        done = replace(done, generation=generation)
    tell_applied(line, done)


def own_of(order: Order, store: Store, allowed: Allowed | None = None) -> Own:
    saved = own_spec(Path(order.spec))
    if order.sandbox is not None:
        sandbox = SandboxJob.from_json(order.sandbox)
        loaded = harmless(saved, sandbox)
        found = sandbox_reconciler(store, sandbox, account_passwords(loaded.spec.accounts, sandbox))
        return Own(as_saved=saved, loaded=loaded, reconciler=found)
    found = as_far_as_received(reconciler_of(store, order.store, saved), order.store.folder, saved)
    if allowed is not None:
        found = replace(found, brake=replace(found.brake, allowed=allowed))
    return Own(as_saved=saved, loaded=saved, reconciler=found)


def _shown(changes: tuple[Change, ...]) -> list[ShownChange]:
    return [
        ShownChange(
            operation=change.operation.value,
            symbol=SYMBOLS[change.operation],
            title=title(change),
            remark=remark(change).removeprefix("  # "),
            lines=list(field_lines(change)),
        )
        for change in changes
    ]
