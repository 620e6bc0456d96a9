"""A plan, an apply or a look for drift that the API was asked for, in a process of its own, as a worker sees it.

A worker never loads what plans; how many such processes there are at a time is bounded for the whole machine, by locks
that end with them. A caller that goes away ends a plan, and no apply.
"""

import asyncio
import fcntl
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson

from mailstack.app.messages import Job
from mailstack.app.runfiles import run_folder
from mailstack.app.store_address import StoreAddress
from mailstack.model.errors import TryAgainLater
from mailstack.servers.calls import APPLIES, OF_THE_LOG, Answer, Call, CallKind

API_JOB = "mailstack.app.api_main"
LOG_JOB = "mailstack.app.api_log_main"
"""Begins in a fifth of the time, for it knows nothing of specs."""
AT_ONCE = 2
"""Of either: each takes a core for a while, and tens of megabytes."""
LONGEST_S = 600.0
"""Until an answer begins: every zone has been asked by then, or never answers."""
CHUNK_BYTES = 1 << 16
LONGEST_HEAD_BYTES = 1 << 16
LONGEST_ID = 64
SAME_TOKEN_S = 60.0
"""For how long a call waits for the one before it with the same token, whose process may have answered already."""
LOOK_EVERY_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """The line that a process begins with; `size` bytes of the request's content follow it."""

    kind: str
    caller: str
    may_apply: bool
    storage: dict[str, Any] = field(repr=False)
    spec: str
    size: int
    log_format: str
    log_level: str
    sandbox: dict[str, Any] | None = field(default=None, repr=False)

    @property
    def store(self) -> StoreAddress:
        return StoreAddress.from_json(self.storage)

    def encoded(self) -> bytes:
        return orjson.dumps(asdict(self)) + b"\n"

    @classmethod
    def decoded(cls, line: bytes) -> "Order":
        return cls(**orjson.loads(line))


class ApiProcesses:
    """Works as servers.api.calls.Calls. job: what the server itself was started with. running: process ids."""

    def __init__(self, storage: StoreAddress, job: Job, *, same_token_s: float = SAME_TOKEN_S) -> None:
        self._storage = storage
        self._job = job
        self._same_token_s = same_token_s
        self.running: set[int] = set()

    async def carry_out(self, call: Call, content: bytes) -> Answer:
        """Raises TryAgainLater where enough are under way."""
        process, line = _started(call.kind, await self._slot(call))
        self._reap_when_it_ends(process)
        reader, writer = await asyncio.open_connection(sock=line, limit=LONGEST_HEAD_BYTES)
        caller = _Caller(process, reader, writer, ends_with_caller=call.kind not in APPLIES)
        try:
            writer.write(self._order(call, len(content)).encoded())
            writer.write(content)
            await writer.drain()
            async with asyncio.timeout(LONGEST_S):
                head = orjson.loads(await reader.readuntil(b"\n"))
        except TimeoutError:
            await caller.hang_up()
            raise TryAgainLater(f"no answer came within {LONGEST_S / 60:.0f} minutes") from None
        except (OSError, asyncio.IncompleteReadError) as fault:
            await caller.hang_up()
            raise TryAgainLater("the process that was asked ended unexpectedly; the log says why") from fault
        except BaseException:
            await caller.hang_up()
            raise
        return Answer(
            status=head["status"], media_type=head["media_type"], chunks=caller.chunks(), close=caller.hang_up
        )

    async def _slot(self, call: Call) -> int:
        """One after the other for each token: a build that plans and then applies does not meet its own plan."""
        deadline = asyncio.get_running_loop().time() + self._same_token_s
        while (slot := _take_slot(run_folder(self._storage.folder), call)) is None:
            if asyncio.get_running_loop().time() >= deadline:
                raise TryAgainLater("a plan or an apply with this token, or in this session, is under way already")
            await asyncio.sleep(LOOK_EVERY_S)
        return slot

    def _reap_when_it_ends(self, process: subprocess.Popen[bytes]) -> None:
        """Whoever still listens then."""
        loop, ended = asyncio.get_running_loop(), os.pidfd_open(process.pid)
        self.running.add(process.pid)

        def reap() -> None:
            loop.remove_reader(ended)
            os.close(ended)
            process.wait()
            self.running.discard(process.pid)

        loop.add_reader(ended, reap)

    def _order(self, call: Call, size: int) -> Order:
        return Order(
            kind=call.kind.value,
            caller=call.caller,
            may_apply=call.may_apply,
            storage=self._storage.to_json(),
            # The process has a folder of its own, and a relative path would lead nowhere from there.
            spec=str(Path(self._job.spec).absolute()),
            size=size,
            log_format=self._job.log_format,
            log_level=self._job.log_level,
            sandbox=None if self._job.sandbox is None else dict(self._job.sandbox),
        )


class _Caller:
    """Listens to a process until one of the two ends."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        ends_with_caller: bool,
    ) -> None:
        self._process = process
        self._reader = reader
        self._writer = writer
        self._ends_with_caller = ends_with_caller

    async def chunks(self) -> AsyncIterator[bytes]:
        while chunk := await self._reader.read(CHUNK_BYTES):
            yield chunk

    async def hang_up(self) -> None:
        if self._ends_with_caller and not self._reader.at_eof():
            self._process.terminate()
        self._writer.close()
        with suppress(OSError):
            await self._writer.wait_closed()


def _started(kind: CallKind, slot: int) -> tuple[subprocess.Popen[bytes], socket.socket]:
    """The process, and the line to it."""
    ours, theirs = socket.socketpair()
    try:
        # Not the loop's own subprocesses: uvloop's kill a worker, which is a fork of another loop's process.
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", LOG_JOB if kind in OF_THE_LOG else API_JOB, str(theirs.fileno())],
            pass_fds=[theirs.fileno(), slot],  # the lock lasts as long as anybody has it open
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # what stops this worker need not stop an apply
        )
    except BaseException:
        ours.close()
        raise
    finally:
        theirs.close()
        os.close(slot)
    return process, ours


def _take_slot(folder: Path, call: Call) -> int | None:
    """A file descriptor that holds one of the slots of this machine's storage. None where that token has one already,
    so that nobody has them all."""
    name = "log" if call.kind in OF_THE_LOG else "api"
    with (folder / f"{name}-slots.lock").open("a") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)  # for an instant: workers look one after the other
        free, holders = _slots(folder, name)
        try:
            if call.caller in holders:
                return None
            if not free:
                raise TryAgainLater(_WHAT[name])
            slot = free.pop()
        finally:
            for other in free:
                os.close(other)
        os.truncate(slot, 0)
        os.pwrite(slot, call.caller.encode(), 0)
        return slot


_WHAT = {
    "api": f"{AT_ONCE} plans or applies are under way by the API already",
    "log": f"{AT_ONCE} questions to the log are under way already",
}


def _slots(folder: Path, name: str) -> tuple[list[int], list[str]]:
    """File descriptors that hold those that are free, and the tokens that the others are held for."""
    free, holders = [], []
    for number in range(AT_ONCE):
        slot = os.open(folder / f"{name}-{number}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            fcntl.flock(slot, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holders.append(os.pread(slot, LONGEST_ID, 0).decode())
            os.close(slot)
        else:
            free.append(slot)
    return free, holders
