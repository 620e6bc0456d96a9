"""Forks that are asked for inside a loop and made outside of it."""

import asyncio
import os
import socket

import uvloop

from mailstack.app.forks import Forks, drive


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
