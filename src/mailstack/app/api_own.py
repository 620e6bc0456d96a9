"""Drift, a plan or an apply of the spec that lies on the server, for who looks after it in a browser.

Under the brakes that `mailstack apply` has, released by the same words.
"""

from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypedDict

import structlog

import mailstack
from mailstack.app.api_line import JSON, LINES, TURN_WAIT_S, Line, Steps, opened_store, refuse_stale, refuse_unbindable
from mailstack.app.api_models import OwnApplyRequest, OwnPlanRequest
from mailstack.app.api_process import Order
from mailstack.app.api_visit import allowed_by, own_spec
from mailstack.app.applied_spec import keep_applied
from mailstack.app.change_log import named_changes
from mailstack.app.received import as_far_as_received, settle
from mailstack.app.reconcilers import reconciler_of, sandbox_reconciler
from mailstack.app.sandbox import SandboxJob, account_passwords, harmless
from mailstack.app.silence import Silence
from mailstack.app.stores import open_bus
from mailstack.app.turn import LeaveTurn, apply_turn
from mailstack.ports.store import Store
from mailstack.reconcile.awaiting import CarriedOut, carry_out
from mailstack.reconcile.awaiting import order as order_certificates
from mailstack.reconcile.brake import Allowed, allowed_name, refuse, refuse_unknown
from mailstack.reconcile.drift import drift_document
from mailstack.reconcile.plan import Change, by_hand_document, document
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
        own = _own(order, store)
        found = await own.reconciler.drift(own.loaded)
    line.begin(JSON)
    line.tell(**drift_document(found), **({"shown": _shown(found.changes)} if shown else {}))


async def plan_own(order: Order, request: OwnPlanRequest, line: Line) -> None:
    async with opened_store(order, Silence(), read_only=True) as store:
        own = _own(order, store, allowed_by(request.allow))
        prepared = await own.reconciler.plan(own.loaded)
    line.begin(JSON)
    line.tell(
        version=mailstack.__version__,
        is_done=prepared.is_done,
        plan=document(prepared.plan),
        shown=_shown(prepared.plan.changes),
    )


async def apply_own(order: Order, request: OwnApplyRequest, line: Line) -> None:
    bus = open_bus(order.store)
    async with AsyncExitStack() as turn:
        await turn.enter_async_context(
            apply_turn(order.store, f"the admin page, for {order.caller}", wait_s=TURN_WAIT_S)
        )
        async with opened_store(order, bus, read_only=False) as store:
            await bus.start()
            try:
                await _apply_to(store, order, request, line, turn.aclose)
            finally:
                await bus.close()


async def _apply_to(store: Store, order: Order, request: OwnApplyRequest, line: Line, leave_turn: LeaveTurn) -> None:
    storage = order.store.folder
    settle(storage, await store.state.summary())
    own = _own(order, store, allowed_by(request.allow))
    prepared = await own.reconciler.plan(own.loaded)
    refuse_stale(prepared.plan, request.expected)
    declared = {*own.loaded.spec.accounts, *own.loaded.spec.domains}
    refuse_unknown(tuple(map(allowed_name, request.allow.destroy)), prepared.plan, declared)
    refuse(prepared.plan.stops, prepared.plan.spec_arguments)
    await refuse_unbindable(store, own.loaded)
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
    line.tell(
        step="Applied",
        generation=int(done.generation),
        by_hand=by_hand_document(done.by_hand),
        waiting_for_dns=list(done.waiting),
    )


def _own(order: Order, store: Store, allowed: Allowed | None = None) -> Own:
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
