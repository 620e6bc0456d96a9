"""What takes asking for keeps nobody waiting, and is asked seldom."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from mailstack.app.metrics.kept import FRESH_S, PATIENCE_S, Kept
from mailstack.model.errors import TryAgainLater
from tests.support.virtual_time import run_in_virtual_time


class Source:
    """asked: how often. answer: what it does each time."""

    def __init__(self, answer: Callable[[], Awaitable[int]]) -> None:
        self.asked = 0
        self._answer = answer

    async def read(self) -> int:
        self.asked += 1
        return await self._answer()


async def _seven() -> int:
    return 7


async def _hangs() -> int:
    await asyncio.Event().wait()
    raise AssertionError("nobody sets it")


def test_many_who_ask_at_once_ask_once() -> None:
    source = Source(_seven)

    async def scene() -> None:
        kept = Kept("source", source.read)
        assert await asyncio.gather(*(kept.get() for _ in range(20))) == [7] * 20
        assert await kept.get() == 7
        assert source.asked == 1
        await asyncio.sleep(FRESH_S + 1)
        assert await kept.get() == 7
        assert source.asked == 2

    run_in_virtual_time(scene())


def test_a_source_that_hangs_is_given_up_in_time_and_not_asked_anew() -> None:
    source = Source(_hangs)

    async def scene() -> None:
        loop = asyncio.get_running_loop()
        kept = Kept("source", source.read)
        for _ in range(3):
            began_at = loop.time()
            assert await kept.get() is None
            assert loop.time() - began_at == pytest.approx(PATIENCE_S)
            await asyncio.sleep(FRESH_S + 1)
        assert source.asked == 1

    run_in_virtual_time(scene())


@pytest.mark.parametrize("fault", [TryAgainLater("the database is away"), OSError("disk"), ZeroDivisionError()])
def test_a_source_that_fails_is_asked_again_once_it_may_be_better(fault: Exception) -> None:
    answers: list[int | Exception] = [fault, 7]

    async def answer() -> int:
        match answers.pop(0):
            case Exception() as raised:
                raise raised
            case found:
                return found

    source = Source(answer)

    async def scene() -> None:
        kept = Kept("source", source.read)
        assert await kept.get() is None
        assert await kept.get() is None
        assert source.asked == 1
        await asyncio.sleep(FRESH_S + 1)
        assert await kept.get() == 7

    run_in_virtual_time(scene())
