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

from mailstack.services.mailbox import view
from tests.support.imap_server import running_imap
from tests.support.imap_stress import prepare, stress
from tests.support.imap_stress_player import Place
from tests.support.restless import make_restless
from tests.support.sandbox import Sandbox, save

pytestmark = pytest.mark.slow

SECONDS = 4.0
"""`python -m tests.support.imap_stress` takes as long as it is told to."""
DISTURBED_EVERY_S = 1.0


async def test_one_worker_tells_no_client_anything_wrong(tmp_path: Path) -> None:
    async with running_imap(tmp_path) as server:
        place = Place(host="127.0.0.1", port=server.port, user="u0", password="pw")
        await stress(place, seconds=SECONDS, clients=6, seed=1)


async def test_reads_that_others_come_between_tell_nothing_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dice = random.Random(2)
    monkeypatch.setattr(view, "MAX_CHANGES", 20)
    monkeypatch.setattr(view, "MAX_KEPT_CHANGES", 10)
    async with running_imap(tmp_path) as server:

        async def meanwhile() -> None:
            await asyncio.sleep(dice.choice((0, 0, 0.001, 0.004)))  # ways to interleave, none waited for
            if dice.random() < 0.005:
                server.service.views._kept.clear()

        make_restless(server.store, meanwhile, monkeypatch)
        place = Place(host="127.0.0.1", port=server.port, user="u0", password="pw")
        await stress(place, seconds=SECONDS, clients=8, seed=2)


def test_two_workers_tell_no_client_anything_wrong(sandbox: Sandbox) -> None:
    place = Place(host="127.0.0.1", port=sandbox.port("imap"), user="alice@example.com", password="pw")
    asyncio.run(stress(place, seconds=SECONDS, clients=6, seed=3))


async def stress_while(sandbox: Sandbox, disturb: Callable[[], None], *, is_patient: bool) -> None:
    """Disturbed until the clients are about to compare what they know."""
    place = Place(host="127.0.0.1", port=sandbox.port("imap"), user="alice@example.com", password="pw")
    world = await prepare(place)
    stressing = asyncio.create_task(
        stress(place, seconds=SECONDS, clients=6, seed=4, world=world, is_patient=is_patient)
    )
    for _ in range(int(SECONDS / DISTURBED_EVERY_S) - 1):
        await asyncio.wait([stressing], timeout=DISTURBED_EVERY_S)
        disturb()
    await stressing


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
