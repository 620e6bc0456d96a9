"""The stress that checks state: six clients of one account, at one worker and at two, from fixed seeds."""

import asyncio
from pathlib import Path

import pytest

from tests.support.imap_server import running_imap
from tests.support.imap_stress import Place, stress
from tests.support.sandbox import Sandbox

pytestmark = pytest.mark.slow

SECONDS = 10


@pytest.mark.parametrize("seed", [1, 2])
async def test_one_worker_tells_no_client_anything_wrong(tmp_path: Path, seed: int) -> None:
    async with running_imap(tmp_path) as server:
        place = Place(host="127.0.0.1", port=server.port, user="u0", password="pw")
        assert await stress(place, seconds=SECONDS, clients=6, seed=seed) > 100


def test_two_workers_tell_no_client_anything_wrong(sandbox: Sandbox) -> None:
    place = Place(host="127.0.0.1", port=sandbox.port("imap"), user="alice@example.com", password="pw")
    assert asyncio.run(stress(place, seconds=SECONDS, clients=6, seed=3)) > 100
