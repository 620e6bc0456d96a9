"""What a worker learns of senders is written while it runs, and when it ends."""

from collections.abc import Mapping

import pytest

from mailstack.app.experience_keeper import ExperienceKeeper
from mailstack.formats.headers import scan_fields
from mailstack.model.acquaintance import Acquaintance
from mailstack.model.errors import TryAgainLater
from mailstack.model.ids import AccountId
from mailstack.model.instant import Instant
from mailstack.services.spam.experience import Experience, experience_of
from mailstack.store.memory.acquaintances import MemoryAcquaintances
from mailstack.store.memory.reputation import MemoryReputation
from tests.support.fake_clock import FakeClock
from tests.support.wakes import eventually

ALICE = AccountId("a" * 16)


class Faulty(MemoryAcquaintances):
    """faults: of the next writes, one by one."""

    def __init__(self, *faults: Exception) -> None:
        super().__init__()
        self.faults = [*faults]
        self.keys: list[int] = []

    async def note(self, met: Mapping[Acquaintance, Instant]) -> None:
        if self.faults:
            raise self.faults.pop(0)
        self.keys += [one.key for one in met]


def experience(store: MemoryAcquaintances) -> Experience:
    return experience_of(MemoryReputation(), store, secret=b"k" * 32, clock=FakeClock())


def wrote(by: Experience, recipient: str) -> int:
    by.acquainted.wrote(ALICE, [recipient], scan_fields(b"\r\n"))
    return by.acquainted.keys.of_address(recipient)


async def test_it_is_written_soon_whatever_went_wrong_before(capsys: pytest.CaptureFixture[str]) -> None:
    store = Faulty(TryAgainLater("locked"), TryAgainLater("locked"), RuntimeError("a bug"))
    learned = experience(store)
    keeper = ExperienceKeeper(learned, every_s=0.001)
    wrote(learned, "a@x.example")
    await eventually(lambda: not store.faults)
    key = wrote(learned, "b@x.example")
    await eventually(lambda: key in store.keys)
    await keeper.end()
    told = capsys.readouterr().out
    assert told.count("what is learned of senders is not kept") == 2
    assert "a bug" in told


async def test_what_is_left_is_written_at_the_end() -> None:
    store = Faulty()
    learned = experience(store)
    keeper = ExperienceKeeper(learned)
    key = wrote(learned, "a@x.example")
    await keeper.end()
    assert store.keys == [key]
