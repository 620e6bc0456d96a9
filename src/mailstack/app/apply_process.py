"""Applying a spec in a process of its own, as the supervisor sees it.

What reads YAML, plans and publishes DNS needs many libraries for a short time; serving needs none of them for weeks.
Decisions 0002 and 0015.
"""

import asyncio
import pwd
import signal
import socket
import subprocess
import sys
from typing import Protocol

from mailstack.app.control import Channel
from mailstack.app.faults import ApplyBroken, SpecFaulty
from mailstack.app.forks import Forks
from mailstack.app.messages import Applied, Broken, Faulty, Finished, Go, Job, Loaded, Message, encode

APPLIER = "mailstack.app.apply_main"
END_GRACE_S = 2.0


class Process(Protocol):
    def terminate(self) -> None: ...

    def kill(self) -> None: ...

    def wait(self) -> object: ...


class ApplyProcess:
    """One run of the applier. Its answers come in this order: Loaded, (our Go), Applied, perhaps again, Finished."""

    def __init__(self, process: Process, line: socket.socket) -> None:
        self._process = process
        self._line = line
        self._channel: Channel | None = None

    @classmethod
    def start(cls, job: Job, *, user: pwd.struct_passwd | None) -> "ApplyProcess":
        """A new program: for whoever is no process to be forked from, not yet or not at all."""
        ours, theirs = socket.socketpair()
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", APPLIER, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is the supervisor's to answer
                user=user.pw_uid if user else None,
                group=user.pw_gid if user else None,
                extra_groups=() if user else None,
            )
        ours.sendall(encode(job))
        return cls(process, ours)

    @classmethod
    async def fork(cls, forks: Forks, job: Job) -> "ApplyProcess":
        """Half of what an applier imports is what a supervisor has imported long ago, and that half comes with it."""
        forked = await forks.fork(_obey, keep=())
        forked.line.sendall(encode(job))
        return cls(forked, forked.line)

    async def loaded(self) -> Loaded:
        answer = await self._answer()
        if isinstance(answer, Loaded):
            return answer
        raise ApplyBroken(f"the applier said {answer!r} before it had loaded the spec")

    async def applied(self) -> Applied:
        answer = await self._answer()
        if isinstance(answer, Applied):
            return answer
        raise ApplyBroken(f"the applier said {answer!r} instead of what it had applied")

    async def further(self) -> Applied | Finished:
        answer = await self._answer()
        if isinstance(answer, Applied | Finished):
            return answer
        raise ApplyBroken(f"the applier said {answer!r} instead of its end")

    @property
    def _opened(self) -> Channel:
        # The process starts before there is a loop, so that it and the supervisor import side by side.
        if self._channel is None:
            self._channel = Channel(self._line)
        return self._channel

    def go(self) -> None:
        self._opened.send(Go())

    async def end(self) -> None:
        """Ends it if it still runs; a state that it was writing is written whole or not at all. Whoever is cancelled
        here leaves no process either."""
        self._process.terminate()
        try:
            async with asyncio.timeout(END_GRACE_S):
                while await self._opened.receive() is not None:
                    pass
        except TimeoutError:
            self._process.kill()
        except asyncio.CancelledError:
            self._process.kill()
            raise
        finally:
            self._opened.close()
            self._process.wait()

    async def _answer(self) -> Message:
        """Raises SpecFaulty, ApplyBroken."""
        arrived = await self._opened.receive()
        if arrived is None:
            raise ApplyBroken("the process that applies the spec ended unexpectedly; the lines above say why")
        match arrived[0]:
            case Faulty(faults=faults, watch=watch, read_at_ns=read_at_ns):
                raise SpecFaulty(faults, watch, read_at_ns)
            case Broken(reason=reason):
                raise ApplyBroken(reason)
            case message:
                return message


def _obey(line: socket.socket) -> int:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # it is how the supervisor ends an applier
    from mailstack.app.applier import obey

    obey(line)
    return 0
