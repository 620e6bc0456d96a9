"""A server with one account and a client that is logged in."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.dialogue import Client
from tests.support.managesieve_server import RunningManageSieve, log_in, managesieve_client, running_managesieve


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RunningManageSieve]:
    async with running_managesieve(tmp_path) as running:
        yield running


@pytest.fixture
async def stranger(server: RunningManageSieve) -> AsyncIterator[Client]:
    """Not logged in."""
    async with managesieve_client(server.port) as client:
        yield client


@pytest.fixture
async def client(server: RunningManageSieve) -> AsyncIterator[Client]:
    """Logged in."""
    async with managesieve_client(server.port) as client:
        await log_in(client)
        yield client
