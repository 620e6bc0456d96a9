"""What serves: the sockets, the workers, and the generation that they are at.

It decides nothing: when they change, and to what, is the supervisor's.
"""

import gc
import os
import socket
from collections.abc import Callable, Iterable
from dataclasses import replace
from importlib import import_module

from mailstack.app.blueprint import Blueprint
from mailstack.app.build import RunSettings
from mailstack.app.crew import Crew
from mailstack.app.forks import Forks
from mailstack.app.links import ForkedWorker, InlineWorker, WorkerLink
from mailstack.app.log import hear
from mailstack.app.metrics.lines import LineCounts
from mailstack.app.metrics.pulse import Pulse
from mailstack.app.metrics.shared import SharedMetrics
from mailstack.app.opening import Opening
from mailstack.app.sockets import Bound, Endpoint, bind, endpoints_of, give_up
from mailstack.app.worker import Launch
from mailstack.model.ids import Generation
from mailstack.net.shared_marks import SharedMarks
from mailstack.net.shared_meters import SharedMeters
from mailstack.net.tally import Tally


class Serving:
    """on_replaced: a worker has taken the place of one that ended."""

    def __init__(
        self, settings: RunSettings, opening: Opening, forks: Forks, *, on_replaced: Callable[[], None]
    ) -> None:
        self._forks = forks
        self._bound: dict[Endpoint, socket.socket] = dict(opening.bound)
        self.blueprint = opening.blueprint
        server = self.blueprint.server
        self.workers = worker_count(server.workers if server else 0)
        metrics = SharedMetrics(self.workers)
        launch = Launch(
            settings=settings,
            blueprint=self.blueprint,
            bound=dict(self._bound),
            tally=Tally(self.workers),
            offences=SharedMarks(self.workers),
            meters=SharedMeters(),
            metrics=metrics,
        )
        self._crew = Crew(self._start_worker, launch, on_replaced=on_replaced)
        self._metrics = metrics.of_supervisor()
        self._pulse: Pulse | None = None

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        return tuple(sorted(self._bound))

    @property
    def pids(self) -> list[int]:
        return self._crew.pids

    async def start(self) -> None:
        if "metrics" in self.blueprint.listeners:
            import_module("mailstack.app.metrics.scrape")
        # What is alive now is shared by all workers for good: the collector must not touch, and so copy, its pages.
        gc.collect()
        gc.freeze()
        await self._crew.start(self.workers)
        if self.workers > 1:  # else it is its own worker, which has said so
            hear(LineCounts(self._metrics))
            self._pulse = Pulse(self._metrics, "supervisor")

    def bind(self, endpoints: Iterable[Endpoint]) -> Bound:
        """Those that are not open yet. Raises PortBusy, OSError."""
        return bind(endpoints, self._bound)

    async def change(self, blueprint: Blueprint, opened: Bound) -> bool:
        """opened: as `bind` gave them. False, and they are closed, where that generation is served already."""
        if blueprint.generation <= self.blueprint.generation:
            give_up(opened)
            return False
        wanted = endpoints_of(blueprint.listeners)
        closed = self._bound.keys() - set(wanted)
        await self._crew.change(blueprint, opened, closed)
        give_up({endpoint: self._bound.pop(endpoint) for endpoint in closed})
        self._bound.update(opened)
        # By the new names, which say who may use them.
        self._bound = {endpoint: self._bound[endpoint] for endpoint in wanted if endpoint in self._bound}
        self.blueprint = blueprint
        return True

    def renumber(self, generation: Generation) -> None:
        """Zones are resources that no server looks at: the same services under a newer number."""
        self.blueprint = replace(self.blueprint, generation=generation)

    def abort(self) -> None:
        self._crew.abort()

    async def end(self, *, grace_s: float) -> None:
        # Before the workers drain, so that nobody waits in the queue of a socket that is never accepted from.
        give_up(self._bound)
        await self._crew.stop(grace_s=grace_s)
        if self._pulse is not None:
            await self._pulse.end()

    async def _start_worker(self, launch: Launch) -> WorkerLink:
        if self.workers == 1:
            return await InlineWorker.start(launch)
        return await ForkedWorker.start(self._forks, launch)


def worker_count(wanted: int) -> int:
    """wanted: 0 for one for each core."""
    return wanted or os.cpu_count() or 1
