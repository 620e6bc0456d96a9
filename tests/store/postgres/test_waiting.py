"""Plain functions that wait for what is async."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar

import pytest

from mailstack.store.postgres.waiting import Wait, in_greenlet, in_thread

NAME = ContextVar("NAME", default="")


async def doubled(number: int) -> int:
    await asyncio.sleep(0)
    return 2 * number


async def refused() -> None:
    await asyncio.sleep(0)
    raise ValueError("no")


def chain(wait: Wait) -> int:
    number = 1
    for _ in range(5):
        number = wait(doubled(number))
    return number


def caught(wait: Wait) -> str:
    try:
        wait(refused())
    except ValueError as fault:
        return str(fault)
    return ""


async def test_a_function_gets_what_it_waits_for() -> None:
    assert await in_greenlet(chain) == 32
    with ThreadPoolExecutor(1) as threads:
        assert await in_thread(threads, chain) == 32


async def test_a_function_can_catch_what_it_waits_for_raises() -> None:
    assert await in_greenlet(caught) == "no"
    with ThreadPoolExecutor(1) as threads:
        assert await in_thread(threads, caught) == "no"


async def test_what_a_function_raises_comes_out() -> None:
    with pytest.raises(ValueError, match="no"):
        await in_greenlet(lambda wait: wait(refused()))


async def test_functions_wait_side_by_side_each_in_its_own_context() -> None:
    def named(wait: Wait) -> str:
        wait(doubled(1))
        return NAME.get()

    async def run(name: str) -> str:
        NAME.set(name)
        return await in_greenlet(named)

    names = [f"task {number}" for number in range(20)]
    assert await asyncio.gather(*map(run, names)) == names


async def test_who_is_cancelled_lets_the_function_clean_up() -> None:
    cleaned = []

    def waits(wait: Wait) -> None:
        try:
            wait(asyncio.sleep(60))
        finally:
            cleaned.append(True)

    task = asyncio.ensure_future(in_greenlet(waits))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert cleaned == [True]
