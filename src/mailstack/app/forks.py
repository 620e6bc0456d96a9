"""Forking from a program that runs an event loop: the loop is stopped for the moment of the fork.

So a child starts outside of any running loop, with nothing of its parent's but the sockets it was meant to have.
Signals that arrive in that moment wait for the loop.
"""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from mailstack.app.log import flush_log

Result = TypeVar("Result")
Child = Callable[[socket.socket], int]
"""What a child runs, given its end of the line to the parent; returns the exit status."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forked:
    pid: int
    line: socket.socket

    def terminate(self) -> None:
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    def wait(self) -> None:
        """Once: its number may be another's afterwards."""
        os.waitpid(self.pid, 0)

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    child: Child
    keep: tuple[int, ...]
    done: asyncio.Future[Forked]


class Forks:
    """Asked for inside the loop, made by `drive` outside of it."""

    def __init__(self) -> None:
        self._orders: asyncio.Queue[_Order] = asyncio.Queue()

    async def fork(self, child: Child, *, keep: Iterable[int]) -> Forked:
        """keep: file descriptors that the child works with, besides the standard three and its line."""
        order = _Order(child=child, keep=tuple(keep), done=asyncio.get_running_loop().create_future())
        await self._orders.put(order)
        return await order.done

    async def next_order(self) -> _Order:
        return await self._orders.get()


@contextmanager
def answering(signals: Mapping[signal.Signals, Callable[[], object]]) -> Iterator[None]:
    """Calls these within the running loop, one call for each signal, also for one that came while the loop rested."""
    loop = asyncio.get_running_loop()

    def answer(number: int, _frame: object) -> None:
        loop.call_soon_threadsafe(signals[signal.Signals(number)])

    # Not by add_signal_handler: uvloop forgets a signal that arrives between two runs.
    before = {number: signal.signal(number, answer) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def drive(loop: asyncio.AbstractEventLoop, main: Coroutine[object, object, Result], forks: Forks) -> Result:
    """Runs main to its end, making the forks it asks for."""
    running = loop.create_task(main)
    while True:
        ordered = loop.create_task(forks.next_order())
        loop.run_until_complete(asyncio.wait({running, ordered}, return_when=asyncio.FIRST_COMPLETED))
        if ordered.done():
            _fork(ordered.result())
            continue
        ordered.cancel()
        loop.run_until_complete(asyncio.wait({ordered}))
        return running.result()


def _fork(order: _Order) -> None:
    if order.done.cancelled():
        return
    try:
        ours, theirs = socket.socketpair()
    except OSError as fault:
        order.done.set_exception(fault)
        return
    try:
        pid = os.fork()
    except OSError as fault:
        ours.close()
        order.done.set_exception(fault)
        return
    else:
        if pid == 0:
            _become_child(order, theirs)
        order.done.set_result(Forked(pid=pid, line=ours))
    finally:
        theirs.close()


def _become_child(order: _Order, line: socket.socket) -> None:
    """Never returns: the parent's frames must not run twice."""
    status = 70  # EX_SOFTWARE
    try:
        signal.set_wakeup_fd(-1)
        # A terminal's Ctrl-C and systemd's SIGTERM reach every process; the parent decides what they mean.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        asyncio.set_event_loop(None)
        _close_all_but({0, 1, 2, line.fileno(), *order.keep})
        status = order.child(line)
    except BaseException as fault:  # noqa: BLE001  nothing may climb out of the child
        sys.excepthook(type(fault), fault, fault.__traceback__)
    finally:
        with suppress(OSError, ValueError):
            flush_log()
            sys.stderr.flush()
        os._exit(status)


def _close_all_but(kept: set[int]) -> None:
    # The other workers' lines above all: a worker learns of its parent's end by the line's end.
    for name in os.listdir("/proc/self/fd") if Path("/proc/self/fd").is_dir() else ():  # noqa: PTH208
        if int(name) not in kept:
            with suppress(OSError):
                os.close(int(name))
