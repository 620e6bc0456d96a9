"""A folder of a log, below a name that DuckDB would take for a pattern."""

from pathlib import Path

import pytest

from tests.store.event_log.world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    folder = tmp_path / "a [b] *" / "log"
    folder.mkdir(parents=True)
    return World(folder)
