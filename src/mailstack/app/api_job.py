"""Carries out one plan or apply for the API: the process behind app.api_process.

It trusts the worker for who calls and what that token may do, and nothing of what was sent. The answer is a line with
the status, then the content: a JSON document, or for an apply one JSON line for each step (docs/gitops.md).
"""

import asyncio
import os
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, replace
from http import HTTPStatus
from pathlib import Path
from types import FrameType

import orjson
import structlog

import mailstack
from mailstack.app.api_models import ApplyRequest, PlanRequest, read_request
from mailstack.app.api_process import Order
from mailstack.app.api_visit import Visit, own_spec
from mailstack.app.applied_spec import keep_applied
from mailstack.app.blueprint import read_blueprint
from mailstack.app.change_log import named_changes
from mailstack.app.faults import CannotServe
from mailstack.app.log import configure_log
from mailstack.app.received import (
    Delivery,
    as_far_as_received,
    draft,
    finish,
    read_received,
    refuse_edited,
    settle,
)
from mailstack.app.reconcilers import reconciler_of, sandbox_reconciler
from mailstack.app.runfiles import run_folder
from mailstack.app.sandbox import SandboxJob, account_passwords, harmless
from mailstack.app.shared_clock import open_store_in_step
from mailstack.app.silence import Silence
from mailstack.app.sockets import bind, endpoints_of, give_up
from mailstack.app.spec_loaded import endpoints_in
from mailstack.app.stores import open_bus
from mailstack.app.turn import LeaveTurn, apply_turn
from mailstack.model.errors import Conflict, DomainError, Forbidden, Invalid, TryAgainLater
from mailstack.ports.bus import Bus
from mailstack.ports.store import Store
from mailstack.reconcile.awaiting import CarriedOut, carry_out
from mailstack.reconcile.awaiting import order as order_certificates
from mailstack.reconcile.brake import allowed_name, refuse, refuse_unknown
from mailstack.reconcile.drift import drift_document
from mailstack.reconcile.plan import by_hand_document, document
from mailstack.reconcile.prepared import Prepared
from mailstack.reconcile.progress import Event, StateCommitted
from mailstack.servers.calls import CallKind
from mailstack.spec.bundle import MAIN_NAME
from mailstack.spec.faults import SpecInvalid
from mailstack.spec.include import files_matching, read_files
from mailstack.spec.load import LoadedSpec

log = structlog.get_logger()

TURN_WAIT_S = 15.0
PATIENCE_S = 20.0
"""With a caller that has not taken the last of the answer yet."""
MAIN = "main"  # as the bundle calls it
JSON, LINES, PROBLEM = "application/json", "application/x-ndjson", "application/problem+json"
STATUSES: Mapping[type[DomainError], HTTPStatus] = {
    Conflict: HTTPStatus.CONFLICT,
    Forbidden: HTTPStatus.CONFLICT,  # by a brake: the token may, and nobody has said that this is meant
    Invalid: HTTPStatus.UNPROCESSABLE_ENTITY,
    TryAgainLater: HTTPStatus.SERVICE_UNAVAILABLE,
}


class Line:
    """Blocking: this process has nothing else to do. A caller that goes away changes nothing but that nobody hears; so
    does one that stays and does not listen, for an apply holds up all others meanwhile."""

    def __init__(self, connection: socket.socket, *, patience_s: float = PATIENCE_S) -> None:
        connection.settimeout(patience_s)
        self._connection = connection
        self._is_heard = True
        self.has_begun = False

    def begin(self, media_type: str, status: int = HTTPStatus.OK) -> None:
        self.has_begun = True
        self.tell(status=int(status), media_type=media_type)

    def tell(self, **fields: object) -> None:
        self.write(orjson.dumps(fields) + b"\n")

    def write(self, data: bytes) -> None:
        try:
            if self._is_heard:
                self._connection.sendall(data)
        except OSError:  # TimeoutError among them
            self._is_heard = False


def obey(connection: socket.socket) -> None:
    incoming = connection.makefile("rb")
    order = Order.decoded(incoming.readline())
    configure_log(order.log_format, order.log_level)
    # A worker ignores SIGTERM, and so would its child. An apply does too: half of one helps nobody.
    signal.signal(signal.SIGTERM, signal.SIG_IGN if order.kind == CallKind.APPLY else _leave)
    line = Line(connection)
    try:
        with tempfile.TemporaryDirectory(dir=run_folder(order.store.folder), prefix="api-") as folder:
            os.chdir(folder)
            try:
                asyncio.run(_carry_out(order, incoming.read(order.size), line))
            finally:
                # A caller who leaves now would leave half of the folder here.
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
    except SpecInvalid as invalid:
        faults = [asdict(fault) | {"file": _as_sent(fault.file)} for fault in invalid.shown]
        count = len(invalid.faults)
        told = "1 fault of the spec" if count == 1 else f"{count} faults of the spec"
        _fail(line, HTTPStatus.UNPROCESSABLE_ENTITY, told, faults=faults)
    except DomainError as fault:
        status = next((STATUSES[kind] for kind in type(fault).__mro__ if kind in STATUSES), None)
        _fail(line, status or HTTPStatus.INTERNAL_SERVER_ERROR, fault.detail)
    except Exception:  # the caller learns that it failed, the log why
        log.exception("the API's call failed", call=order.kind, caller=order.caller)
        _fail(line, HTTPStatus.INTERNAL_SERVER_ERROR, "an internal error; the server's log says more")


def _leave(_number: int, _frame: FrameType | None) -> None:
    """By way of all that has to be cleaned up."""
    sys.exit(0)


def _as_sent(file: str) -> str:
    return MAIN if file == MAIN_NAME else file


async def _carry_out(order: Order, content: bytes, line: Line) -> None:
    match CallKind(order.kind):
        case CallKind.DRIFT:
            await _drift(order, line)
        case CallKind.PLAN:
            await _plan(order, read_request(PlanRequest, content), line)
        case CallKind.APPLY:
            await _apply(order, read_request(ApplyRequest, content), line)


async def _drift(order: Order, line: Line) -> None:
    """Of the server's own spec."""
    own = own_spec(Path(order.spec))
    async with _store(order, Silence(), read_only=True) as store:
        if order.sandbox is not None:
            sandbox = SandboxJob.from_json(order.sandbox)
            own = harmless(own, sandbox)
            reconciler = sandbox_reconciler(store, sandbox, account_passwords(own.spec.accounts, sandbox))
        else:
            reconciler = as_far_as_received(reconciler_of(store, order.store, own), order.store.folder, own)
        found = await reconciler.drift(own)
    line.begin(JSON)
    line.tell(**drift_document(found))


async def _plan(order: Order, request: PlanRequest, line: Line) -> None:
    async with _store(order, Silence(), read_only=True) as store:
        visit = Visit.begin(order, request)
        prepared = await visit.reconciler(store, request).plan(visit.loaded)
    line.begin(JSON)
    line.tell(version=mailstack.__version__, is_done=prepared.is_done, plan=document(prepared.plan))


async def _apply(order: Order, request: ApplyRequest, line: Line) -> None:
    bus = open_bus(order.store)
    async with AsyncExitStack() as turn:
        who = f"the API, for token {order.caller}"
        await turn.enter_async_context(apply_turn(order.store, who, wait_s=TURN_WAIT_S))
        async with _store(order, bus, read_only=False) as store:
            await bus.start()
            try:
                await _apply_to(store, order, request, line, turn.aclose)
            finally:
                await bus.close()


async def _apply_to(store: Store, order: Order, request: ApplyRequest, line: Line, leave_turn: LeaveTurn) -> None:
    storage = order.store.folder
    settle(storage, await store.state.summary())
    visit = Visit.begin(order, request)
    applied = await store.state.summary()
    if not request.overwrite and visit.own.digest != visit.loaded.digest:  # else nothing would be lost
        refuse_edited(visit.own, applied.spec_hash, read_received(storage))
    reconciler = visit.reconciler(store, request)
    prepared = await reconciler.plan(visit.loaded)
    _refuse_stale(prepared, request)
    declared = {*visit.loaded.spec.accounts, *visit.loaded.spec.domains}
    refuse_unknown(tuple(map(allowed_name, request.allow.destroy)), prepared.plan, declared)
    refuse(prepared.plan.stops, prepared.plan.spec_arguments)
    await _refuse_unbindable(store, visit.loaded)
    done = CarriedOut(generation=prepared.plan.generation, by_hand=prepared.plan.by_hand, waiting=())
    if not prepared.is_done or visit.own.digest != visit.loaded.digest:
        delivery = visit.delivery(order.caller, base=applied.generation)
        _refuse_strangers(visit, delivery)
        draft(storage, delivery)
        steps = Steps(line)
        try:
            line.begin(LINES)
            done = await carry_out(reconciler, visit.loaded, prepared, steps.tell)
        finally:
            # Also where DNS failed on the way: what the state holds is applied, and must be what is served from now on.
            finish(storage, is_applied=steps.is_committed)
            if steps.is_committed:
                keep_applied(storage, visit.sent)
        log.info("applied", generation=done.generation, caller=order.caller, **named_changes(prepared.plan.changes))
        await leave_turn()
        done = replace(done, generation=await order_certificates(reconciler, visit.loaded, prepared, steps.tell))
    if not line.has_begun:
        line.begin(LINES)
    line.tell(
        step="Applied",
        generation=int(done.generation),
        by_hand=by_hand_document(done.by_hand),
        waiting_for_dns=list(done.waiting),
    )


def _refuse_stale(prepared: Prepared, request: ApplyRequest) -> None:
    plan, expected = prepared.plan, request.expected
    if plan.spec_hash != expected.spec_hash:
        raise Conflict("the spec has changed since the plan was made; nothing was changed, plan again")
    if plan.live_hash != expected.live_hash:
        raise Conflict("the server or its DNS has changed since the plan was made; nothing was changed, plan again")
    if plan.plan_hash != expected.plan_hash:
        raise Conflict("apply would do something else than the plan says now; nothing was changed, plan again")


async def _refuse_unbindable(store: Store, loaded: LoadedSpec) -> None:
    """As for a spec that is saved: with a state that nothing can listen for, the next start would serve nothing."""
    held = endpoints_of((await read_blueprint(store.state)).listeners)
    try:
        give_up(bind((endpoint for endpoint in endpoints_in(loaded.spec) if endpoint not in held), {}))
    except (CannotServe, OSError) as fault:
        raise Conflict(f"{fault}; nothing was changed") from None


def _refuse_strangers(visit: Visit, delivery: Delivery) -> None:
    """A pattern that would find files on the server which were never sent: it would be another spec there."""
    folder = delivery.main.parent
    going = {folder / name for name in delivery.files} | {path.absolute() for path in delivery.former}
    reading = read_files(Path(MAIN_NAME))
    found = {path for start, pattern in reading.patterns for path in files_matching(folder / start, pattern)}
    if strange := sorted(found - going):
        raise Conflict(
            f"the spec includes {visit.own.path.parent / strange[0]}, which lies on the server and was not sent:"
            " take it away there, or include less; nothing was changed"
        )


class Steps:
    """What an apply has done so far, as app.api_models has the steps."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self.is_committed = False

    def tell(self, event: Event) -> None:
        self.is_committed |= isinstance(event, StateCommitted)
        self._line.tell(step=type(event).__name__, **asdict(event))


@asynccontextmanager
async def _store(order: Order, bus: Bus, *, read_only: bool) -> AsyncIterator[Store]:
    store = await open_store_in_step(order.store, bus=bus, read_only=read_only)
    try:
        yield store
    finally:
        await store.close()


def _fail(line: Line, status: int, detail: str, **more: object) -> None:
    if line.has_begun:
        line.tell(step="Failed", status=int(status), detail=detail, **more)
        return
    line.begin(PROBLEM, status)
    line.tell(title=HTTPStatus(status).phrase, status=int(status), detail=detail, **more)
