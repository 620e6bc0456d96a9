"""The shared model's file: one for all workers of a machine, made anew whenever it cannot be trusted."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mailstack.app import shared_model
from mailstack.app.shared_model import SharedModelFile
from mailstack.model.errors import TryAgainLater
from mailstack.model.ids import AccountId
from mailstack.model.spam_lesson import Settled
from mailstack.ports.store import Store
from mailstack.services.spam import shared as compacting
from mailstack.services.spam.shared import compact, whole
from mailstack.services.spam.turn import LearningTurn
from mailstack.spam.features import features_of
from mailstack.spam.model import SHARED_BITS, Model, empty
from mailstack.spam.packed import packed
from tests.support.engines import open_store
from tests.support.fake_clock import FakeClock
from tests.support.recording_bus import RecordingBus
from tests.support.spam_mail import campaign_mail

EMPTY = bytes(empty(SHARED_BITS))


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await open_store(tmp_path, clock=FakeClock(), bus=RecordingBus())
    yield opened
    await opened.close()


async def learn(store: Store, *numbers: int) -> None:
    model = Model(empty(SHARED_BITS))
    updates = [packed(model.lesson(features_of(campaign_mail(number)), is_spam=True)) for number in numbers]
    settled = Settled(account_id=AccountId("a"), table=None, taught=(), passed_over=(), shared_updates=updates)
    await store.spam_lessons.settle(settled)


def path_of(folder: Path) -> Path:
    return folder / "spam" / "shared.model"


async def test_nothing_was_learned(store: Store, tmp_path: Path) -> None:
    file = SharedModelFile(tmp_path)
    await file.catch_up(store.spam_tables)
    assert (file.model.octets, file.number) == (EMPTY, 0)
    assert not path_of(tmp_path).exists()


async def test_one_writes_it_and_all_map_it(store: Store, tmp_path: Path) -> None:
    one, other = SharedModelFile(tmp_path), SharedModelFile(tmp_path)
    await learn(store, 1, 2)
    await one.catch_up(store.spam_tables)
    written = path_of(tmp_path).stat()
    await other.catch_up(store.spam_tables)
    assert (one.model.spam, other.model.spam, other.number) == (2, 2, 2)
    assert path_of(tmp_path).stat() == written
    assert written.st_mode & 0o777 == 0o600
    await learn(store, 3)
    await other.catch_up(store.spam_tables)
    assert (one.model.spam, other.model.spam) == (2, 3)
    await one.catch_up(store.spam_tables)
    assert one.model.octets == other.model.octets == (await whole(store.spam_tables))[0].octets


async def test_many_at_once(store: Store, tmp_path: Path) -> None:
    await learn(store, 1, 2)
    files = [SharedModelFile(tmp_path) for _ in range(5)]
    await asyncio.gather(*(file.catch_up(store.spam_tables) for file in files))
    assert {file.model.spam for file in files} == {2}
    assert sorted(path.name for path in path_of(tmp_path).parent.iterdir()) == ["lock", "shared.model"]


@pytest.mark.parametrize("octets", [b"", b"x" * 50, b"MSshare1" + bytes(200), b"another" * 1_000])
async def test_a_damaged_one_is_made_anew(store: Store, tmp_path: Path, octets: bytes) -> None:
    await learn(store, 1)
    await SharedModelFile(tmp_path).catch_up(store.spam_tables)
    path_of(tmp_path).write_bytes(octets)
    file = SharedModelFile(tmp_path)
    await file.catch_up(store.spam_tables)
    assert file.model.spam == 1


async def test_one_from_before_the_machine_started_is_made_anew(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await learn(store, 1)
    await SharedModelFile(tmp_path).catch_up(store.spam_tables)
    written = path_of(tmp_path).stat().st_ino
    boot = tmp_path / "boot_id"
    boot.write_text("another boot\n")
    monkeypatch.setattr(shared_model, "BOOT_ID", boot)
    file = SharedModelFile(tmp_path)
    await file.catch_up(store.spam_tables)
    assert file.model.spam == 1
    assert path_of(tmp_path).stat().st_ino != written


async def test_where_the_system_does_not_say_when_it_started(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_model, "BOOT_ID", tmp_path / "missing")
    await learn(store, 1)
    for _ in range(2):
        file = SharedModelFile(tmp_path)
        await file.catch_up(store.spam_tables)
        assert (file.model.spam, file.number) == (1, 1)
    await learn(store, 2)
    await file.catch_up(store.spam_tables)
    assert (file.model.spam, file.number) == (2, 2)


async def test_a_database_that_knows_less_is_believed(store: Store, tmp_path: Path) -> None:
    await learn(store, 1, 2)
    await SharedModelFile(tmp_path).catch_up(store.spam_tables)
    other = await open_store(tmp_path / "older", clock=FakeClock(), bus=RecordingBus())
    await learn(other, 3)
    file = SharedModelFile(tmp_path)
    await file.catch_up(other.spam_tables)
    assert (file.model.spam, file.number) == (1, 1)
    await other.close()


async def test_what_is_forgotten_is_gone(store: Store, tmp_path: Path) -> None:
    await learn(store, 1)
    file = SharedModelFile(tmp_path)
    await file.catch_up(store.spam_tables)
    await store.spam_tables.replace_shared(EMPTY, after=1)
    await file.catch_up(store.spam_tables)
    assert (file.model.octets, file.number) == (EMPTY, 2)


async def test_another_process_may_be_at_it(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_model, "LOCK_TRIES", 2)
    await learn(store, 1)
    one, other = SharedModelFile(tmp_path), SharedModelFile(tmp_path)
    await one.catch_up(store.spam_tables)
    async with one._locked():
        with pytest.raises(TryAgainLater, match="held by another process"):
            await other.catch_up(store.spam_tables)
    assert other.model.octets == EMPTY
    await other.catch_up(store.spam_tables)
    assert other.model.spam == 1


async def test_a_long_log_becomes_a_base(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compacting, "MOST_UPDATES", 2)
    turn, trainers = (LearningTurn(store.locks, owner=owner, clock=FakeClock()) for owner in ("house", "trainer"))
    await learn(store, 1, 2)
    assert not await compact(store.spam_tables, turn)
    await learn(store, 3)
    before, _ = await whole(store.spam_tables)
    assert await trainers.take()
    assert not await compact(store.spam_tables, turn)  # what that learns meanwhile would be lost
    await trainers.give_back()
    assert await compact(store.spam_tables, turn)
    assert await trainers.take()
    after, number = await whole(store.spam_tables)
    assert (after.octets, number, await store.spam_tables.log_length()) == (before.octets, 4, 0)


async def test_a_base_of_another_version_is_as_none(store: Store, tmp_path: Path) -> None:
    await store.spam_tables.replace_shared(b"another version", after=0)
    await learn(store, 1)
    file = SharedModelFile(tmp_path)
    await file.catch_up(store.spam_tables)
    assert (file.model.spam, file.number) == (1, 2)
