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
from collections.abc import Mapping
from dataclasses import asdict, replace
from http import HTTPStatus
from pathlib import Path
from types import FrameType

import structlog

import mailstack
from mailstack.app.answer_line import JSON, LINES, Line
from mailstack.app.api_dns import tell_around, tell_records, tell_zone
from mailstack.app.api_line import Steps, opened_store
from mailstack.app.api_models import (
    ApplyRequest,
    ChangeRequest,
    EntryRequest,
    OwnApplyRequest,
    OwnPlanRequest,
    PlanRequest,
    TokensRequest,
    UndoRequest,
    WriteRequest,
    ZoneRequest,
    read_request,
)
from mailstack.app.api_own import apply_own, plan_own, tell_drift
from mailstack.app.api_process import Order
from mailstack.app.api_proposal import propose, tell_entry
from mailstack.app.api_spam import tell_spam, tell_tokens
from mailstack.app.api_spec_write import tell_edits, undo, write
from mailstack.app.api_turn import refuse_unfit, tell_applied, turn_to_apply
from mailstack.app.api_visit import Visit
from mailstack.app.applied_spec import keep_applied
from mailstack.app.change_log import named_changes
from mailstack.app.log import configure_log, keep_events
from mailstack.app.received import (
    Delivery,
    draft,
    finish,
    read_received,
    refuse_edited,
    settle,
)
from mailstack.app.runfiles import run_folder
from mailstack.app.silence import Silence
from mailstack.app.turn import LeaveTurn
from mailstack.model.errors import Conflict, DomainError, Forbidden, Invalid, NotFound, TryAgainLater, Unsupported
from mailstack.ports.store import Store
from mailstack.reconcile.awaiting import CarriedOut, carry_out
from mailstack.reconcile.awaiting import order as order_certificates
from mailstack.reconcile.plan import document
from mailstack.servers.calls import APPLIES, CallKind
from mailstack.spec.bundle import MAIN_NAME
from mailstack.spec.faults import SpecInvalid
from mailstack.spec.include import files_matching, read_files

log = structlog.get_logger()

MAIN = "main"  # as the bundle calls it
STATUSES: Mapping[type[DomainError], HTTPStatus] = {
    Conflict: HTTPStatus.CONFLICT,
    Forbidden: HTTPStatus.CONFLICT,  # by a brake: the token may, and nobody has said that this is meant
    Invalid: HTTPStatus.UNPROCESSABLE_ENTITY,
    NotFound: HTTPStatus.NOT_FOUND,
    TryAgainLater: HTTPStatus.SERVICE_UNAVAILABLE,
    Unsupported: HTTPStatus.UNPROCESSABLE_ENTITY,
}


def obey(connection: socket.socket) -> None:
    incoming = connection.makefile("rb")
    order = Order.decoded(incoming.readline())
    configure_log(order.log_format, order.log_level)
    keep_events(order.store.folder)
    # A worker ignores SIGTERM, and so would its child. An apply does too: half of one helps nobody.
    signal.signal(signal.SIGTERM, signal.SIG_IGN if order.kind in APPLIES else _leave)
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
        line.fail(HTTPStatus.UNPROCESSABLE_ENTITY, told, faults=faults)
    except DomainError as fault:
        status = next((STATUSES[kind] for kind in type(fault).__mro__ if kind in STATUSES), None)
        line.fail(status or HTTPStatus.INTERNAL_SERVER_ERROR, fault.detail)
    except Exception:  # the caller learns that it failed, the log why
        log.exception("the API's call failed", call=order.kind, caller=order.caller)
        line.fail(HTTPStatus.INTERNAL_SERVER_ERROR, "an internal error; the server's log says more")


def _leave(_number: int, _frame: FrameType | None) -> None:
    """By way of all that has to be cleaned up."""
    sys.exit(0)


def _as_sent(file: str) -> str:
    return MAIN if file == MAIN_NAME else file


async def _carry_out(order: Order, content: bytes, line: Line) -> None:
    match CallKind(order.kind):
        case CallKind.DRIFT:
            await tell_drift(order, line)
        case CallKind.PLAN:
            await _plan(order, read_request(PlanRequest, content), line)
        case CallKind.APPLY:
            await _apply(order, read_request(ApplyRequest, content), line)
        case CallKind.OWN_DRIFT:
            await tell_drift(order, line, shown=True)
        case CallKind.OWN_PLAN:
            await plan_own(order, read_request(OwnPlanRequest, content), line)
        case CallKind.OWN_APPLY:
            await apply_own(order, read_request(OwnApplyRequest, content), line)
        case CallKind.ENTRY:
            await tell_entry(order, read_request(EntryRequest, content), line)
        case CallKind.PROPOSAL:
            propose(order, read_request(ChangeRequest, content), line)
        case CallKind.RECORDS:
            await tell_records(order, line)
        case CallKind.ZONE:
            await tell_zone(order, read_request(ZoneRequest, content), line)
        case CallKind.AROUND_DNS:
            await tell_around(order, line)
        case CallKind.SPAM:
            await tell_spam(order, line)
        case CallKind.TOKENS:
            await tell_tokens(order, read_request(TokensRequest, content), line)
        case CallKind.WRITE:
            await write(order, read_request(WriteRequest, content), line)
        case CallKind.UNDO:
            await undo(order, read_request(UndoRequest, content), line)
        case CallKind.EDITS:
            tell_edits(order, line)


async def _plan(order: Order, request: PlanRequest, line: Line) -> None:
    async with opened_store(order, Silence(), read_only=True) as store:
        visit = Visit.begin(order, request)
        prepared = await visit.reconciler(store, request).plan(visit.loaded)
    line.begin(JSON)
    line.tell(version=mailstack.__version__, is_done=prepared.is_done, plan=document(prepared.plan))


async def _apply(order: Order, request: ApplyRequest, line: Line) -> None:
    async with turn_to_apply(order, f"the API, for token {order.caller}") as (store, leave_turn):
        await _apply_to(store, order, request, line, leave_turn)


async def _apply_to(store: Store, order: Order, request: ApplyRequest, line: Line, leave_turn: LeaveTurn) -> None:
    storage = order.store.folder
    settle(storage, await store.state.summary())
    visit = Visit.begin(order, request)
    applied = await store.state.summary()
    if not request.overwrite and visit.own.digest != visit.loaded.digest:  # else nothing would be lost
        refuse_edited(visit.own, applied.spec_hash, read_received(storage))
    reconciler = visit.reconciler(store, request)
    prepared = await reconciler.plan(visit.loaded)
    await refuse_unfit(store, visit.loaded, prepared.plan, expected=request.expected, allow=request.allow)
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
    tell_applied(line, done)


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
