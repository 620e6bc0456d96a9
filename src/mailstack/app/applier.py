"""The process that reads a spec and makes it so, for a supervisor that waits at the other end of a line.

Started as app.apply_main. The command line's own `plan` and `apply` do the same in the open (cli/).
The server's own state comes first and is told at once; DNS follows while mail is already served.
"""

import asyncio
import signal
import socket
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

import structlog

from mailstack.app.applied_spec import keep_applied, spec_for_upkeep
from mailstack.app.blueprint import read_blueprint, to_json
from mailstack.app.clock import system_clock
from mailstack.app.holdings import holders_in
from mailstack.app.issuing import issuing_with, nobody_is_told
from mailstack.app.log import configure_log
from mailstack.app.looking import refuse_waiting, tell_drift
from mailstack.app.messages import Applied, Broken, Faulty, Finished, Go, Job, Loaded, Message, decode, encode
from mailstack.app.received import as_far_as_received, is_unsettled, read_received, settle
from mailstack.app.sandbox import CERTIFICATE_NAMES, SandboxJob, account_passwords, harmless
from mailstack.app.sandbox_state import zones_folder
from mailstack.app.shared_clock import SharedClock
from mailstack.app.silence import QuietGenerations, Silence
from mailstack.app.sockets import Endpoint, endpoints_of
from mailstack.app.store_address import StoreAddress
from mailstack.app.store_named import address_in
from mailstack.app.stores import node_at, open_bus, open_store
from mailstack.app.turn import apply_turn
from mailstack.app.upkeep_turn import LOOK_AGAIN_MS, keep_upkeep, leave_upkeep, take_upkeep
from mailstack.app.whereabouts import find_storage
from mailstack.model.errors import Conflict, DomainError, NotFound, TryAgainLater
from mailstack.model.ids import Generation
from mailstack.model.instant import Clock, Instant, as_datetime, earliest
from mailstack.model.resource import Kind, Operation
from mailstack.ports.store import Store
from mailstack.reconcile.awaiting import until_seen
from mailstack.reconcile.brake import EVERYTHING_ALLOWED, Brake, nobody, refuse
from mailstack.reconcile.dns.targets import NoDns, ZoneFiles
from mailstack.reconcile.plan import Plan
from mailstack.reconcile.progress import (
    CertificateIssued,
    CertificateNotIssued,
    ContactNotTold,
    ContactTold,
    Event,
    OrderBegun,
    OrderElsewhere,
    TurnAwaited,
)
from mailstack.reconcile.reconciler import AFTER_RENEWAL_MS, Prepared, Reconciler
from mailstack.services.identity.passwords import HashCost, hash_password
from mailstack.spec.faults import SpecInvalid
from mailstack.spec.load import LoadedSpec, load_spec
from mailstack.spec.model import Spec
from mailstack.spec.secrets import SecretMissing
from mailstack.spec.sections.domains import MANUAL_PROVIDER
from mailstack.spec.sections.server import PLAN_ONLY

log = structlog.get_logger()

PAST = {
    Operation.CREATE: "created",
    Operation.UPDATE: "updated",
    Operation.MOVE: "moved",
    Operation.DESTROY: "destroyed",
}
NAMED = 20
SERVE = "mailstack serve"
LeaveTurn = Callable[[], Awaitable[None]]
"""Lets others apply while certificates are ordered."""
NOT_IN_DNS = (Kind.ACCOUNT, Kind.ALIAS, Kind.RELAY, Kind.ROUTES)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Done:
    prepared: Prepared
    generation: Generation


class Line:
    """Blocking: this process has nothing else to do."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lines: IO[bytes] = connection.makefile("rb")

    def send(self, message: Message) -> None:
        self._connection.sendall(encode(message))

    def receive(self) -> Message | None:
        line = self._lines.readline()
        return decode(line) if line else None


def obey(connection: socket.socket) -> None:
    line = Line(connection)
    job = line.receive()
    if not isinstance(job, Job):
        return
    configure_log(job.log_format, job.log_level)
    try:
        line.send(asyncio.run(_work(job, line)))
    except SpecInvalid as invalid:
        line.send(Faulty(faults=list(invalid.lines())))
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
    _wait_for_go(line)
    # Not only to read: after an upgrade of the program the store may have to be migrated first.
    store = await open_store(storage, clock=system_clock, bus=Silence())
    try:
        return Applied(blueprint=to_json(await read_blueprint(store.state)))
    finally:
        await store.close()


async def _read(job: Job) -> Message:
    store = await open_store(_storage_of(job), clock=system_clock, bus=Silence(), read_only=True)
    try:
        return Applied(blueprint=to_json(await read_blueprint(store.state)))
    finally:
        await store.close()


async def _apply(job: Job, line: Line) -> Message:
    before = _storage_of(job)
    await _settle_received(before)
    received = read_received(before.folder)
    read_at_ns = time.time_ns()
    loaded = await spec_for_upkeep(before, Path(job.spec)) if job.upkeep else load_spec(Path(job.spec))
    sandbox = SandboxJob.from_json(job.sandbox) if job.sandbox is not None else None
    if sandbox is not None:
        loaded = harmless(loaded, sandbox)
    storage = address_in(loaded)
    line.send(_loaded(loaded, storage, read_at_ns))
    _wait_for_go(line)
    async with AsyncExitStack() as turn:
        await turn.enter_async_context(apply_turn(storage, SERVE if sandbox is None else "mailstack sandbox"))
        if read_received(storage.folder) != received:
            # What was read is the former spec, or half of each; applied now, it would undo what was just applied.
            raise Conflict(f"another spec came by the API while {job.spec} was read; it is read again")
        return await _apply_to(storage, job, loaded, line, turn.aclose)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """What is applied to."""

    store: Store
    storage: StoreAddress
    clock: Clock


async def _apply_to(storage: StoreAddress, job: Job, loaded: LoadedSpec, line: Line, leave_turn: LeaveTurn) -> Message:
    bus = open_bus(storage)
    clock = SharedClock(system_clock)
    store = await open_store(storage, clock=clock, bus=QuietGenerations(bus))
    try:
        await bus.start()
        place = _Place(store=store, storage=storage, clock=clock)
        if not storage.database:
            return await _apply_at(place, job, loaded, line, leave_turn)
        await clock.ask(store)
        work = _look_after if job.upkeep else _apply_at
        finished = await work(place, job, loaded, line, leave_turn)
        # What the database's clock shows then, as the supervisor's will show it.
        ahead_ms = system_clock() - clock()
        return replace(finished, again_at=None if finished.again_at is None else finished.again_at + ahead_ms)
    finally:
        await bus.close()
        await store.close()


async def _look_after(place: _Place, job: Job, loaded: LoadedSpec, line: Line, leave_turn: LeaveTurn) -> Finished:
    """Of several nodes, one."""
    store, node = place.store, node_at(place.storage)
    if not await take_upkeep(store.locks, node, now=place.clock()):
        line.send(Applied(blueprint=to_json(await read_blueprint(store.state))))
        later = place.clock() + LOOK_AGAIN_MS
        return Finished(generation=await store.state.generation(), again_at=later, is_elsewhere=True)
    try:
        finished = await _apply_at(place, job, loaded, line, leave_turn)
    except BaseException:  # another node must not wait for the lease to run out
        await leave_upkeep(store.locks, node)
        raise
    again_at = None if finished.again_at is None else Instant(finished.again_at)
    await keep_upkeep(store.locks, node, now=place.clock(), again_at=again_at)
    return finished


async def _apply_at(place: _Place, job: Job, loaded: LoadedSpec, line: Line, leave_turn: LeaveTurn) -> Finished:
    store, storage = place.store, place.storage
    sandbox = SandboxJob.from_json(job.sandbox) if job.sandbox is not None else None
    snapshot = await store.state.snapshot(())
    if job.upkeep and snapshot.spec_hash != loaded.digest:
        line.send(Applied(blueprint=to_json(await read_blueprint(store.state))))
        return Finished(generation=snapshot.generation, note=f"{job.spec} is not the spec that was applied last")
    if sandbox is None:

        async def tell() -> None:
            line.send(Applied(blueprint=to_json(await read_blueprint(store.state))))

        if snapshot.spec_hash == loaded.digest:
            keep_applied(storage.folder, loaded)
        reconciler = as_far_as_received(_inward(place, loaded, on_issued=tell), storage.folder, loaded)
        if loaded.spec.reconcile.on_change == PLAN_ONLY:
            return await _only_planned(reconciler, loaded, store, line, leave_turn)
        return await _reconcile(reconciler, loaded, store, line, leave_turn)
    passwords = account_passwords(loaded.spec.accounts, sandbox)
    reconciler = sandbox_reconciler(store, sandbox, passwords)
    # Its DNS is files beside it: all at once, before anything is served.
    done = await _run_plan(reconciler, loaded)
    if await until_seen(reconciler, loaded):
        done = await _run_plan(reconciler, loaded)
    line.send(Applied(blueprint=to_json(await read_blueprint(store.state)), accounts=passwords))
    return _finished(done)


def _storage_of(job: Job) -> StoreAddress:
    """Before the spec is known to be of use. Raises SpecInvalid, Invalid where it does not even say this."""
    if job.sandbox is not None:
        return StoreAddress(folder=Path(job.sandbox["state"]))
    if job.storage is not None:
        return StoreAddress.from_json(job.storage)
    return find_storage(Path(job.spec)).storage or address_in(load_spec(Path(job.spec)))


async def _settle_received(storage: StoreAddress) -> None:
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


async def _only_planned(
    reconciler: Reconciler, loaded: LoadedSpec, store: Store, line: Line, leave_turn: LeaveTurn
) -> Finished:
    """Under reconcile.on_change: plan-only: an edited spec waits, drift is told, what is due by the clock is done."""
    prepared = await _outward(reconciler, loaded).plan(loaded)
    if prepared.context.live.spec_hash != loaded.digest:
        refuse_waiting(prepared.plan)
    if prepared.plan.is_empty:
        return await _reconcile(reconciler, loaded, store, line, leave_turn)
    drift = tell_drift(prepared.plan.changes)
    if len(drift) == len(prepared.plan.changes):
        line.send(Applied(blueprint=to_json(await read_blueprint(store.state))))
        return Finished(generation=prepared.plan.generation, again_at=prepared.again_at, drift=drift)
    done = await _reconcile(replace(reconciler, leaves_drift=True), loaded, store, line, leave_turn)
    return replace(done, drift=drift)


async def _reconcile(
    reconciler: Reconciler, loaded: LoadedSpec, store: Store, line: Line, leave_turn: LeaveTurn
) -> Finished:
    """The server's own state first: mail is served by it while DNS is still being written, and then looked for.
    Certificates are ordered last, when others may apply again."""
    inward = replace(reconciler, dns=NoDns())
    prepared = await inward.plan(loaded)
    if _reaches_dns(prepared):
        await _refuse_held_by_dns(_outward(reconciler, loaded), loaded)
    first = await _carry_out(inward, prepared)
    keep_applied(loaded.spec.storage.path, loaded)
    line.send(Applied(blueprint=to_json(await read_blueprint(store.state))))
    reconciler = _outward(reconciler, loaded)
    try:
        done = await _run_and_tell(reconciler, loaded, store, line)
    except DomainError:
        # A DNS provider that fails for weeks must not let certificates run out.
        without_dns = replace(reconciler, dns=NoDns(may_order=True))
        done = await _run_and_tell(without_dns, loaded, store, line)
        await leave_turn()
        await _order(without_dns, done.prepared)
        raise
    drift = tell_drift([*first.prepared.plan.changes, *done.prepared.plan.changes])
    if await until_seen(reconciler, loaded):
        done = await _run_and_tell(reconciler, loaded, store, line)
    await leave_turn()
    return replace(_finished(await _ordered(reconciler, done)), drift=drift)


async def _ordered(reconciler: Reconciler, done: _Done) -> _Done:
    generation = await _order(reconciler, done.prepared)
    if generation == done.generation:
        return done
    # Only a plan that is made after an order knows what comes next.
    again_at = earliest(done.prepared.again_at, Instant(system_clock() + AFTER_RENEWAL_MS))
    return _Done(prepared=replace(done.prepared, again_at=again_at), generation=generation)


async def _order(reconciler: Reconciler, prepared: Prepared) -> Generation:
    with _ending_in_order():
        return await reconciler.order(prepared, _log_orders)


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


async def _run_and_tell(reconciler: Reconciler, loaded: LoadedSpec, store: Store, line: Line) -> _Done:
    done = await _run_plan(reconciler, loaded)
    if done.prepared.changes_services:
        line.send(Applied(blueprint=to_json(await read_blueprint(store.state))))
    return done


def _wait_for_go(line: Line) -> None:
    if not isinstance(line.receive(), Go):
        raise BrokenPipeError


def _loaded(loaded: LoadedSpec, storage: StoreAddress, read_at_ns: int) -> Loaded:
    return Loaded(
        storage=storage.to_json(),
        workers=loaded.spec.server.workers,
        endpoints=endpoints_in(loaded.spec),
        watch=[str(file.absolute()) for file in (*loaded.files, *_referenced(loaded))],
        read_at_ns=read_at_ns,
    )


def endpoints_in(spec: Spec) -> tuple[Endpoint, ...]:
    listeners = spec.server.listeners
    return endpoints_of({service: getattr(listeners, service) for service in type(listeners).model_fields})


def _referenced(loaded: LoadedSpec) -> Iterator[Path]:
    """Files that the spec names: a new password or certificate is a change like any other."""
    spec, folder = loaded.spec, loaded.path.absolute().parent
    secrets = [account.password for account in spec.accounts.values()]
    secrets += [relay.password for relay in spec.relays.values()]
    secrets += [file.key for file in spec.tls.files]
    secrets += [spec.tls.acme.eab.key] if spec.tls.acme.eab else []
    secrets += [key.private_key for domain in spec.domains.values() for key in domain.dkim.keys]
    for secret in secrets:
        source, _, name = secret.get_secret_value().partition("/") if secret is not None else ("", "", "")
        if source == "file":
            yield folder / name
    for file in spec.tls.files:
        yield folder / file.certificate
    if spec.tls.acme.ca is not None:
        yield folder / spec.tls.acme.ca


async def _run_plan(reconciler: Reconciler, loaded: LoadedSpec) -> _Done:
    return await _carry_out(reconciler, await reconciler.plan(loaded))


async def _carry_out(reconciler: Reconciler, prepared: Prepared) -> _Done:
    generation = await reconciler.apply(prepared)
    if not prepared.plan.is_empty:
        log.info("applied", generation=generation, **named_changes(prepared.plan))
    return _Done(prepared=prepared, generation=generation)


def _finished(done: _Done) -> Finished:
    """The last of several plans says what is left to do, and what a person should know."""
    for warning in done.prepared.plan.warnings:
        log.warning(warning.text, subject=warning.subject)
    return Finished(generation=done.generation, again_at=done.prepared.again_at)


def reconciler_of(store: Store, storage: StoreAddress, loaded: LoadedSpec) -> Reconciler:
    """For the API."""
    place = _Place(store=store, storage=storage, clock=system_clock)
    return _outward(_inward(place, loaded, who="the API", on_issued=nobody_is_told), loaded)


def _inward(
    place: _Place, loaded: LoadedSpec, *, who: str = SERVE, on_issued: Callable[[], Awaitable[None]]
) -> Reconciler:
    """For the server's own state: it asks nobody in DNS yet."""
    store, storage = place.store, place.storage
    return Reconciler(
        state=store.state,
        clock=place.clock,
        hash_password=_hash(HashCost.NORMAL),
        # A saved file alone releases no brake but what its own reconcile.allow_destroy names.
        brake=Brake(holders=holders_in(storage)),
        # The supervisor serves what was applied before anything is ordered.
        issuing=issuing_with(store, storage, loaded.spec, who=who, has_server=True, on_issued=on_issued),
    )


def _outward(reconciler: Reconciler, loaded: LoadedSpec) -> Reconciler:
    # Late: a reload must not wait for what is needed only once mail is served.
    from mailstack.reconcile.dns.authoritative import authoritative_dns

    return replace(reconciler, live_dns=authoritative_dns(loaded.spec))


def sandbox_reconciler(store: Store, sandbox: SandboxJob, passwords: Mapping[str, str]) -> Reconciler:
    from mailstack.reconcile.dns.zone_text import ZoneFileDns

    zones = zones_folder(Path(sandbox.state))
    return Reconciler(
        state=store.state,
        clock=system_clock,
        hash_password=_hash(HashCost.LOW),
        brake=Brake(holders=nobody, allowed=EVERYTHING_ALLOWED),
        # No secret of the spec needs to exist here, and none is read.
        resolve=lambda _reference, _directory: "sandbox",
        passwords=passwords,
        certificate_names=CERTIFICATE_NAMES,
        dns=ZoneFiles(directory=zones),
        live_dns=ZoneFileDns(zones),
    )


def _log_orders(event: Event) -> None:
    match event:
        case OrderBegun(name=name, authority=authority):
            log.info("certificate ordered", name=name, authority=authority)
        case OrderElsewhere(name=name):
            log.info("certificate is ordered by another process", name=name)
        case TurnAwaited(holder=holder):
            log.info("an order waits for another apply", holder=holder)
        case ContactTold(authority=authority, email=email):
            log.info("the authority knows the new contact", authority=authority, email=email)
        case ContactNotTold(authority=authority, reason=reason, retry_at=retry_at):
            again = as_datetime(retry_at).isoformat()
            log.error("the authority does not know the new contact", authority=authority, reason=reason, retry_at=again)
        case CertificateIssued(name=name, not_after=not_after):
            log.info("certificate issued", name=name, not_after=not_after)
        case CertificateNotIssued(name=name, reason=reason, retry_at=retry_at):
            log.error("certificate not issued", name=name, reason=reason, retry_at=as_datetime(retry_at).isoformat())
        case _:
            pass


def _hash(cost: HashCost) -> Callable[[str], str]:
    return lambda plain: hash_password(plain, cost=cost)


def named_changes(plan: Plan) -> dict[str, list[str]]:
    """What was done to what: the log is the record of who was made and who went."""
    found: dict[str, list[str]] = {}
    for operation, past in PAST.items():
        names = [f"{change.kind} {change.name}" for change in plan.changes if change.operation is operation]
        more = [f"and {len(names) - NAMED} more"] if len(names) > NAMED else []
        if names:
            found[past] = names[:NAMED] + more
    return found
