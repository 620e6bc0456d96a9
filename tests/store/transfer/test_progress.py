"""How far a copy has come: it moves while an account lasts, never back, and ends at the end."""

from pathlib import Path

from mailstack.store.transfer.copying import SYSTEM, copy_store
from mailstack.store.transfer.progress import BYTES_A_MESSAGE, Gauge, effort
from tests.store.transfer.conftest import folder_to_folder
from tests.support.filled_store import ALICE


class Told:
    def __init__(self) -> None:
        self.lines: list[tuple[str, int, int]] = []

    def __call__(self, whose: str, done: int, total: int) -> None:
        self.lines.append((whose, done, total))

    @property
    def done(self) -> list[int]:
        return [done for _, done, _ in self.lines]


def test_it_moves_within_an_account() -> None:
    told = Told()
    part = Gauge(told, total=100).begin("a", 100)
    for _ in range(4):
        part.passed(50, 0)
    part.end()
    assert told.lines == [("a", done, 101) for done in (0, 25, 50, 75, 100, 100)]


def test_a_few_large_messages_count_as_many_small_ones() -> None:
    assert effort(2, 10 * BYTES_A_MESSAGE) == 12


def test_messages_that_share_their_bytes_and_bytes_that_nobody_counted_are_made_up_for_at_the_end() -> None:
    told = Told()
    gauge = Gauge(told, total=30)
    few, many = gauge.begin("few", 10), gauge.begin("many", 20)
    few.passed(2, 0)
    many.passed(99, 0)
    few.end()
    many.end()
    assert told.done == [0, 0, 1, 21, 30, 30]


async def test_a_whole_copy_ends_where_it_was_said_to(filled: Path, tmp_path: Path) -> None:
    told = Told()
    async with folder_to_folder(filled, tmp_path / "new") as (source, target):
        await copy_store(source, target, progress=told)
    assert told.done == sorted(told.done)
    assert told.lines[-1][0] == SYSTEM
    assert told.lines[-1][1] == told.lines[-1][2]
    assert len({done for whose, done, _ in told.lines if whose == ALICE}) > 2
