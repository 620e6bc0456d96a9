"""All workers of one server: started together, changed together, and replaced one by one when they die.

A change is built by every worker before any of them serves it; one refusal and none does.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace

import structlog

from mailstack.app.blueprint import Blueprint
from mailstack.app.faults import WorkerUnable
from mailstack.app.links import WorkerLink
from mailstack.app.sockets import Bound, Endpoint
from mailstack.app.worker import Launch

log = structlog.get_logger()

FIRST_DELAY_S = 0.02
LONGEST_DELAY_S = 5.0
REMEMBERED_S = 10.0
DEATHS_FORGIVEN = 8
"""Within REMEMBERED_S, of one worker's place: a chance kill is made good at once, a crash at each start is not."""
PREPARE_TIMEOUT_S = 30.0
KILL_AFTER_S = 20.0
"""And its grace. Less than what systemd allows by itself, which is 90 seconds for all of it."""

StartWorker = Callable[[Launch], Awaitable[WorkerLink]]


class Crew:
    """on_replaced: called when another process has become a worker."""

    def __init__(self, start_worker: StartWorker, launch: Launch, *, on_replaced: Callable[[], None]) -> None:
        self._start_worker = start_worker
        self._on_replaced = on_replaced
        self._launch = launch
        self._links: dict[int, WorkerLink] = {}
        self._keepers: list[asyncio.Task[None]] = []
        # A worker that is being replaced must not miss a change, nor a change meet half a worker.
        self._changing = asyncio.Lock()
        self._changes = 0

    @property
    def pids(self) -> list[int]:
        return sorted(link.pid for link in self._links.values())

    async def start(self, count: int) -> None:
        """Raises WorkerUnable when one cannot start; the others are ended again."""
        started = await asyncio.gather(
            *(self._start_worker(replace(self._launch, place=place)) for place in range(count)), return_exceptions=True
        )
        faults = [each for each in started if isinstance(each, BaseException)]
        self._links = {place: each for place, each in enumerate(started) if not isinstance(each, BaseException)}
        if faults:
            await self.stop(grace_s=0)
            raise faults[0]
        loop = asyncio.get_running_loop()
        self._keepers = [loop.create_task(self._keep(place)) for place in range(count)]

    async def change(self, blueprint: Blueprint, opened: Bound, closed: Iterable[Endpoint]) -> None:
        """All workers serve the blueprint when it returns. Raises WorkerUnable: all serve what they served before."""
        gone = frozenset(closed)
        async with self._changing:
            self._changes += 1
            number, links = self._changes, tuple(self._links.values())
            answers = await asyncio.gather(
                *(_in_time(link.prepare(number, blueprint, opened)) for link in links), return_exceptions=True
            )
            refused = [each for each in answers if isinstance(each, BaseException)]
            if refused:
                for link in links:
                    link.discard(number)
                raise refused[0]
            bound = {endpoint: listener for endpoint, listener in self._launch.bound.items() if endpoint not in gone}
            self._launch = replace(self._launch, blueprint=blueprint, bound={**bound, **opened})
            # From here on there is no way back: one that dies is replaced by one that starts with the new blueprint.
            await asyncio.gather(*(link.commit(number, gone) for link in links), return_exceptions=True)

    async def stop(self, *, grace_s: float) -> None:
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        await asyncio.gather(*(_stopped(link, grace_s) for link in self._links.values()))
        self._links.clear()

    def abort(self) -> None:
        for link in self._links.values():
            link.abort()

    async def _keep(self, place: int) -> None:
        deaths: deque[float] = deque()
        while True:
            await self._links[place].ended()
            dead = self._links.pop(place)
            log.error("worker died", worker=dead.pid)
            while place not in self._links:
                deaths.append(time.monotonic())
                while deaths[0] < deaths[-1] - REMEMBERED_S:
                    deaths.popleft()
                await asyncio.sleep(restart_delay_s(len(deaths)))
                await self._replace(place)

    async def _replace(self, place: int) -> None:
        try:
            async with self._changing:
                self._links[place] = await self._start_worker(replace(self._launch, place=place))
        except (WorkerUnable, OSError) as fault:
            log.error("worker cannot start", reason=str(fault))
        else:
            log.info("worker replaced", worker=self._links[place].pid)
            self._on_replaced()


def restart_delay_s(deaths: int) -> float:
    """deaths: of the last REMEMBERED_S, this one included; a start that failed counts as one."""
    return min(FIRST_DELAY_S * (1 << max(0, deaths - DEATHS_FORGIVEN)), LONGEST_DELAY_S)


async def _stopped(link: WorkerLink, grace_s: float) -> None:
    """What was promised to anybody is written already, so that one which hangs can be killed."""
    stopping = asyncio.ensure_future(link.stop(grace_s))
    await asyncio.wait([stopping], timeout=grace_s + KILL_AFTER_S)
    if not stopping.done():
        log.error("a worker does not end and is killed", worker=link.pid)
        link.abort()
    await stopping


async def _in_time(preparing: Awaitable[None]) -> None:
    try:
        async with asyncio.timeout(PREPARE_TIMEOUT_S):
            await preparing
    except TimeoutError:
        raise WorkerUnable("a worker did not answer in time") from None
