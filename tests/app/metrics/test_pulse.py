"""A process tells of itself: its time, its size, how late its loop is."""

import asyncio
import time

from mailstack.app.metrics.pulse import BEAT_S, Pulse
from mailstack.app.metrics.shared import SharedMetrics
from mailstack.model import metrics
from mailstack.model.metric import Metric
from tests.support.running import until_seen


def figures(shared: SharedMetrics, metric: Metric) -> tuple[float, ...]:
    return next((cell.figures for cell in shared.cells() if cell.metric is metric and cell.labels == ("worker",)), ())


async def beaten(shared: SharedMetrics) -> None:
    await until_seen(lambda: bool(figures(shared, metrics.LAG_SECONDS)))


async def test_it_beats_while_it_lives() -> None:
    shared = SharedMetrics(1)
    pulse = Pulse(shared.of(0), "worker")
    await beaten(shared)
    assert figures(shared, metrics.PROCESSES) == (1,)
    assert figures(shared, metrics.MEMORY_BYTES)[0] > 1 << 20
    assert figures(shared, metrics.OPEN_FILES)[0] > 2
    await pulse.end()
    assert figures(shared, metrics.PROCESSES) == (0,)


async def test_a_loop_that_was_held_up_is_told_of() -> None:
    shared = SharedMetrics(1)
    pulse = Pulse(shared.of(0), "worker")
    await asyncio.sleep(0)
    began_at = time.monotonic()
    while time.monotonic() < began_at + BEAT_S + 0.2:
        pass
    await beaten(shared)
    await pulse.end()
    assert figures(shared, metrics.LAG_SECONDS)[-1] >= 0.19
    assert figures(shared, metrics.CPU_SECONDS)[0] > 0.1
