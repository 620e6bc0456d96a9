"""One service on a real store."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.jmap_world import JmapWorld, jmap_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[JmapWorld]:
    async with jmap_world(tmp_path) as running:
        yield running
