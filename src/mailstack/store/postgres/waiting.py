"""Plain functions that wait for what is async: on the loop in a greenlet, or in a thread.

The logic of the store is plain functions, which on SQLite never wait for a network. Here each of their statements may;
a greenlet lets the whole call stack wait while the loop goes on, and costs a few microseconds where a thread costs a
hundred. Long work goes to a thread all the same, so that what it does between statements does not hold up the loop.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TypeVar, cast

from greenlet import getcurrent, greenlet

Result = TypeVar("Result")
Awaited = TypeVar("Awaited")


class Wait(Protocol):
    """For the plain function: gives what the awaitable comes to, or raises what it raises."""

    def __call__(self, awaited: Coroutine[Any, Any, Awaited], /) -> Awaited: ...


async def in_greenlet(function: Callable[[Wait], Result]) -> Result:
    """On the loop, in the caller's task."""
    child = greenlet(function)
    child.gr_context = getcurrent().gr_context
    outcome = child.switch(_suspend)
    while not child.dead:
        try:
            came = await cast(Awaitable[object], outcome)
        except BaseException as fault:  # noqa: BLE001  # it is raised where the function waits for it
            outcome = child.throw(fault)
        else:
            outcome = child.switch(came)
    return cast(Result, outcome)


async def in_thread(threads: ThreadPoolExecutor, function: Callable[[Wait], Result]) -> Result:
    """What the function waits for still runs on the loop."""
    loop = asyncio.get_running_loop()

    def wait(awaited: Coroutine[Any, Any, Awaited]) -> Awaited:
        return asyncio.run_coroutine_threadsafe(awaited, loop).result()

    return await loop.run_in_executor(threads, function, wait)


def _suspend(awaited: Coroutine[Any, Any, Awaited]) -> Awaited:
    return cast(Awaited, getcurrent().parent.switch(awaited))
