"""Forks that are asked for inside a loop and made outside of it."""

import asyncio
import errno
import os
import signal
import socket
from collections.abc import Callable
from typing import Never

import pytest
import uvloop

from mailstack.app.forks import Forks, answering, drive
from tests.support.running import DEADLINE_S


def report_files(line: socket.socket) -> int:
    line.sendall(b" ".join(name.encode() for name in sorted(os.listdir("/proc/self/fd"), key=int)))  # noqa: PTH208
    return 3


def test_a_child_has_its_line_and_what_was_kept_and_nothing_else() -> None:
    forks = Forks()
    loop = uvloop.new_event_loop()
    with socket.create_server(("127.0.0.1", 0)) as kept, socket.create_server(("127.0.0.1", 0)) as other:

        async def main() -> tuple[set[int], int]:
            forked = await forks.fork(report_files, keep=[kept.fileno()])
            with forked.line:
                said = await asyncio.to_thread(forked.line.recv, 4096)
            _, status = await asyncio.to_thread(os.waitpid, forked.pid, 0)
            return {int(number) for number in said.split()}, os.waitstatus_to_exitcode(status)

        files, status = drive(loop, main(), forks)
        assert status == 3
        assert kept.fileno() in files
        assert other.fileno() not in files
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


def test_the_result_of_main_is_returned_without_any_fork() -> None:
    loop = asyncio.new_event_loop()

    async def main() -> str:
        return "done"

    assert drive(loop, main(), Forks()) == "done"
    loop.close()


@pytest.mark.parametrize("new_loop", [uvloop.new_event_loop, asyncio.new_event_loop])
def test_a_signal_that_comes_while_the_loop_rests_for_a_fork_is_answered(
    new_loop: Callable[[], asyncio.AbstractEventLoop], monkeypatch: pytest.MonkeyPatch
) -> None:
    forks = Forks()
    fork = os.fork

    def signalled_fork() -> int:
        os.kill(os.getpid(), signal.SIGHUP)
        return fork()

    async def main() -> None:
        answered = asyncio.Event()
        with answering({signal.SIGHUP: answered.set}):
            forked = await forks.fork(report_files, keep=())
            async with asyncio.timeout(DEADLINE_S):
                await answered.wait()
        forked.line.close()
        forked.wait()

    before = signal.getsignal(signal.SIGHUP)
    monkeypatch.setattr(os, "fork", signalled_fork)
    loop = new_loop()
    drive(loop, main(), forks)
    loop.close()
    assert signal.getsignal(signal.SIGHUP) is before


@pytest.mark.parametrize("place", [(os, "fork"), (socket, "socketpair")], ids=["no process", "no file"])
def test_what_the_machine_has_no_room_for_is_told_to_whoever_asked_for_it(
    place: tuple[object, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full() -> Never:
        raise OSError(errno.EAGAIN, "no room")

    forks = Forks()
    loop = uvloop.new_event_loop()

    async def main() -> str:
        with monkeypatch.context() as crowded:
            crowded.setattr(*place, full)
            try:
                await forks.fork(report_files, keep=())
            except OSError as fault:
                return str(fault.strerror)
        return "forked"

    assert drive(loop, main(), forks) == "no room"
    loop.close()


def test_a_fork_that_nobody_waits_for_any_more_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fork", lambda: pytest.fail("it was made"))
    forks = Forks()
    loop = uvloop.new_event_loop()

    async def main() -> None:
        asked = asyncio.ensure_future(forks.fork(report_files, keep=()))
        await asyncio.sleep(0)
        asked.cancel()
        await asyncio.wait({asked})

    drive(loop, main(), forks)
    loop.close()
