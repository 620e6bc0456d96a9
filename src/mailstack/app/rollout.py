"""A spec rolled out on a server that serves: its own state first, told at once, then DNS; certificates last.

Mail is served by the new state while DNS is still being written, and then looked for. Others may apply again before
certificates are ordered, which takes minutes.
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import structlog

from mailstack.app.applied_spec import keep_applied
from mailstack.app.change_log import log_orders, named_changes
from mailstack.app.clock import system_clock
from mailstack.app.looking import refuse_waiting, tell_drift
from mailstack.app.messages import Finished
from mailstack.app.reconcilers import outward
from mailstack.app.turn import LeaveTurn
from mailstack.model.errors import DomainError
from mailstack.model.ids import Generation
from mailstack.model.instant import Instant, earliest
from mailstack.model.resource import Kind
from mailstack.reconcile.awaiting import until_seen
from mailstack.reconcile.brake import refuse
from mailstack.reconcile.dns.targets import NoDns
from mailstack.reconcile.planning import AFTER_RENEWAL_MS
from mailstack.reconcile.prepared import Prepared
from mailstack.reconcile.reconciler import Reconciler
from mailstack.spec.faults import SpecInvalid
from mailstack.spec.load import LoadedSpec
from mailstack.spec.sections.domains import MANUAL_PROVIDER

log = structlog.get_logger()

NOT_IN_DNS = (
    Kind.RECEIVING,
    Kind.SPAM,
    Kind.SIEVE,
    Kind.ACCOUNT,
    Kind.SCRIPT,
    Kind.ALIAS,
    Kind.LIST,
    Kind.SENDING,
    Kind.RELAY,
    Kind.ROUTES,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """reconciler: for the server's own state (reconcilers.inward). tell_applied: workers serve what the state holds
    from now on. leave_turn: lets others apply."""

    loaded: LoadedSpec
    reconciler: Reconciler
    tell_applied: Callable[[], Awaitable[None]]
    leave_turn: LeaveTurn


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    prepared: Prepared
    generation: Generation


async def roll_out(rollout: Rollout) -> Finished:
    loaded, inward = rollout.loaded, replace(rollout.reconciler, dns=NoDns())
    prepared = await inward.plan(loaded)
    if _reaches_dns(prepared):
        await _refuse_held_by_dns(outward(rollout.reconciler, loaded), loaded)
    first = await _carry_out(inward, prepared)
    keep_applied(loaded.spec.storage.path, loaded)
    await rollout.tell_applied()
    reconciler = outward(rollout.reconciler, loaded)
    try:
        done = await _run_and_tell(rollout, reconciler)
    except DomainError:
        await _order_without_dns(rollout, reconciler)
        raise
    drift = tell_drift([*first.prepared.plan.changes, *done.prepared.plan.changes])
    if await until_seen(reconciler, loaded):
        done = await _run_and_tell(rollout, reconciler)
    await rollout.leave_turn()
    return replace(finished(await _ordered(reconciler, done)), drift=drift)


async def roll_out_due(rollout: Rollout) -> Finished:
    """Under reconcile.on_change: plan-only: an edited spec waits, drift is told, what is due by the clock is done."""
    prepared = await outward(rollout.reconciler, rollout.loaded).plan(rollout.loaded)
    if prepared.context.live.spec_hash != rollout.loaded.digest:
        refuse_waiting(prepared.plan)
    if prepared.plan.is_empty:
        return await roll_out(rollout)
    drift = tell_drift(prepared.plan.changes)
    if len(drift) == len(prepared.plan.changes):
        await rollout.tell_applied()
        return Finished(generation=prepared.plan.generation, again_at=prepared.again_at, drift=drift)
    done = await roll_out(replace(rollout, reconciler=replace(rollout.reconciler, leaves_drift=True)))
    return replace(done, drift=drift)


async def run_plan(reconciler: Reconciler, loaded: LoadedSpec) -> Done:
    return await _carry_out(reconciler, await reconciler.plan(loaded))


def finished(done: Done) -> Finished:
    """The last of several plans says what is left to do, and what a person should know."""
    for warning in done.prepared.plan.warnings:
        log.warning(warning.text, subject=warning.subject)
    return Finished(generation=done.generation, again_at=done.prepared.again_at)


async def _run_and_tell(rollout: Rollout, reconciler: Reconciler) -> Done:
    done = await run_plan(reconciler, rollout.loaded)
    if done.prepared.changes_services:
        await rollout.tell_applied()
    return done


async def _carry_out(reconciler: Reconciler, prepared: Prepared) -> Done:
    generation = await reconciler.apply(prepared)
    if not prepared.plan.is_empty:
        log.info("applied", generation=generation, **named_changes(prepared.plan.changes))
    return Done(prepared=prepared, generation=generation)


async def _order_without_dns(rollout: Rollout, reconciler: Reconciler) -> None:
    """A DNS provider that fails for weeks must not let certificates run out."""
    without_dns = replace(reconciler, dns=NoDns(may_order=True))
    done = await _run_and_tell(rollout, without_dns)
    await rollout.leave_turn()
    await _order(without_dns, done.prepared)


async def _ordered(reconciler: Reconciler, done: Done) -> Done:
    generation = await _order(reconciler, done.prepared)
    if generation == done.generation:
        return done
    # Only a plan that is made after an order knows what comes next.
    again_at = earliest(done.prepared.again_at, Instant(system_clock() + AFTER_RENEWAL_MS))
    return Done(prepared=replace(done.prepared, again_at=again_at), generation=generation)


async def _order(reconciler: Reconciler, prepared: Prepared) -> Generation:
    with _ending_in_order():
        return await reconciler.order(prepared, log_orders)


@contextmanager
def _ending_in_order() -> Iterator[None]:
    """SIGTERM ends this process once it has let go of its lease and its proofs: whoever orders next need not wait until
    they end by themselves."""
    loop, told = asyncio.get_running_loop(), asyncio.Event()
    task = asyncio.current_task()

    def end() -> None:
        told.set()
        if task is not None:
            task.cancel()

    loop.add_signal_handler(signal.SIGTERM, end)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGTERM)
        if told.is_set():
            # Not by the loop's own end, which waits for threads that wait for an authority.
            signal.raise_signal(signal.SIGTERM)


def _reaches_dns(prepared: Prepared) -> bool:
    """Whether an edited spec may change zones that mailstack wrote to; for any other a reload waits for no provider."""
    live, steps = prepared.context.live, prepared.steps
    if live.spec_hash == prepared.plan.spec_hash or (
        steps and all(step.wanted.resource.kind in NOT_IN_DNS for step in steps)
    ):
        return False
    zones = (resource for (kind, _), resource in live.resources.items() if kind is Kind.DNS_ZONE)
    return any(zone.fields["provider"] != MANUAL_PROVIDER for zone in zones)


async def _refuse_held_by_dns(reconciler: Reconciler, loaded: LoadedSpec) -> None:
    """Raises Forbidden where a brake on DNS holds, before the state follows the spec: all of it waits.

    A provider that cannot be asked holds nothing back.
    """
    try:
        plan = (await reconciler.plan(loaded)).plan
    except (DomainError, SpecInvalid) as fault:
        log.warning("DNS cannot be planned yet; the server's own state goes ahead", reason=str(fault))
        return
    refuse(plan.stops, plan.spec_arguments)
