"""Looks after the log of a node: now and then, one worker has a process of its own make Parquet of what is over and
delete what is old, for that takes libraries and memory that no worker is to have.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import structlog

from mailstack.app.blueprint import Blueprint
from mailstack.app.clock import system_clock
from mailstack.app.messages import Job
from mailstack.model.resource import LogBody
from mailstack.store.event_log.keeping import forget, is_due
from mailstack.store.event_log.parts import log_folder

log = structlog.get_logger()

KEEPER = "mailstack.app.event_keeper_main"
LOOK_EVERY_S = 300.0
LONGEST_S = 3_600.0
"""For hours of a busy server, at the pace of a process that gives way to all others."""


def make_log(storage: Path, blueprint: Blueprint) -> None:
    """Where the spec wants one: who tells something finds the folder, and keeps it there."""
    if blueprint.server is None or blueprint.server.log is None:
        return
    try:
        log_folder(storage).mkdir(mode=0o700, exist_ok=True)
    except OSError as fault:  # mail is served without
        log.warning("no log is kept", reason=str(fault))


class EventKeeper:
    """Begins at once. rules: those of the generation that serves, None where nothing is to be kept."""

    def __init__(self, storage: Path, job: Job, rules: Callable[[], LogBody | None]) -> None:
        self._folder = log_folder(storage)
        self._job = job
        self._rules = rules
        self._woken = asyncio.Event()
        self._task = asyncio.get_running_loop().create_task(self._keep())

    def follow(self) -> None:
        """There is another generation."""
        self._woken.set()

    async def end(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _keep(self) -> None:
        while True:
            # First the wait: a start has better things to do.
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._woken.wait()
            self._woken.clear()
            try:
                await self._look()
            except OSError as fault:
                log.warning("the log is not looked after", fault=repr(fault))
            except Exception:  # a bug met here must not let it grow for ever
                log.exception("the log is not looked after")

    async def _look(self) -> None:
        rules = self._rules()
        if rules is None:
            await asyncio.to_thread(forget, self._folder)
        elif await asyncio.to_thread(is_due, self._folder, rules, system_clock()):
            await self._carry_out(rules)

    async def _carry_out(self, rules: LogBody) -> None:
        told = (str(self._folder), str(rules.keep_s), str(rules.max_bytes), self._job.log_format, self._job.log_level)
        process = _started(told)
        try:
            async with asyncio.timeout(LONGEST_S):
                await _ended(process)
        finally:
            if process.poll() is None:
                process.kill()  # what it was making is made anew
                process.wait()
        if process.returncode:
            log.warning("the log is not looked after", exit_status=process.returncode)


def _started(told: Sequence[str]) -> subprocess.Popen[bytes]:
    # Not the loop's own subprocesses: uvloop's kill a worker, which is a fork of another loop's process.
    return subprocess.Popen([sys.executable, "-P", "-m", KEEPER, *told], stdin=subprocess.DEVNULL)


async def _ended(process: subprocess.Popen[bytes]) -> None:
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    descriptor = os.pidfd_open(process.pid)
    loop.add_reader(descriptor, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)
    process.wait()
