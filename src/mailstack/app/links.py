"""A worker as the supervisor sees it: a forked process behind a line, or the supervisor's own self.

Both obey the same calls, so one worker and ten run the same code.
"""

import asyncio
import os
import signal
from collections.abc import Iterable
from contextlib import suppress
from typing import Protocol

from mailstack.app.blueprint import Blueprint, to_json
from mailstack.app.control import Channel
from mailstack.app.faults import WorkerUnable
from mailstack.app.forks import Forks
from mailstack.app.messages import (
    Accepting,
    Commit,
    Committed,
    Discard,
    Message,
    Prepare,
    Prepared,
    Refused,
    Stop,
    Unable,
)
from mailstack.app.sockets import Bound, Endpoint
from mailstack.app.worker import Launch, Worker, run_forked
from mailstack.model.errors import DomainError


class WorkerLink(Protocol):
    @property
    def pid(self) -> int: ...

    async def prepare(self, number: int, blueprint: Blueprint, opened: Bound) -> None:
        """Raises WorkerUnable."""
        ...

    async def commit(self, number: int, closed: Iterable[Endpoint]) -> None:
        """Raises WorkerUnable when it died on the way."""
        ...

    def discard(self, number: int) -> None: ...

    async def ended(self) -> None:
        """Returns once the worker is gone, for whatever reason."""
        ...

    async def stop(self, grace_s: float) -> None:
        """Asks it to end, and waits until it has."""
        ...

    def abort(self) -> None: ...


class ForkedWorker:
    def __init__(self, pid: int, channel: Channel) -> None:
        self.pid = pid
        self._channel = channel
        self._gone = asyncio.Event()
        self._answers: asyncio.Queue[Message | None] = asyncio.Queue()
        self._reading = asyncio.get_running_loop().create_task(self._read())

    @classmethod
    async def start(cls, forks: Forks, launch: Launch) -> "ForkedWorker":
        """Returns when it accepts connections. Raises WorkerUnable."""
        keep = [launch.meters.fileno(), *(listener.fileno() for listener in launch.bound.values())]
        forked = await forks.fork(lambda line: run_forked(launch, line), keep=keep)
        worker = cls(forked.pid, Channel(forked.line))
        await worker._expect(Accepting())
        return worker

    async def prepare(self, number: int, blueprint: Blueprint, opened: Bound) -> None:
        order = Prepare(number=number, blueprint=to_json(blueprint), opened=tuple(opened))
        self._channel.send(order, tuple(opened.values()))
        await self._expect(Prepared(number=number))

    async def commit(self, number: int, closed: Iterable[Endpoint]) -> None:
        self._channel.send(Commit(number=number, closed=tuple(closed)))
        await self._expect(Committed(number=number))

    def discard(self, number: int) -> None:
        self._channel.send(Discard(number=number))

    async def ended(self) -> None:
        await self._gone.wait()

    async def stop(self, grace_s: float) -> None:
        self._channel.send(Stop(grace_s=grace_s))
        await self._gone.wait()

    def abort(self) -> None:
        if not self._gone.is_set():
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    async def _expect(self, wanted: Accepting | Prepared | Committed) -> None:
        """Answers to changes that were given up come late, and are passed over."""
        while (answer := await self._answers.get()) != wanted:
            match answer:
                case None:
                    self._answers.put_nowait(None)
                    raise WorkerUnable(f"worker {self.pid} died")
                case Unable(reason=reason):
                    raise WorkerUnable(reason)
                case Refused(number=number, reason=reason) if getattr(wanted, "number", None) == number:
                    raise WorkerUnable(reason)

    async def _read(self) -> None:
        while (arrived := await self._channel.receive()) is not None:
            self._answers.put_nowait(arrived[0])
        os.waitpid(self.pid, 0)  # noqa: ASYNC222  the line ended with the process: nothing is left to wait for
        self._answers.put_nowait(None)
        self._gone.set()


class InlineWorker:
    """`workers: 1`: no second process for one."""

    def __init__(self, worker: Worker) -> None:
        self.pid = os.getpid()
        self._worker = worker
        self._gone = asyncio.Event()

    @classmethod
    async def start(cls, launch: Launch) -> "InlineWorker":
        worker = Worker(launch)
        try:
            await worker.start()
        except (DomainError, OSError) as fault:
            raise WorkerUnable(str(fault)) from fault
        return cls(worker)

    async def prepare(self, number: int, blueprint: Blueprint, opened: Bound) -> None:
        copies = {endpoint: listener.dup() for endpoint, listener in opened.items()}
        try:
            await self._worker.prepare(number, blueprint, copies)
        except DomainError as fault:
            raise WorkerUnable(fault.detail) from fault

    async def commit(self, number: int, closed: Iterable[Endpoint]) -> None:
        await self._worker.commit(number, closed)

    def discard(self, number: int) -> None:  # noqa: ARG002  there is only one
        self._worker.discard()

    async def ended(self) -> None:
        await self._gone.wait()

    async def stop(self, grace_s: float) -> None:
        await self._worker.stop(grace_s)
        self._gone.set()

    def abort(self) -> None:
        os._exit(1)
