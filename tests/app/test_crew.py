"""All workers change together or none does; one that dies is replaced."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest

from mailstack.app import crew as crew_module
from mailstack.app.blueprint import Blueprint
from mailstack.app.build import RunSettings
from mailstack.app.crew import DEATHS_FORGIVEN, FIRST_DELAY_S, LONGEST_DELAY_S, Crew, restart_delay_s
from mailstack.app.faults import WorkerUnable
from mailstack.app.messages import Job
from mailstack.app.metrics.shared import SharedMetrics
from mailstack.app.sockets import Bound, Endpoint
from mailstack.app.store_address import StoreAddress
from mailstack.app.worker import Launch
from mailstack.model.ids import Generation
from mailstack.net.shared_marks import SharedMarks
from mailstack.net.shared_meters import SharedMeters
from mailstack.net.tally import Tally
from tests.support.running import DEADLINE_S


def blueprint(number: int) -> Blueprint:
    return Blueprint(generation=Generation(number), postmaster=None, secret_key=b"k" * 32, resources=(), secrets={})


class FakeWorker:
    """Works as app.links.WorkerLink, and remembers what it was told."""

    def __init__(self, pid: int, launch: Launch) -> None:
        self.pid = pid
        self.serves = launch.blueprint
        self.refuses = ""
        self.told: list[tuple[object, ...]] = []
        self._prepared: Blueprint | None = None
        self.hangs = False
        self._gone = asyncio.Event()

    async def prepare(self, number: int, blueprint: Blueprint, opened: Bound) -> None:
        self.told.append(("prepare", number, tuple(opened)))
        if self.refuses:
            raise WorkerUnable(self.refuses)
        self._prepared = blueprint

    async def commit(self, number: int, closed: Iterable[Endpoint]) -> None:
        assert self._prepared is not None
        self.told.append(("commit", number, tuple(closed)))
        self.serves = self._prepared

    def discard(self, number: int) -> None:
        self.told.append(("discard", number))
        self._prepared = None

    async def ended(self) -> None:
        await self._gone.wait()

    async def stop(self, grace_s: float) -> None:
        self.told.append(("stop", grace_s))
        if self.hangs:
            await self._gone.wait()
        self._gone.set()

    def abort(self) -> None:
        self.told.append(("abort",))
        self._gone.set()


class Street:
    """Where workers come from. unable: how many of the next starts fail."""

    def __init__(self) -> None:
        self.workers: list[FakeWorker] = []
        self.unable = 0
        self.replaced = asyncio.Event()

    async def start(self, launch: Launch) -> FakeWorker:
        if self.unable:
            self.unable -= 1
            raise WorkerUnable("no disk")
        self.workers.append(FakeWorker(1000 + len(self.workers), launch))
        return self.workers[-1]

    def serving(self, crew: Crew) -> list[int]:
        return [worker.serves.generation for worker in self.workers if worker.pid in crew.pids]


@pytest.fixture
async def street() -> Street:
    return Street()


@pytest.fixture
async def crew(street: Street, tmp_path: Path) -> AsyncIterator[Crew]:
    settings = RunSettings(
        storage=StoreAddress(folder=tmp_path), job=Job(spec=""), trust_loopback=False, hold_outbound=False
    )
    launch = Launch(
        settings=settings,
        blueprint=blueprint(1),
        bound={},
        tally=Tally(2),
        offences=SharedMarks(2),
        meters=SharedMeters(),
        metrics=SharedMetrics(2),
    )
    crew = Crew(street.start, launch, on_replaced=street.replaced.set)
    yield crew
    await crew.stop(grace_s=0)


async def test_a_change_that_all_accept_is_served_by_all(crew: Crew, street: Street) -> None:
    await crew.start(2)
    await crew.change(blueprint(2), {}, ())
    assert street.serving(crew) == [2, 2]


async def test_one_refusal_and_none_changes(crew: Crew, street: Street) -> None:
    await crew.start(2)
    street.workers[1].refuses = "certificate for mail.example.com: no key"
    with pytest.raises(WorkerUnable, match=r"mail\.example\.com"):
        await crew.change(blueprint(2), {}, ())
    assert street.serving(crew) == [1, 1]
    assert [worker.told[-1] for worker in street.workers] == [("discard", 1)] * 2


async def test_a_dead_worker_is_replaced_by_one_that_serves_what_the_others_serve(crew: Crew, street: Street) -> None:
    await crew.start(2)
    await crew.change(blueprint(2), {}, ())
    street.workers[0].abort()
    async with asyncio.timeout(DEADLINE_S):
        await street.replaced.wait()
    assert crew.pids == [1001, 1002]
    assert street.serving(crew) == [2, 2]


async def test_a_start_that_fails_is_tried_again(crew: Crew, street: Street) -> None:
    await crew.start(1)
    street.unable = 3
    street.workers[0].abort()
    async with asyncio.timeout(DEADLINE_S):
        await street.replaced.wait()
    assert crew.pids == [1001]


async def test_when_one_cannot_start_none_does(crew: Crew, street: Street) -> None:
    street.unable = 1
    with pytest.raises(WorkerUnable, match="no disk"):
        await crew.start(2)
    assert crew.pids == []


async def test_one_that_does_not_end_is_killed_and_holds_up_no_stop(
    crew: Crew, street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crew_module, "KILL_AFTER_S", 0.02)
    await crew.start(2)
    one, two = street.workers
    two.hangs = True
    await crew.stop(grace_s=0)
    assert ("abort",) in two.told
    assert ("abort",) not in one.told


@pytest.mark.parametrize(
    ("deaths", "delay_s"),
    [(1, FIRST_DELAY_S), (DEATHS_FORGIVEN, FIRST_DELAY_S), (DEATHS_FORGIVEN + 2, 0.08), (100, LONGEST_DELAY_S)],
)
def test_a_chance_kill_is_made_good_at_once_and_a_crash_loop_is_not(deaths: int, delay_s: float) -> None:
    assert restart_delay_s(deaths) == pytest.approx(delay_s)
