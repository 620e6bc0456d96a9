"""The stress that checks state: six clients of one account, at one worker and at two, from fixed seeds; while workers
are killed, and while the spec changes."""

import asyncio
import os
import random
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.engines import size
from tests.support.imap_server import running_imap
from tests.support.imap_stress import stress
from tests.support.imap_stress_player import Place
from tests.support.sandbox import Sandbox, save

pytestmark = pytest.mark.slow

SECONDS, SHORTER_S = 10.0, 5.0
DISTURBED_EVERY_S = 1.5


@pytest.mark.parametrize("seed", [1, 2])
async def test_one_worker_tells_no_client_anything_wrong(tmp_path: Path, seed: int) -> None:
    async with running_imap(tmp_path) as server:
        place = Place(host="127.0.0.1", port=server.port, user="u0", password="pw")
        assert await stress(place, seconds=size(SECONDS, on_postgres=SHORTER_S), clients=6, seed=seed) > 100


def test_two_workers_tell_no_client_anything_wrong(sandbox: Sandbox) -> None:
    place = Place(host="127.0.0.1", port=sandbox.port("imap"), user="alice@example.com", password="pw")
    assert asyncio.run(stress(place, seconds=size(SECONDS, on_postgres=SHORTER_S), clients=6, seed=3)) > 100


async def stress_while(sandbox: Sandbox, disturb: Callable[[], None], *, is_patient: bool) -> None:
    """Disturbed until the clients are about to compare what they know."""
    place = Place(host="127.0.0.1", port=sandbox.port("imap"), user="alice@example.com", password="pw")
    stressing = asyncio.create_task(
        stress(place, seconds=size(SECONDS, on_postgres=SHORTER_S), clients=6, seed=4, is_patient=is_patient)
    )
    for _ in range(int(size(SECONDS, on_postgres=SHORTER_S) / DISTURBED_EVERY_S) - 1):
        await asyncio.wait([stressing], timeout=DISTURBED_EVERY_S)
        disturb()
    assert await stressing > 100


def test_what_clients_were_told_outlives_killed_workers(sandbox: Sandbox) -> None:
    dice = random.Random(4)

    def kill_a_worker() -> None:
        if workers := sandbox.workers():
            with suppress(ProcessLookupError):
                os.kill(dice.choice(workers), signal.SIGKILL)

    asyncio.run(stress_while(sandbox, kill_a_worker, is_patient=True))


def test_a_changed_spec_interrupts_no_client(sandbox: Sandbox, spec: Path) -> None:
    first = spec.read_text()
    specs = iter(first.replace("  bob@", f"  new{number}@example.com: {{}}\n  bob@") for number in range(1_000))
    asyncio.run(stress_while(sandbox, lambda: save(spec, next(specs)), is_patient=False))
