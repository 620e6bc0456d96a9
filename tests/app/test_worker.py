"""A worker that hangs at its end says where. What workers do is shown by whole servers in tests/scenarios."""

import asyncio

import pytest

from mailstack.app.worker import _say_what_lasts
from tests.support.running import running


async def test_one_that_hangs_says_where_each_task_waits(capsys: pytest.CaptureFixture[str]) -> None:
    async def inner() -> None:
        await asyncio.Event().wait()

    async def outer() -> None:
        await inner()

    async with running(outer()):
        await asyncio.sleep(0)  # a turn for the others
        _say_what_lasts()
    said = capsys.readouterr().out
    assert "should have ended" in said
    assert "outer:" in said
    assert "inner:" in said.partition("outer:")[2]
