from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.filter_world import FilterWorld, filter_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[FilterWorld]:
    async with filter_world(tmp_path) as made:
        yield made
