"""What a process writes of the log: whole lines, of one hour, bounded, and without harm from a disk that is full."""

import os
import signal
import stat
import threading
from pathlib import Path

import pytest

from mailstack.model.instant import HOUR_MS, Instant
from mailstack.store.event_log import segments as module
from mailstack.store.event_log.parts import all_parts, is_open
from tests.store.event_log.world import World
from tests.support.small_disk import fill, small_disk


def lines(world: World) -> list[bytes]:
    return sorted(line for part in all_parts(world.folder) for line in part.path.read_bytes().splitlines())


def test_what_is_added_is_written_together_and_readable_by_its_owner_alone(world: World) -> None:
    made = world.segments()
    made.add(b"one")
    made.add(b"two")
    assert world.files == []
    made.write()
    (part,) = all_parts(world.folder)
    assert part.path.read_bytes() == b"one\ntwo\n"
    assert stat.S_IMODE(part.path.stat().st_mode) == 0o600
    assert part.period == "2026-11-30T12"


def test_each_hour_and_each_process_has_segments_of_its_own(world: World) -> None:
    made, other = world.segments(), world.segments()
    for each in (made, other):
        each.add(b"one")
        each.write()
    world.now = Instant(world.now + HOUR_MS)
    made.add(b"two")
    made.write()
    assert [part.period for part in all_parts(world.folder)] == ["2026-11-30T12", "2026-11-30T12", "2026-11-30T13"]


def test_a_segment_is_open_until_its_hour_is_over(world: World) -> None:
    made = world.segments()
    made.add(b"one")
    made.write()
    (part,) = all_parts(world.folder)
    made.roll()
    assert is_open(part)
    world.now = Instant(world.now + HOUR_MS)
    made.roll()
    assert not is_open(part)


def test_a_segment_has_a_bound(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SEGMENT_BYTES", 10)
    made = world.segments()
    for _ in range(3):
        made.add(b"0123456789")
        made.write()
    assert len(world.files) == 3


def test_a_killed_process_leaves_a_segment_that_is_not_open(world: World) -> None:
    child = os.fork()
    if child == 0:
        made = world.segments()
        made.add(b'{"whole": 1}')
        made.write()
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    (part,) = all_parts(world.folder)
    assert not is_open(part)
    assert part.path.read_bytes() == b'{"whole": 1}\n'


def test_a_forked_child_writes_nothing_of_its_parents(world: World) -> None:
    made = world.segments()
    made.add(b"parent")
    made.write()
    made.add(b"waits")
    child = os.fork()
    if child == 0:
        made.begin_anew()
        made.add(b"child")
        made.write()
        os._exit(0)
    os.waitpid(child, 0)
    made.write()
    found = sorted(part.path.read_bytes() for part in all_parts(world.folder))
    assert found == [b"child\n", b"parent\nwaits\n"]


def test_threads_lose_nothing(world: World) -> None:
    made = world.segments()

    def tell(number: int) -> None:
        for each in range(500):
            made.add(f"{number}-{each}".encode())
            if each % 7 == 0:
                made.write()

    threads = [threading.Thread(target=tell, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    made.write()
    assert lines(world) == sorted(f"{number}-{each}".encode() for number in range(4) for each in range(500))


def test_without_its_folder_nothing_is_kept_and_nobody_troubled(world: World) -> None:
    world.folder.rmdir()
    made = world.segments()
    made.add(b"one")
    made.write()
    assert world.told == []
    world.folder.mkdir()
    made.add(b"two")
    made.write()
    assert lines(world) == [b"two"]


def test_a_folder_that_was_taken_away_and_made_again_is_written_to(world: World) -> None:
    made = world.segments()
    made.add(b"one")
    made.write()
    (part,) = all_parts(world.folder)
    part.path.unlink()
    made.add(b"two")
    made.write()
    assert lines(world) == [b"two"]


def test_what_waits_has_a_bound_and_what_was_dropped_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAITING_BYTES", 6)
    made = world.segments()
    for each in (b"one", b"two", b"three"):
        made.add(each)
    made.write()
    assert (lines(world), world.told) == ([b"one", b"two"], ["dropped 1"])


def test_a_full_disk_is_told_once_and_its_end_with_what_was_dropped(tmp_path: Path) -> None:
    with small_disk(tmp_path / "small") as disk:
        world = World(disk / "log")
        world.folder.mkdir()
        made = world.segments()
        made.add(b"before")
        made.write()
        fill(disk / "filler")
        for _ in range(3):
            made.add(b"x" * 100_000)
            made.write()
        assert world.told == ["No space left on device"]
        (disk / "filler").unlink()
        made.add(b"after")
        made.write()
        assert world.told == ["No space left on device", "dropped 3"]
        made.begin_anew()
        assert len(world.files) == 1
        found = lines(world)
        assert {b"before", b"after"} <= set(found)
