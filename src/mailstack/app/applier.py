"""The process that reads a spec and makes it so, for a supervisor that waits at the other end of a line.

Started as app.apply_main. The command line's own `plan` and `apply` do the same in the open (cli/). How a spec is
carried out on a server that serves is app.rollout's.
"""

import asyncio
import socket
import time
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import IO

import structlog

from mailstack.app.applied_spec import keep_applied, spec_for_upkeep
from mailstack.app.blueprint import read_blueprint, to_json
from mailstack.app.clock import system_clock
from mailstack.app.log import configure_log, flush_log, keep_events
from mailstack.app.messages import Applied, Broken, Faulty, Finished, Go, Job, Loaded, Message, decode, encode
from mailstack.app.received import as_far_as_received, is_unsettled, read_received, settle
from mailstack.app.reconcilers import SERVE, Place, inward, sandbox_reconciler
from mailstack.app.rollout import Rollout, finished, roll_out, roll_out_due, run_plan
from mailstack.app.sandbox import SandboxJob, account_passwords, harmless, sandbox_storage
from mailstack.app.shared_clock import open_store_in_step
from mailstack.app.silence import QuietGenerations, Silence
from mailstack.app.spec_loaded import loaded_message
from mailstack.app.store_address import StoreAddress
from mailstack.app.store_named import address_in
from mailstack.app.stores import node_at, open_bus, open_store
from mailstack.app.turn import LeaveTurn, apply_turn
from mailstack.app.upkeep_turn import LOOK_AGAIN_MS, keep_upkeep, leave_upkeep, take_upkeep
from mailstack.app.whereabouts import find_storage
from mailstack.model.errors import Conflict, DomainError, NotFound, TryAgainLater
from mailstack.model.instant import Instant
from mailstack.model.principal import Role
from mailstack.ports.state import State
from mailstack.reconcile.awaiting import until_seen
from mailstack.spec.faults import SpecInvalid
from mailstack.spec.load import LoadedSpec, load_spec
from mailstack.spec.secrets import SecretMissing
from mailstack.spec.sections.server import PLAN_ONLY

log = structlog.get_logger()


class Line:
    """Blocking: this process has nothing else to do."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lines: IO[bytes] = connection.makefile("rb")

    def send(self, message: Message) -> None:
        # Whoever hears of an end may end this process: what led to it is in the log by then.
        flush_log()
        self._connection.sendall(encode(message))

    def receive(self) -> Message | None:
        line = self._lines.readline()
        return decode(line) if line else None

    def wait_for_go(self) -> None:
        if not isinstance(self.receive(), Go):
            raise BrokenPipeError


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """A spec to apply, once it is read. loaded: made harmless where there is a sandbox."""

    job: Job
    loaded: LoadedSpec
    sandbox: SandboxJob | None
    line: Line
    leave_turn: LeaveTurn


def obey(connection: socket.socket) -> None:
    line = Line(connection)
    job = line.receive()
    if not isinstance(job, Job):
        return
    configure_log(job.log_format, job.log_level)
    began_ns = time.time_ns()
    try:
        line.send(asyncio.run(_work(job, line)))
    except SpecInvalid as invalid:
        watch = [str(file) for file in find_storage(Path(job.spec)).files]
        line.send(Faulty(faults=list(invalid.lines()), watch=watch, read_at_ns=began_ns))
    except BrokenPipeError:
        pass  # the supervisor has gone, or has a newer spec
    except (DomainError, SecretMissing, OSError) as fault:
        line.send(Broken(reason=str(fault)))
    except Exception as fault:
        log.exception("apply failed")
        line.send(Broken(reason=f"internal error: {type(fault).__name__}: {fault}"))


async def _work(job: Job, line: Line) -> Message:
    if job.read_only:
        return await _read(job)
    return await (_last_applied(job, line) if job.last_applied else _apply(job, line))


async def _last_applied(job: Job, line: Line) -> Message:
    read_at_ns = time.time_ns()
    found = find_storage(Path(job.spec))
    storage = StoreAddress.from_json(job.storage) if job.storage is not None else found.storage
    if storage is None:
        raise NotFound(f"{job.spec} names a database, and does not say which as it is")
    watch = [str(file) for file in found.files]
    line.send(Loaded(storage=storage.to_json(), workers=0, endpoints=(), watch=watch, read_at_ns=read_at_ns))
    line.wait_for_go()
    # Not only to read: after an upgrade of the program the store may have to be migrated first.
    store = await open_store(storage, clock=system_clock, bus=Silence())
    try:
        return await _applied(store.state)
    finally:
        await store.close()


async def _read(job: Job) -> Message:
    store = await open_store(_storage_of(job), clock=system_clock, bus=Silence(), read_only=True)
    try:
        return await _applied(store.state)
    finally:
        await store.close()


async def _apply(job: Job, line: Line) -> Message:
    before = _storage_of(job)
    await settle_received(before)
    received = read_received(before.folder)
    read_at_ns = time.time_ns()
    loaded = await spec_for_upkeep(before, Path(job.spec)) if job.upkeep else load_spec(Path(job.spec))
    sandbox = SandboxJob.from_json(job.sandbox) if job.sandbox is not None else None
    if sandbox is not None:
        loaded = harmless(loaded, sandbox)
    storage = address_in(loaded)
    line.send(loaded_message(loaded, storage, read_at_ns))
    line.wait_for_go()
    keep_events(storage.folder)
    async with AsyncExitStack() as turn:
        await turn.enter_async_context(apply_turn(storage, SERVE if sandbox is None else "mailstack sandbox"))
        if read_received(storage.folder) != received:
            # What was read is the former spec, or half of each; applied now, it would undo what was just applied.
            raise Conflict(f"another spec came by the API while {job.spec} was read; it is read again")
        task = _Task(job=job, loaded=loaded, sandbox=sandbox, line=line, leave_turn=turn.aclose)
        return await _apply_to(storage, task)


async def _apply_to(storage: StoreAddress, task: _Task) -> Message:
    bus = open_bus(storage)
    store = await open_store_in_step(storage, bus=QuietGenerations(bus))
    try:
        await bus.start()
        place = Place(store=store, storage=storage)
        if not storage.database:
            return await _apply_at(place, task)
        found = await (_look_after if task.job.upkeep else _apply_at)(place, task)
        # What the database's clock shows then, as the supervisor's will show it.
        ahead_ms = system_clock() - store.clock()
        return replace(found, again_at=None if found.again_at is None else found.again_at + ahead_ms)
    finally:
        await bus.close()
        await store.close()


async def _look_after(place: Place, task: _Task) -> Finished:
    """Of several nodes, one."""
    store, node = place.store, node_at(place.storage)
    if not await take_upkeep(store.locks, node, now=store.clock()):
        await _tell_applied(task.line, store.state)
        later = store.clock() + LOOK_AGAIN_MS
        return Finished(generation=await store.state.generation(), again_at=later, is_elsewhere=True)
    try:
        found = await _apply_at(place, task)
    except BaseException:  # another node must not wait for the lease to run out
        await leave_upkeep(store.locks, node)
        raise
    again_at = None if found.again_at is None else Instant(found.again_at)
    await keep_upkeep(store.locks, node, now=store.clock(), again_at=again_at)
    return found


async def _apply_at(place: Place, task: _Task) -> Finished:
    state = place.store.state
    snapshot = await state.snapshot(())
    is_applied = snapshot.spec_hash == task.loaded.digest
    if task.job.upkeep and not is_applied:
        await _tell_applied(task.line, state)
        note = f"{task.job.spec} is not the spec that was applied last"
        return Finished(generation=snapshot.generation, note=note)
    if task.sandbox is not None:
        return await _apply_in_sandbox(place, task, task.sandbox)
    if is_applied:
        keep_applied(place.storage.folder, task.loaded)
    return await _apply_for_real(place, task)


async def _apply_for_real(place: Place, task: _Task) -> Finished:
    loaded, tell = task.loaded, partial(_tell_applied, task.line, place.store.state)
    rollout = Rollout(
        loaded=loaded,
        reconciler=as_far_as_received(inward(place, loaded, on_issued=tell), place.storage.folder, loaded),
        tell_applied=tell,
        leave_turn=task.leave_turn,
    )
    return await (roll_out_due if loaded.spec.reconcile.on_change == PLAN_ONLY else roll_out)(rollout)


async def _apply_in_sandbox(place: Place, task: _Task, sandbox: SandboxJob) -> Finished:
    """Its DNS is files beside it: all at once, before anything is served."""
    passwords = account_passwords(task.loaded.spec.accounts, sandbox)
    reconciler = sandbox_reconciler(place.store, sandbox, passwords)
    done = await run_plan(reconciler, task.loaded)
    if await until_seen(reconciler, task.loaded):
        done = await run_plan(reconciler, task.loaded)
    admins = [login for login, account in task.loaded.spec.accounts.items() if Role.ADMIN in account.roles]
    task.line.send(replace(await _applied(place.store.state), accounts=passwords, admins=admins))
    return finished(done)


async def _tell_applied(line: Line, state: State) -> None:
    line.send(await _applied(state))


async def _applied(state: State) -> Applied:
    return Applied(blueprint=to_json(await read_blueprint(state)))


def _storage_of(job: Job) -> StoreAddress:
    """Before the spec is known to be of use. Raises SpecInvalid, Invalid where it does not even say this."""
    if job.sandbox is not None:
        return sandbox_storage(Path(job.sandbox["state"]))
    if job.storage is not None:
        return StoreAddress.from_json(job.storage)
    return find_storage(Path(job.spec)).storage or address_in(load_spec(Path(job.spec)))


async def settle_received(storage: StoreAddress) -> None:
    """A crash may have left a spec that came by the API on its way into its place."""
    if not is_unsettled(storage.folder):
        return
    store = await open_store(storage, clock=system_clock, bus=Silence(), read_only=True)
    try:
        with suppress(TryAgainLater):  # or it is on its way just now
            async with apply_turn(storage, SERVE, wait_s=0):
                settle(storage.folder, await store.state.summary())
    finally:
        await store.close()
