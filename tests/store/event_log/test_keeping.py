"""Segments become Parquet, hours become days, what is old or too much goes; at no moment is a line there twice."""

import errno
import fcntl
import os
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from mailstack.model.event_log import EventFilter
from mailstack.model.instant import DAY_MS, HOUR_MS, MINUTE_MS, Instant
from mailstack.model.resource import LogBody
from mailstack.store.event_log import keeping
from mailstack.store.event_log.keeping import forget, is_due, keep
from mailstack.store.event_log.parts import Part, goes_back_to
from tests.store.event_log.world import AFTERWARDS, FROM, NOON, World, event

RULES = LogBody()
FIFTY_MINUTES_MS = 50 * MINUTE_MS


def write(world: World, *names: str) -> None:
    made = world.segments()
    for name in names:
        made.add(event(name, world.now))
    made.write()
    made.begin_anew()  # as when its process has ended


def told(world: World) -> list[str]:
    wanted = EventFilter(since=FROM, until=AFTERWARDS)
    return [line.split('"event": "')[1].split('"')[0] for line in world.log.last_lines(wanted, 1_000)]


def test_an_hour_that_is_over_becomes_parquet(world: World) -> None:
    write(world, "one")
    write(world, "two")
    assert not is_due(world.folder, RULES, Instant(NOON + HOUR_MS))
    world.now = Instant(NOON + HOUR_MS + keeping.GRACE_MS)
    write(world, "three")
    assert is_due(world.folder, RULES, world.now)
    assert keep(world.folder, RULES, world.now) == 1
    made, rest = world.files
    assert (made, rest[:13]) == ("2026-11-30T12.parquet", "2026-11-30T13")
    assert stat.S_IMODE((world.folder / made).stat().st_mode) == 0o600
    assert sorted(told(world)) == ["one", "three", "two"]
    assert not is_due(world.folder, RULES, world.now)


def test_the_hours_of_a_day_that_is_over_become_one_file(world: World) -> None:
    for hour in range(14):
        world.now = Instant(NOON + hour * HOUR_MS)
        write(world, f"hour {hour}")
    world.now = Instant(NOON + 14 * HOUR_MS + FIFTY_MINUTES_MS)
    keep(world.folder, RULES, world.now)
    assert world.files == ["2026-11-30.parquet", "2026-12-01T00.parquet", "2026-12-01T01.parquet"]
    assert told(world) == [f"hour {hour}" for hour in range(14)]
    assert goes_back_to(world.folder) == NOON - 12 * HOUR_MS


def test_an_hour_waits_for_a_process_that_still_writes_to_it(world: World) -> None:
    made = world.segments()
    made.add(event("one", world.now))
    made.write()
    world.now = Instant(NOON + 2 * HOUR_MS)
    assert keep(world.folder, RULES, world.now) == 0
    made.roll()
    assert keep(world.folder, RULES, world.now) == 1
    assert told(world) == ["one"]


def test_what_is_no_event_is_passed_over_and_takes_nothing_with_it(world: World) -> None:
    write(world, "one")
    (name,) = world.files
    with (world.folder / name).open("ab") as file:
        file.write(b'{"event": "to{"event": "torn"}\n\n\xff\xfe\nnull\n[1]\n{"event": "no time"}\n')
        file.write(event("two", world.now) + b'\n{"event": "to')
    assert told(world) == ["one", "two"]
    keep(world.folder, RULES, Instant(NOON + 2 * HOUR_MS))
    assert told(world) == ["one", "two"]


def test_what_was_made_of_a_segment_counts_alone_whatever_a_crash_left(world: World) -> None:
    write(world, "one")
    (name,) = world.files
    segment = (world.folder / name).read_bytes()
    keep(world.folder, RULES, Instant(NOON + 2 * HOUR_MS))
    hour = (world.folder / "2026-11-30T12.parquet").read_bytes()
    (world.folder / name).write_bytes(segment)
    (world.folder / "2026-11-30T11.draft").write_bytes(b"half")
    assert told(world) == ["one"]
    keep(world.folder, RULES, Instant(NOON + 2 * DAY_MS))
    assert world.files == ["2026-11-30.parquet"]
    (world.folder / "2026-11-30T12.parquet").write_bytes(hour)
    (world.folder / name).write_bytes(segment)
    assert told(world) == ["one"]
    assert is_due(world.folder, RULES, Instant(NOON + 2 * DAY_MS))
    keep(world.folder, RULES, Instant(NOON + 2 * DAY_MS))
    assert world.files == ["2026-11-30.parquet"]


@pytest.mark.parametrize("moment", ["draft", "renamed"])
def test_a_keeper_that_is_killed_loses_nothing(world: World, moment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write(world, "one", "two")
    child = os.fork()
    if child == 0:
        where = {"draft": (Path, "rename"), "renamed": (keeping, "sync_folder")}[moment]
        monkeypatch.setattr(*where, lambda *_: os.kill(os.getpid(), signal.SIGKILL))
        keep(world.folder, RULES, Instant(NOON + 2 * HOUR_MS))
        os._exit(0)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
    assert sorted(told(world)) == ["one", "two"]
    keep(world.folder, RULES, Instant(NOON + 2 * HOUR_MS))
    assert sorted(told(world)) == ["one", "two"]
    assert world.files == ["2026-11-30T12.parquet"]


def test_a_damaged_file_does_not_hold_up_what_comes_after_it(world: World) -> None:
    (world.folder / "2026-11-30T12.parquet").write_bytes(b"PAR1 and no more")
    world.now = Instant(NOON + DAY_MS)
    write(world, "the day after")
    with pytest.raises(duckdb.Error, match=r"2026-11-30T12\.parquet"):
        keep(world.folder, RULES, Instant(NOON + 2 * DAY_MS))
    assert world.files == ["2026-11-30T12.parquet", "2026-12-01.parquet"]


def test_a_draft_does_not_keep_room_that_a_full_disk_needs(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_file: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    write(world, "one")
    before = world.files
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            keep(world.folder, RULES, Instant(NOON + 2 * HOUR_MS))
    assert world.files == before
    assert keep(world.folder, RULES, Instant(NOON + 2 * HOUR_MS)) == 1
    assert told(world) == ["one"]


def test_what_a_killed_keeper_had_no_room_for_in_memory_goes(world: World) -> None:
    (world.folder / keeping.SPILL_NAME).mkdir()
    (world.folder / keeping.SPILL_NAME / "duckdb_temp_storage_DEFAULT-0.tmp").write_bytes(b"left")
    keep(world.folder, RULES, world.now)
    assert not (world.folder / keeping.SPILL_NAME).exists()


def test_only_one_keeps_at_a_time(world: World, held: None) -> None:
    write(world, "one")
    assert keep(world.folder, RULES, Instant(NOON + 2 * HOUR_MS)) == 0


@pytest.fixture
def held(world: World) -> Iterator[None]:
    with (world.folder / keeping.LOCK_NAME).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def test_what_is_too_old_is_deleted(world: World) -> None:
    write(world, "old")
    world.now = Instant(NOON + 2 * DAY_MS)
    write(world, "new")
    rules = LogBody(keep_s=DAY_MS // 1000)
    assert is_due(world.folder, rules, world.now)
    keep(world.folder, rules, world.now)
    assert told(world) == ["new"]


def test_beyond_the_room_that_it_has_the_oldest_go_first(world: World) -> None:
    sizes: dict[int, int] = {}
    for hour in range(4):
        world.now = Instant(NOON + hour * HOUR_MS)
        write(world, f"hour {hour}")
        sizes[hour] = sum(path.stat().st_size for path in world.folder.glob("*.jsonl")) - sum(sizes.values())
    keep(world.folder, LogBody(max_bytes=sizes[2] + sizes[3]), world.now)
    assert told(world) == ["hour 2", "hour 3"]


def test_what_a_process_writes_to_is_never_deleted_for_room(world: World) -> None:
    made = world.segments()
    made.add(event("one", world.now))
    made.write()
    keep(world.folder, LogBody(max_bytes=1), world.now)
    assert told(world) == ["one"]
    del made


def test_a_log_that_is_not_wanted_is_gone(world: World) -> None:
    write(world, "one")
    forget(world.folder)
    assert not world.folder.exists()
    forget(world.folder)
    assert not is_due(world.folder, RULES, world.now)


def test_a_part_knows_its_time(tmp_path: Path) -> None:
    hour, day = (Part(path=tmp_path / "x.parquet", period=period) for period in ("2026-11-30T12", "2026-11-30"))
    assert (hour.begins, hour.ends) == (NOON, NOON + HOUR_MS)
    assert (day.begins, day.ends) == (NOON - 12 * HOUR_MS, NOON + 12 * HOUR_MS)
