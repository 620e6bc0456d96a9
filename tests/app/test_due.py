"""The timer of what is due: on both clocks, without a storm, and never stopped for ever."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from mailstack.app.due import LONGEST_RETRY_MS, SHORTEST_WAIT_MS, Due, retry_wait_ms
from mailstack.app.reload import Reason, Reasons
from mailstack.model.instant import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, Instant
from tests.support.fake_clock import FakeClock
from tests.support.running import DEADLINE_S, running

START = Instant(1_700_000_000_000)


@dataclass
class Scene:
    """A timer whose two clocks a test moves: the wall's, which may jump, and the monotonic one."""

    wall: FakeClock = field(default_factory=lambda: FakeClock(START))
    monotonic_s: float = 100.0
    reasons: Reasons = field(default_factory=Reasons)

    def __post_init__(self) -> None:
        self.due = Due(self.reasons, clock=self.wall, monotonic=lambda: self.monotonic_s, look_every_s=0.005)

    def pass_time(self, milliseconds: int) -> None:
        self.wall.advance(milliseconds)
        self.monotonic_s += milliseconds / SECOND_MS

    async def given(self) -> Reason:
        async with asyncio.timeout(DEADLINE_S):
            return await self.reasons.next()

    async def nothing_is_given(self) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await self.reasons.next()


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    scene = Scene()
    async with running(scene.due.watch()):
        yield scene


async def test_what_is_due_is_given_once_when_its_time_has_come(scene: Scene) -> None:
    scene.due.done(Reason.DUE, Instant(START + HOUR_MS))
    await scene.nothing_is_given()
    scene.pass_time(HOUR_MS)
    assert await scene.given() is Reason.DUE
    await scene.nothing_is_given()


async def test_nothing_due_gives_nothing(scene: Scene) -> None:
    scene.due.done(Reason.DUE, None)
    scene.pass_time(400 * DAY_MS)
    await scene.nothing_is_given()


async def test_a_wall_clock_that_jumps_forward_makes_it_due_at_once(scene: Scene) -> None:
    scene.due.done(Reason.DUE, Instant(START + 30 * DAY_MS))
    scene.wall.advance(365 * DAY_MS)
    assert await scene.given() is Reason.DUE


async def test_a_wall_clock_that_jumps_backward_does_not_stop_it(scene: Scene) -> None:
    scene.due.done(Reason.DUE, Instant(START + HOUR_MS))
    scene.wall.advance(-365 * DAY_MS)
    await scene.nothing_is_given()
    scene.monotonic_s += 3_600
    assert await scene.given() is Reason.DUE


async def test_a_suspended_machine_does_what_became_due_in_its_sleep(scene: Scene) -> None:
    scene.due.done(Reason.DUE, Instant(START + HOUR_MS))
    scene.wall.advance(2 * HOUR_MS)  # the monotonic clock stands still meanwhile
    assert await scene.given() is Reason.DUE


async def test_a_moment_long_past_waits_all_the_same_so_that_no_storm_begins(scene: Scene) -> None:
    scene.due.done(Reason.DUE, Instant(START - 365 * DAY_MS))
    await scene.nothing_is_given()
    scene.pass_time(SHORTEST_WAIT_MS)
    assert await scene.given() is Reason.DUE


async def test_what_failed_is_tried_again_for_its_reason_and_later_each_time(scene: Scene) -> None:
    scene.due.failed(Reason.FILES)
    assert scene.due.next_at == START + MINUTE_MS
    scene.pass_time(MINUTE_MS)
    assert await scene.given() is Reason.FILES
    scene.due.failed(Reason.FILES)
    assert scene.due.next_at == scene.wall.now + 2 * MINUTE_MS
    scene.due.done(Reason.FILES, None)
    assert scene.due.failures(Reason.FILES) == 0
    scene.pass_time(DAY_MS)
    await scene.nothing_is_given()


@pytest.mark.parametrize(("failures", "wait_ms"), [(1, MINUTE_MS), (4, 8 * MINUTE_MS), (9, LONGEST_RETRY_MS),
                                                   (10**6, LONGEST_RETRY_MS)])  # fmt: skip
def test_retries_back_off_to_an_hour(failures: int, wait_ms: int) -> None:
    assert retry_wait_ms(failures) == wait_ms


async def test_after_an_apply_of_somebody_else_it_looks_soon_and_no_later_than_it_would_have(scene: Scene) -> None:
    scene.due.done(Reason.DUE, Instant(START + DAY_MS))
    scene.due.within(MINUTE_MS)
    assert scene.due.next_at == START + MINUTE_MS
    scene.due.within(HOUR_MS)
    assert scene.due.next_at == START + MINUTE_MS


@pytest.mark.parametrize("reason", [Reason.FILES, Reason.DUE])
async def test_what_somebody_else_applied_meanwhile_is_looked_at_soon_whatever_was_planned_before_it(
    scene: Scene, reason: Reason
) -> None:
    scene.due.begin(reason)
    scene.due.within(MINUTE_MS)
    scene.due.done(reason, Instant(START + DAY_MS))
    assert scene.due.next_at == START + MINUTE_MS


async def test_while_an_apply_is_under_way_nothing_is_due(scene: Scene) -> None:
    scene.due.done(Reason.DUE, Instant(START + MINUTE_MS))
    scene.due.begin(Reason.FILES)
    scene.pass_time(DAY_MS)
    await scene.nothing_is_given()


async def test_while_a_spec_is_refused_what_is_due_is_given_as_well_and_neither_forgets_the_other(scene: Scene) -> None:
    for _ in range(5):
        scene.due.failed(Reason.FILES)
    scene.due.within(MINUTE_MS)
    scene.pass_time(MINUTE_MS)
    assert await scene.given() is Reason.DUE
    scene.due.begin(Reason.DUE)
    scene.due.done(Reason.DUE, Instant(scene.wall.now + DAY_MS))
    assert scene.due.failures(Reason.FILES) == 5
    scene.pass_time(15 * MINUTE_MS)
    assert await scene.given() is Reason.FILES
    scene.due.failed(Reason.FILES)
    scene.pass_time(DAY_MS)
    assert await scene.given() is Reason.FILES  # both have come: the spec first, and upkeep once it is refused again
