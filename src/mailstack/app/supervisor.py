"""The process that owns the sockets, the spec and the workers: start, change, stop.

It serves no connection and opens no database (but for `workers: 1`, where it is its own worker), so there is little
that could bring it down.
"""

import asyncio
import pwd
import resource
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import structlog
import uvloop

from mailstack.app.apply_process import ApplyProcess
from mailstack.app.blueprint import Blueprint, from_json
from mailstack.app.build import RunSettings
from mailstack.app.clock import system_clock
from mailstack.app.due import Due
from mailstack.app.event_keeper import make_log
from mailstack.app.faults import CannotServe, SpecFaulty
from mailstack.app.forks import Forks, answering, drive
from mailstack.app.installed import installed, refuse_another
from mailstack.app.log import keep_events, log_loop_fault
from mailstack.app.messages import Applied, Finished, Job, Loaded
from mailstack.app.notify import feed_watchdog, tell_reloading, tell_systemd
from mailstack.app.opening import Opener, Opening, log_refusal
from mailstack.app.privileges import become, hand_over
from mailstack.app.reload import Reason, Reasons, Watch
from mailstack.app.routing import sources_of
from mailstack.app.runfiles import leave_storage, take_storage
from mailstack.app.serving import Serving, worker_count
from mailstack.app.sockets import Bound, Endpoint, endpoints_of, give_up, own_sockets
from mailstack.app.status import Status
from mailstack.app.store_address import StoreAddress
from mailstack.app.stores import local_bus
from mailstack.app.worker import GRACE_S
from mailstack.model.ids import Generation
from mailstack.model.instant import HOUR_MS, SECOND_MS, Instant
from mailstack.ports.bus import GENERATION_TOPIC

log = structlog.get_logger()

MANY_FILES = 65_536
STATUS_CHARACTERS = 300
AFTER_OTHERS_MS = 15 * SECOND_MS
"""How long an apply of another process is given to finish, before what is due after it is looked at here: one that
takes longer still has the turn (app.turn)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a running server is, for whoever waits for it. accounts: the sandbox's passwords; admins: who of them looks
    after it."""

    storage: Path
    blueprint: Blueprint
    endpoints: tuple[Endpoint, ...]
    accounts: Mapping[str, str]
    admins: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What to run. on_standing: told when every listener accepts, and again after each change."""

    job: Job
    on_standing: Callable[[Standing], None]
    trust_loopback: bool = False
    hold_outbound: bool = False
    user: pwd.struct_passwd | None = None
    grace_s: float = GRACE_S


def run(service: Service, first_apply: ApplyProcess) -> None:
    """Serves until SIGTERM or Ctrl-C. Raises CannotServe or OSError, saying why it cannot start."""
    _allow_many_files()
    loop = uvloop.new_event_loop()
    loop.set_exception_handler(log_loop_fault)
    asyncio.set_event_loop(loop)
    forks = Forks()
    try:
        drive(loop, Supervisor(service, forks).run(first_apply), forks)
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        asyncio.set_event_loop(None)
        loop.close()


class Supervisor:
    def __init__(self, service: Service, forks: Forks) -> None:
        self._service = service
        self._forks = forks
        self._reasons = Reasons()
        self._watch = Watch(self._reasons)
        self._due = Due(self._reasons, clock=system_clock, monotonic=time.monotonic)
        self._installed = installed()
        self._stopping = asyncio.Event()
        self._held = AsyncExitStack()
        self._publishing: asyncio.Task[None] | None = None
        # What is seen in DNS leads to generations beside those that a reload makes.
        self._changing = asyncio.Lock()
        self._storage: StoreAddress
        self._serving: Serving
        self._status: Status

    async def run(self, first_apply: ApplyProcess) -> None:
        self._held.enter_context(self._answering_signals())
        living = asyncio.create_task(self._live(first_apply))
        stopped = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait({living, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if living.done():
                living.result()
        finally:
            tell_systemd("STOPPING=1")
            living.cancel()
            stopped.cancel()
            await asyncio.gather(living, stopped, return_exceptions=True)
            await self._held.aclose()
        log.info("stopped")

    def _answering_signals(self) -> AbstractContextManager[None]:
        return answering(
            {
                signal.SIGTERM: self._stop,
                signal.SIGINT: self._stop,
                signal.SIGHUP: lambda: self._reasons.give(Reason.SIGNAL),
            }
        )

    def _stop(self) -> None:
        if self._stopping.is_set():
            log.warning("stopping at once")
            self._serving.abort()
        self._stopping.set()

    async def _live(self, first_apply: ApplyProcess) -> None:
        await self._start(first_apply)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(feed_watchdog())
            tasks.create_task(self._due.watch())
            while True:
                await self._reload(await self._reasons.next())

    async def _start(self, applying: ApplyProcess) -> None:
        self._held.push_async_callback(applying.end)
        opening = await Opener(self._service.job, self._service.user, self._take_storage).open(applying)
        if self._service.user is not None:
            own_sockets(opening.bound, self._service.user)
            become(self._service.user)
        # Before anybody is served, who may save the spec next: else its date alone would tell, and clocks differ.
        self._held.push_async_callback(self._watch.end)
        await self._watch.follow(opening.loaded.watch, read_at_ns=opening.loaded.read_at_ns)
        await self._start_serving(opening)
        self._stand(opening.applied)
        listeners = [f"{endpoint.service} {endpoint}" for endpoint in self._serving.endpoints]
        log.info("serving", generation=self._generation, workers=self._serving.workers, listeners=listeners)
        if opening.refusal is None:
            tell_systemd("READY=1")
        else:
            log_refusal("the spec was not applied; what was applied last is served", opening.refusal)
            self._say_reloaded(str(opening.refusal))
            self._try_again(Reason.FILES, opening.refusal)
        await self._watch_for_applies()
        self._held.push_async_callback(self._stop_publishing)
        if opening.refusal is None:
            await self._publish(applying, Reason.FILES)

    def _take_storage(self, storage: StoreAddress) -> None:
        self._storage = storage
        lock = take_storage(storage.folder)
        self._held.callback(leave_storage, storage.folder, lock)
        if self._service.user is not None:
            hand_over(storage.folder, self._service.user)
        self._status = Status(storage.folder, self._service.job.spec)

    async def _start_serving(self, opening: Opening) -> None:
        make_log(self._storage.folder, opening.blueprint)
        keep_events(self._storage.folder)
        settings = RunSettings(
            storage=self._storage,
            job=self._service.job,
            trust_loopback=self._service.trust_loopback,
            hold_outbound=self._service.hold_outbound,
        )
        self._serving = Serving(settings, opening, self._forks, on_replaced=self._write_status)
        await self._serving.start()
        self._held.push_async_callback(self._serving.end, grace_s=self._service.grace_s)

    async def _watch_for_applies(self) -> None:
        # The machine's own: what other nodes applied, the workers pass on (app.node_work).
        bus = local_bus(self._storage)
        await bus.start()
        self._held.push_async_callback(bus.close)
        bus.watch(GENERATION_TOPIC, lambda: self._reasons.give(Reason.APPLIED))

    async def _reload(self, reason: Reason) -> None:
        """Whatever fails, what serves goes on serving."""
        if reason is Reason.DUE:
            await (self._look_on() if self._is_publishing else self._look_after())
            return
        log.info("reloading", reason=reason.value)
        tell_reloading()
        message = ""
        try:
            await (self._follow_state() if reason is Reason.APPLIED else self._apply_spec(reason))
        except (CannotServe, OSError) as fault:
            message = str(fault)
            log_refusal("the reload was refused; the old generation goes on", fault)
            if isinstance(fault, SpecFaulty):
                await self._watch.follow_also(fault.watch, read_at_ns=fault.read_at_ns)
            self._try_again(reason, fault)
        self._say_reloaded(message)

    def _say_reloaded(self, refusal: str) -> None:
        """refusal: why the spec is not what is served, "" when it is."""
        self._status.reloaded(generation=self._generation, message=refusal)
        more = f"; the spec is not applied: {refusal[:STATUS_CHARACTERS]}" if refusal else ""
        tell_systemd("READY=1", f"STATUS=generation {self._generation}{more}".replace("\n", " "))

    async def _apply_spec(self, reason: Reason) -> None:
        await self._stop_publishing()
        self._due.begin(reason)
        applying = await self._applier(self._service.job)
        try:
            loaded = await applying.loaded()
            await self._watch.follow(loaded.watch, read_at_ns=loaded.read_at_ns)
            self._check_unchangeable(loaded)
            opened = self._serving.bind(loaded.endpoints)
            try:
                applying.go()
                applied = await applying.applied()
                await self._change(applied, opened)
            except BaseException:
                give_up(opened)
                raise
        except BaseException:
            await applying.end()
            raise
        await self._publish(applying, reason)

    async def _applier(self, job: Job) -> ApplyProcess:
        refuse_another(self._installed)
        # With the storage that is served, so that nobody has to look for it in the spec first.
        known = replace(job, storage=self._storage.to_json())
        if self._serving.workers == 1:
            # SQLite's locks belong to a process: one that has databases open must not be forked.
            return ApplyProcess.start(known, user=None)
        return await ApplyProcess.fork(self._forks, known)

    async def _look_after(self) -> None:
        """Nobody changed anything, and something is due: the spec that is applied is applied again."""
        await self._stop_publishing()
        self._due.begin(Reason.DUE)
        try:
            applying = await self._applier(replace(self._service.job, upkeep=True))
            try:
                await applying.loaded()
                applying.go()
                await self._serve_applied(await applying.applied())
            except BaseException:  # its process must not outlive whoever reads it
                await applying.end()
                raise
        except (CannotServe, OSError) as fault:
            log_refusal("upkeep failed; the server goes on as it is", fault)
            self._try_again(Reason.DUE, fault)
        else:
            await self._publish(applying, Reason.DUE)

    async def _look_on(self) -> None:
        """The apply that is under way does what is due as well, and may be at an order: given up half-way, that would
        cost one of an authority's few tries. Only what another process has applied is served meanwhile."""
        try:
            await self._follow_state()
        except (CannotServe, OSError) as fault:
            log_refusal("what is due waits; the server goes on as it is", fault)
            self._due.within(AFTER_OTHERS_MS)

    def _try_again(self, reason: Reason, fault: CannotServe | OSError) -> None:
        self._due.failed(reason)
        if reason is not Reason.DUE:
            self._due.within(AFTER_OTHERS_MS)  # by the spec that is applied, whatever becomes of this one
        self._status.upkeep(self._due.next_at, failures=self._due.failures(reason), message=str(fault))

    async def _follow_state(self) -> None:
        """Another process has applied something: serve that."""
        reading = await self._applier(replace(self._service.job, read_only=True))
        try:
            applied = await reading.applied()
        finally:
            await reading.end()
        await self._serve_applied(applied)
        self._due.within(AFTER_OTHERS_MS)

    async def _serve_applied(self, applied: Applied) -> None:
        opened = self._serving.bind(endpoints_of(from_json(applied.blueprint).listeners))
        try:
            await self._change(applied, opened)
        except BaseException:
            give_up(opened)
            raise

    def _check_unchangeable(self, loaded: Loaded) -> None:
        storage = StoreAddress.from_json(loaded.storage)
        if storage.folder != self._storage.folder:
            raise CannotServe(f"storage.path is {self._storage.folder} until a restart; {storage.folder} is not used")
        if storage != self._storage:
            raise CannotServe(f"what `storage` names is another than {self._storage}, which is used until a restart")
        workers = self._serving.workers
        if worker_count(loaded.workers) != workers:
            log.warning("server.workers changes at the next start", workers=workers, wanted=loaded.workers)

    async def _change(self, applied: Applied, opened: Bound) -> None:
        async with self._changing:
            if not await self._serving.change(from_json(applied.blueprint), opened):
                log.info("nothing to change", generation=self._generation)
                return
            make_log(self._storage.folder, self._serving.blueprint)
            self._stand(applied)
            log.info("reloaded", generation=self._generation)

    def _stand(self, applied: Applied) -> None:
        self._write_status()
        standing = Standing(
            storage=self._storage.folder,
            blueprint=self._serving.blueprint,
            endpoints=self._serving.endpoints,
            accounts=applied.accounts,
            admins=applied.admins,
        )
        self._service.on_standing(standing)

    def _write_status(self) -> None:
        serving = self._serving
        server = serving.blueprint.server
        self._status.standing(
            generation=self._generation,
            workers=serving.pids,
            endpoints=serving.endpoints,
            sources=() if server is None else sources_of(server),
        )

    @property
    def _generation(self) -> Generation:
        return self._serving.blueprint.generation

    @property
    def _is_publishing(self) -> bool:
        return self._publishing is not None and not self._publishing.done()

    async def _publish(self, applying: ApplyProcess, reason: Reason) -> None:
        self._publishing = asyncio.create_task(self._until_published(applying, reason))
        await asyncio.sleep(0)  # a task that is cancelled before it began would not end the applier

    async def _stop_publishing(self) -> None:
        """The next apply plans DNS anew, so one that is under way may be left as it is."""
        if self._publishing is None:
            return
        async with self._changing:  # a generation that is being swapped in gets there
            self._publishing.cancel()
        await asyncio.gather(self._publishing, return_exceptions=True)

    async def _until_published(self, applying: ApplyProcess, reason: Reason) -> None:
        try:
            while isinstance(answer := await applying.further(), Applied):
                await self._serve_applied(answer)
            self._finish(answer, reason)
        except (CannotServe, OSError) as fault:
            log.error("apply did not finish; mail is served, DNS may be behind", reason=str(fault))
            self._status.reloaded(generation=self._generation, message=str(fault))
            self._try_again(reason, fault)
        finally:
            await applying.end()

    def _finish(self, finished: Finished, reason: Reason) -> None:
        again_at = None if finished.again_at is None else Instant(finished.again_at)
        if finished.note:
            log.warning("upkeep waits", reason=finished.note)
            again_at = Instant(system_clock() + HOUR_MS)
        elif not finished.is_elsewhere:
            self._status.looked(finished.drift)
        self._due.done(reason, again_at)
        self._status.upkeep(self._due.next_at, failures=0, message=finished.note)
        if finished.generation > self._generation:
            self._serving.renumber(Generation(finished.generation))
            self._write_status()
            log.info("DNS is published", generation=finished.generation)


def _allow_many_files() -> None:
    """The usual soft limit of 1,024 is for programs with select(2); a connection is a file, an open account three."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < MANY_FILES:
        wanted = MANY_FILES if hard == resource.RLIM_INFINITY else min(hard, MANY_FILES)
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
