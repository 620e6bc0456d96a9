"""One line of events after another, whatever becomes of each. Lines to servers are tested by their own modules."""

import asyncio
from collections.abc import Collection
from typing import NoReturn

import pytest

from mailstack.model.errors import TryAgainLater
from mailstack.store import bus_far
from mailstack.store.bus_far import FarBus, Hear
from tests.support.wakes import TIMEOUT_S, eventually


class BrittleLine:
    """Works as bus_far.Line: lost as soon as it is open, and broken when it is closed."""

    rest_s = 0.0

    async def open(self) -> None: ...
    async def listen(self, topics: Collection[str]) -> None: ...
    async def unlisten(self, topics: Collection[str]) -> None: ...
    async def send(self, topics: Collection[str]) -> None: ...

    async def until_lost(self) -> NoReturn:
        await asyncio.sleep(0)
        raise TryAgainLater("lost")

    async def close(self) -> None:
        raise RuntimeError("a bug of the library")


async def test_a_line_that_cannot_even_be_closed_does_not_end_the_events(capsys: pytest.CaptureFixture[str]) -> None:
    made: list[Hear] = []

    def make_line(hear: Hear) -> BrittleLine:
        made.append(hear)
        return BrittleLine()

    bus = FarBus("brittle", make_line)
    await bus.start()
    await eventually(lambda: len(made) > 1)
    await bus.close()
    assert "could not be closed" in capsys.readouterr().out


class DeafLine:
    """Swallows a cancellation while it says something, as a library may."""

    rest_s = 0.0

    def __init__(self) -> None:
        self.says = asyncio.Event()
        self.has_swallowed = False

    async def open(self) -> None: ...
    async def listen(self, topics: Collection[str]) -> None: ...
    async def unlisten(self, topics: Collection[str]) -> None: ...

    async def send(self, topics: Collection[str]) -> None:  # noqa: ARG002  as bus_far.Line has it
        if self.has_swallowed:
            return
        self.says.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.has_swallowed = True

    async def until_lost(self) -> NoReturn:
        await asyncio.Event().wait()
        raise AssertionError

    async def close(self) -> None: ...


async def test_a_line_that_swallows_a_cancellation_holds_up_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bus_far, "START_S", 0.05)
    line = DeafLine()
    bus = FarBus("deaf", lambda _hear: line)
    await bus.start()
    bus.publish("queue")
    await line.says.wait()
    async with asyncio.timeout(TIMEOUT_S):
        await bus.close()
    assert line.has_swallowed
