"""What workers tell of destinations that they slow down for."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from mailstack.app import slowed as slowed_module
from mailstack.app.runfiles import run_folder, slowed_file, status_file, write_json, written_status
from mailstack.app.slowed import SlowedTeller
from mailstack.model.instant import Instant
from mailstack.services.outbound.places import Slowed
from tests.support.running import until

CLOSED = Slowed(destination="mx.test", connections=2, most=5, until=None, why="421 closing")
ALONE = Slowed(destination="mx.test", connections=1, most=5, until=Instant(60_000), why="421 4.7.28 rate")


@pytest.fixture
def storage(tmp_path: Path) -> Path:
    run_folder(tmp_path).mkdir()
    write_json(status_file(tmp_path), {"workers": [os.getpid(), 1]})
    return tmp_path


def told(storage: Path) -> list[dict[str, object]]:
    found = written_status(storage)
    assert found is not None
    return list(found["slowed"])


async def test_what_changed_is_told_and_gone_with_the_worker(storage: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slowed_module, "LOOK_EVERY_S", 0.001)
    found: Sequence[Slowed] = ()
    teller = SlowedTeller(lambda: found, storage=storage, place=0)

    async def is_told(expected: int) -> bool:
        return len(told(storage)) == expected

    await asyncio.sleep(0)  # a turn for the others
    assert not slowed_file(storage, 0).exists()
    found = (CLOSED,)
    await until(lambda: is_told(1))
    assert told(storage) == [
        {"destination": "mx.test", "connections": 2, "most": 5, "until": None, "why": "421 closing"}
    ]
    found = ()
    await until(lambda: is_told(0))
    await teller.end()
    assert not slowed_file(storage, 0).exists()


async def test_a_destination_of_several_workers_is_one(storage: Path) -> None:
    tellers = [
        SlowedTeller(lambda: (CLOSED,), storage=storage, place=0),
        SlowedTeller(lambda: (ALONE,), storage=storage, place=1),
    ]
    await asyncio.sleep(0)  # a turn for the others
    assert told(storage) == [
        {
            "destination": "mx.test",
            "connections": 3,
            "most": 10,
            "until": "1970-01-01T00:01:00Z",
            "why": "421 4.7.28 rate",
        }
    ]
    for teller in tellers:
        await teller.end()


def test_what_a_killed_worker_has_left_behind_is_not_told(storage: Path) -> None:
    facts = {"destination": "mx.test", "connections": 2, "most": 5, "until": None, "why": ""}
    write_json(slowed_file(storage, 0), {"pid": 2, "slowed": [facts]})
    assert told(storage) == []


async def test_a_disk_that_is_full_stops_nothing(tmp_path: Path) -> None:
    teller = SlowedTeller(lambda: (CLOSED,), storage=tmp_path / "gone", place=0)
    await asyncio.sleep(0)  # a turn for the others
    await teller.end()
