"""One worker: a store, the services of one generation, and every protocol on the shared sockets.

It knows no supervisor: `run_forked` and app.crew's inline worker drive it by the same few calls.
"""

import asyncio
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from types import CoroutineType

import structlog
import uvloop

from mailstack.app.app_password_keeper import AppPasswordKeeper
from mailstack.app.ban_keeper import BanKeeper
from mailstack.app.blueprint import Blueprint, from_json
from mailstack.app.build import Adapters, RunSettings, open_adapters
from mailstack.app.control import Channel
from mailstack.app.doors import Doors
from mailstack.app.event_keeper import EventKeeper
from mailstack.app.experience_keeper import ExperienceKeeper
from mailstack.app.generation import Services, Surroundings, build_services
from mailstack.app.hand_notes import HandNoteTeller
from mailstack.app.housekeeping import keep_house
from mailstack.app.indexer import Indexer
from mailstack.app.learned import Learned
from mailstack.app.log import hear, log_loop_fault
from mailstack.app.messages import (
    Accepting,
    Commit,
    Committed,
    Discard,
    Message,
    Prepare,
    Prepared,
    Refused,
    Stop,
    Unable,
)
from mailstack.app.metrics.lines import LineCounts
from mailstack.app.metrics.pulse import Pulse
from mailstack.app.metrics.shared import SharedMetrics
from mailstack.app.node_work import NodeWork, join_nodes
from mailstack.app.outbound_work import OutboundWork
from mailstack.app.proofs import ProofKeeper
from mailstack.app.push_work import PushWork
from mailstack.app.sockets import Bound, Endpoint, close_all
from mailstack.app.trainer import Trainer
from mailstack.model.errors import Conflict, DomainError
from mailstack.model.ids import Generation
from mailstack.net.shared_marks import SharedMarks
from mailstack.net.shared_meters import SharedMeters
from mailstack.net.tally import Tally
from mailstack.net.tls import live_context
from mailstack.net.tls_proofs import TlsProofs
from mailstack.services.identity.delays import LoginDelays
from mailstack.services.spam.correspondents import arrived_in
from mailstack.services.spam.training import Training

log = structlog.get_logger()

GRACE_S = 10.0
LATE_S = 10.0
"""After the grace, when it is told what has not ended."""
LASTING_TOLD = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """What a worker starts with. bound: the supervisor's sockets; the worker works on copies. tally, offences,
    meters: the workers' own; metrics: those of all processes; place: this one's, which it has from one that died,
    perhaps."""

    settings: RunSettings
    blueprint: Blueprint
    bound: Bound
    tally: Tally
    offences: SharedMarks
    meters: SharedMeters
    metrics: SharedMetrics
    place: int = 0


class Worker:
    """The order of life: start, any number of prepare + commit (or discard), stop."""

    def __init__(self, launch: Launch) -> None:
        self._launch = launch
        self._adapters: Adapters
        self._pulse: Pulse
        self._services: Services
        self._delays: LoginDelays
        self._tls = live_context(lambda: self._services.certificates)
        self._proofs = TlsProofs()
        self._web_tls = live_context(lambda: self._services.web_certificates, proofs=self._proofs)
        self._proof_keeper: ProofKeeper
        self._app_password_keeper: AppPasswordKeeper
        self._ban_keeper: BanKeeper
        self._hand_notes: HandNoteTeller
        self._doors: Doors
        self._outbound: OutboundWork
        self._indexer: Indexer
        self._experience_keeper: ExperienceKeeper
        self._learned: Learned
        self._trainer: Trainer
        self._event_keeper: EventKeeper | None
        self._node_work: NodeWork | None
        self._feeding: asyncio.Task[None]
        self._push: PushWork
        self._housekeeping: asyncio.Task[None]
        self._prepared: tuple[int, Services, Bound] | None = None

    async def start(self) -> None:
        """Raises DomainError or OSError, naming what could not be had; then nothing is left open."""
        launch = self._launch
        metrics = launch.metrics.of(launch.place)
        hear(LineCounts(metrics))
        self._adapters = await open_adapters(launch.settings, metrics, launch.metrics.cells)
        try:
            others = launch.tally.of(launch.place)
            self._delays = LoginDelays(self._adapters.clock, others, sleep=asyncio.sleep)
            self._learned = Learned(
                self._adapters.store.spam_tables, self._adapters.bus, launch.settings.storage.folder
            )
            self._services = build_services(launch.blueprint, self._surroundings(None))
            self._adapters.conduct.rules = self._services.ban_rules
            self._adapters.conduct.elsewhere = launch.offences.of(launch.place)
            self._ban_keeper = BanKeeper(self._adapters)
            self._hand_notes = HandNoteTeller(self._adapters.store.hand_notes, self._adapters.bus)
            self._doors = Doors(lambda: self._services, self._tls, self._web_tls, others, metrics)
            await self._doors.open(launch.bound)
            self._app_password_keeper = AppPasswordKeeper(self._adapters, self._doors.recheck_app_passwords)
            self._outbound = OutboundWork(
                self._adapters,
                lambda: self._services.outbound,
                launch.meters,
                storage=launch.settings.storage.folder,
                place=launch.place,
            )
            self._indexer = Indexer(self._adapters)
            self._experience_keeper = ExperienceKeeper(self._adapters.experience)
            self._trainer = Trainer(self._adapters, self._training())
            self._proof_keeper = ProofKeeper(self._adapters, self._proofs)
            self._node_work = join_nodes(self._adapters, launch.settings.storage, self._doors.admissions, self._served)
            self._event_keeper = self._begun_event_keeper()
            self._feeding = asyncio.create_task(self._adapters.feed.run())
            self._push = PushWork(self._adapters, lambda: self._services.push)
            self._housekeeping = asyncio.create_task(keep_house(self._adapters, lambda: self._services.outbound.sts))
            self._pulse = Pulse(metrics, "worker")
        except BaseException:
            await self._adapters.close()
            raise

    async def prepare(self, number: int, blueprint: Blueprint, opened: Bound) -> None:
        """Builds beside what serves. Raises DomainError naming what cannot be built."""
        self.discard()
        try:
            services = build_services(blueprint, self._surroundings(self._services))
        except BaseException:
            close_all(opened)
            raise
        self._prepared = (number, services, opened)

    async def commit(self, number: int, closed: Iterable[Endpoint]) -> None:
        """Connections that are open go on with the services they began with, if their accounts are still there."""
        if self._prepared is None or self._prepared[0] != number:
            raise Conflict(f"change {number} was not prepared")
        _, services, opened = self._prepared
        self._prepared = None
        self._services = services
        self._adapters.conduct.rules = services.ban_rules
        self._adapters.store_bus.tell_of_new_generation()
        self._outbound.follow()
        if self._event_keeper is not None:
            self._event_keeper.follow()
        await self._doors.open(opened)
        close_all(opened)
        self._doors.close(closed)
        await self._doors.follow_proxies()
        await self._doors.recheck_logins()
        log.info("generation swapped", generation=services.generation)

    def discard(self) -> None:
        if self._prepared is not None:
            close_all(self._prepared[2])
            self._prepared = None

    async def stop(self, grace_s: float) -> None:
        late = asyncio.get_running_loop().call_later(grace_s + LATE_S, _say_what_lasts)
        try:
            await self._stop(grace_s)
        finally:
            late.cancel()

    async def _stop(self, grace_s: float) -> None:
        self.discard()
        self._doors.close_all()
        self._feeding.cancel()
        self._housekeeping.cancel()
        async with asyncio.TaskGroup() as ends:
            drained = ends.create_task(self._doors.drain(grace_s=grace_s))
            ends.create_task(self._outbound.end(grace_s=grace_s))
            ends.create_task(self._push.end())
        await asyncio.gather(self._feeding, self._housekeeping, return_exceptions=True)
        await self._indexer.end()
        await self._trainer.end()
        await self._experience_keeper.end()
        await self._learned.end()
        await self._proof_keeper.end()
        await self._ban_keeper.end()
        await self._app_password_keeper.end()
        await self._hand_notes.end()
        if self._event_keeper is not None:
            await self._event_keeper.end()
        if self._node_work is not None:
            await self._node_work.end()
        await self._adapters.close()
        await self._pulse.end()
        log.info("worker stopped", connections_aborted=drained.result())

    def _served(self) -> Generation:
        return self._services.generation

    def _begun_event_keeper(self) -> EventKeeper | None:
        """One of a node's workers has it."""
        if self._launch.place:
            return None
        settings = self._launch.settings
        return EventKeeper(settings.storage.folder, settings.job, lambda: self._services.log_rules)

    def _surroundings(self, before: Services | None) -> Surroundings:
        return Surroundings(
            adapters=self._adapters,
            settings=self._launch.settings,
            tls=self._tls,
            end_point=lambda tls: self._services.certificates.end_point(tls),
            delays=self._delays,
            models=self._learned.models,
            before=before,
        )

    def _training(self) -> Training:
        store, learned = self._adapters.store, self._learned
        return Training(
            lessons=store.spam_lessons,
            tables=store.spam_tables,
            messages=store.messages,
            accounts=store.accounts,
            shared=lambda: learned.models.shared,
            experience=self._adapters.experience,
            arrived_in=lambda raw: arrived_in(raw, self._services.smtp.hostname),
            clock=self._adapters.clock,
        )


def run_forked(launch: Launch, line: socket.socket) -> int:
    """The whole life of a forked worker. Its line is closed by its end alone, for that is when it is waited for."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.get_loop().set_exception_handler(log_loop_fault)
        return runner.run(_serve(launch, line))


def _say_what_lasts() -> None:
    places = sorted(filter(None, map(_place, asyncio.all_tasks())))
    log.error("this worker should have ended", tasks=len(places), wait_at=places[:LASTING_TOLD])


def _place(task: "asyncio.Task[object]") -> str:
    """Where it waits, from the outermost call to the innermost."""
    calls: list[str] = []
    inner: object = task.get_coro()
    while isinstance(inner, CoroutineType) and inner.cr_frame is not None:
        calls.append(f"{inner.__qualname__}:{inner.cr_frame.f_lineno}")
        inner = inner.cr_await
    return " > ".join(calls)


async def _serve(launch: Launch, line: socket.socket) -> int:
    channel = Channel(line)
    worker = Worker(launch)
    try:
        await worker.start()
    except (DomainError, OSError) as fault:
        channel.send(Unable(reason=str(fault)))
        return 1
    # The doors have copies; a listener that goes with a change must not stay open in ours.
    close_all(launch.bound)
    channel.send(Accepting())
    await worker.stop(await _obey(worker, channel))
    return 0


async def _obey(worker: Worker, channel: Channel) -> float:
    """Until it is told to stop, or its supervisor is gone; returns the grace for what is open."""
    while (arrived := await channel.receive()) is not None:
        match arrived:
            case (Stop(grace_s=grace_s), _):
                return grace_s
            case (Prepare() as order, sockets):
                channel.send(await _prepare(worker, order, sockets))
            case (Commit(number=number, closed=closed), _):
                await worker.commit(number, closed)
                channel.send(Committed(number=number))
            case (Discard(), _):
                worker.discard()
            case (message, _):
                log.error("not a message for a worker", message=repr(message))
    return GRACE_S


async def _prepare(worker: Worker, order: Prepare, sockets: tuple[socket.socket, ...]) -> Message:
    opened = dict(zip(order.opened, sockets, strict=True))
    try:
        await worker.prepare(order.number, from_json(order.blueprint), opened)
    except Exception as fault:
        # Whatever is wrong with the new generation, the old one goes on.
        if not isinstance(fault, DomainError):
            log.exception("generation cannot be built")
        return Refused(number=order.number, reason=str(fault) or type(fault).__name__)
    return Prepared(number=order.number)
