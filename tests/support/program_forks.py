"""The process that tests.support.programs asks to fork: `python -m tests.support.program_forks PATH READY`, where PATH
is the socket to listen at and READY the descriptor to write one byte to.

Each connection is one program. What comes: the length of a request, with the descriptors the program is to have, then
the request. What goes: the program's process id, and in the end what waitpid said of it.
"""

import atexit
import ctypes
import fcntl
import gc
import importlib
import os
import pkgutil
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

import orjson

# First, for it keeps structlog from loading what no process of the server needs.
import mailstack.app.log  # noqa: F401
from tests.support import programs

PACKAGES = ("mailstack.app", "mailstack.cli", "mailstack.servers", "mailstack.store", "mailstack.reconcile")
LIBRARIES = (
    *("rich.table", "rich._emoji_codes", "octodns.manager", "octodns_bind", "anyio._backends._asyncio"),
    *("dns.rdtypes.ANY.NS", "dns.rdtypes.IN.A", "dns.rdtypes.IN.SRV", "cryptography.hazmat.backends.openssl.backend"),
)
"""What is imported late."""
CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1
MOST_DESCRIPTORS = 64
_LIBC = ctypes.CDLL(None)


class Order:
    """A program that somebody asked for, and the line to whoever did."""

    def __init__(self, line: socket.socket) -> None:
        self.line = line
        size, self.descriptors, _, _ = socket.recv_fds(line, programs.NUMBER_BYTES, MOST_DESCRIPTORS)
        self.request: dict[str, Any] = orjson.loads(programs.exactly(line, int.from_bytes(size, "big")))

    @property
    def leash(self) -> int:
        found = self.request["leash"]
        assert isinstance(found, int)
        return found

    def say(self, number: int) -> None:
        with suppress(OSError):  # nobody waits for it any more
            self.line.sendall(number.to_bytes(programs.NUMBER_BYTES, "big"))


class Forks:
    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._running: dict[int, Order] = {}
        self._woken, waking = socket.socketpair()
        waking.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(waking.detach())

    def next_program(self) -> Order:
        """Returns in the program, time and again, and never here."""
        while True:
            lines = {order.line: pid for pid, order in self._running.items() if order.leash}
            ready, _, _ = select.select([self._listener, self._woken, *lines], [], [])
            for one in ready:
                if one is self._listener:
                    order = _order_on(self._listener.accept()[0])
                    if order is not None and (pid := os.fork()) == 0:
                        return order
                    if order is not None:
                        self._begun(pid, order)
                elif one is self._woken:
                    self._woken.recv(1 << 16)
                    self._reap()
                elif (pid := lines[one]) in self._running:
                    self._follow(pid)

    def _begun(self, pid: int, order: Order) -> None:
        for descriptor in order.descriptors:
            os.close(descriptor)
        self._running[pid] = order
        order.say(pid)

    def _reap(self) -> None:
        with suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                order = self._running.pop(ended[0])
                order.say(ended[1])
                order.line.close()

    def _follow(self, pid: int) -> None:
        """Whoever had it on a leash has ended."""
        os.kill(pid, self._running[pid].leash)
        self._running[pid].request["leash"] = 0


def _order_on(line: socket.socket) -> Order | None:
    try:
        return Order(line)
    except (OSError, EOFError, ValueError):  # whoever began to ask was killed
        line.close()
        return None


def become(order: Order, path: str) -> NoReturn:
    """The program that was asked for, with nothing of this process's but what it has imported."""
    request = order.request
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    if request["network"]:
        with Path(request["network"]).open("rb") as network:
            assert _LIBC.setns(network.fileno(), CLONE_NEWNET) == 0
    _LIBC.prctl(PR_SET_PDEATHSIG, request["leash"])
    _place(order.descriptors, [0, 1, 2, *request["kept"]])
    if request["new_session"]:
        os.setsid()
    os.umask(request["umask"])
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    _open_standard_files()
    programs.ask_at(path, request["network"])
    subprocess.Popen = programs.Program  # type: ignore[misc]  # what it starts is forked as well
    os._exit(_run(request["command"]))


def _place(descriptors: list[int], wanted: list[int]) -> None:
    above = max(*wanted, *descriptors, 256) + 1
    kept = [fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, above) for descriptor in descriptors]
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208
        if int(name) not in kept:
            with suppress(OSError):
                os.close(int(name))
    for descriptor, number in zip(kept, wanted, strict=True):
        os.dup2(descriptor, number)
        os.close(descriptor)


def _open_standard_files() -> None:
    sys.stdin = sys.__stdin__ = os.fdopen(0, closefd=False)  # type: ignore[misc]  # as Python itself does
    sys.stdout = sys.__stdout__ = os.fdopen(1, "w", closefd=False)  # type: ignore[misc]
    sys.stderr = sys.__stderr__ = os.fdopen(2, "w", 1, errors="backslashreplace", closefd=False)  # type: ignore[misc]


def _run(command: list[str]) -> int:
    """command: what stands behind Python's name. Returns the exit status."""
    module, *arguments = command[command.index("-m") + 1 :]
    sys.modules.pop(module, None)  # runpy warns of a module that it runs and that is imported
    sys.argv = [module, *arguments]
    status = 0
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        if isinstance(ended.code, str):
            sys.stderr.write(f"{ended.code}\n")
    except BaseException as fault:  # noqa: BLE001  as Python itself does
        sys.excepthook(type(fault), fault, fault.__traceback__)
        status = 1
    threading._shutdown()  # type: ignore[attr-defined]  # joins what threads are left, as Python itself does
    atexit._run_exitfuncs()
    with suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    return status


def import_programs() -> None:
    for name in PACKAGES:
        package = importlib.import_module(name)
        for found in pkgutil.walk_packages(package.__path__, f"{name}."):
            importlib.import_module(found.name)
    for name in (*programs.FORKED, *LIBRARIES):
        importlib.import_module(name)


def end(path: str) -> NoReturn:
    Path(path).unlink()
    os._exit(0)


def main(path: str, ready: int) -> None:
    import_programs()
    gc.collect()
    gc.freeze()
    Path(path).unlink(missing_ok=True)  # of another with this number, which was killed
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        signal.signal(signal.SIGTERM, lambda *_: end(path))
        listener.listen()
        os.write(ready, b".")
        os.close(ready)
        become(Forks(listener).next_program(), path)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
