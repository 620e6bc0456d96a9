"""`mailstack` and what it starts as processes of their own, forked from one that has imported all of it: each start
anew costs more than a second. What differs in how Python itself begins, or in whose rights it has, starts anew.
"""

import atexit
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from tests.support.leash import leashed

FORKED = frozenset(
    {
        *("mailstack", "mailstack.app.apply_main", "mailstack.app.api_main", "mailstack.app.api_log_main"),
        *("tests.support.killed_apply", "tests.support.queue_worker"),
    }
)
"""Modules that are run as `python -m`."""
LEASH = leashed([])
INTERPRETERS_OWN = ("PYTHON", "LD_", "MALLOC_")
"""Variables that are read before any code of ours."""
NUMBER_BYTES = 4
ROOT = Path(__file__).parents[2]
Environment = Mapping[str, str]


class Program(subprocess.Popen[Any]):
    """As Popen, whatever the command."""

    _line: socket.socket | None = None

    def _execute_child(
        self,
        args: Sequence[str],
        executable: str | None,
        preexec_fn: object,
        close_fds: bool,
        pass_fds: Sequence[int],
        cwd: "str | os.PathLike[str] | None",
        env: Environment | None,
        *rest: Any,
    ) -> None:
        """Popen's own method, which its constructor calls."""
        given = (args, executable, preexec_fn, close_fds, pass_fds, cwd, env, *rest)
        (_, _, _, p2cread, p2cwrite, c2pread, c2pwrite, errread, errwrite, _, *rights, new_session, group) = rest
        leash, network, command = _unwrapped(args)
        usual = cwd is None and group == -1 and all(one in (None, -1) for one in rights)
        if not (usual and _is_forked(command, os.environ if env is None else env)):
            super()._execute_child(*given)  # type: ignore[misc]  # typeshed has no private methods
            return
        request = {
            "command": command[1:],
            "environment": dict(os.environ if env is None else env),
            "folder": str(Path.cwd()),
            "umask": _umask(),
            "leash": leash,
            "network": network,
            "new_session": new_session,
            "kept": list(pass_fds),
        }
        standard = [own if own != -1 else number for number, own in enumerate((p2cread, c2pwrite, errwrite))]
        self._line = _asked(request, [*standard, *pass_fds])
        self.pid = int.from_bytes(exactly(self._line, NUMBER_BYTES), "big")
        self._child_created = True
        self._close_pipe_fds(p2cread, p2cwrite, c2pread, c2pwrite, errread, errwrite)  # type: ignore[attr-defined]  # as above

    def _try_wait(self, flags: int) -> tuple[int, int]:
        """As os.waitpid, of a process that is another's child."""
        if self._line is None:
            found: tuple[int, int] = super()._try_wait(flags)  # type: ignore[misc]  # as above
            return found
        self._line.setblocking(not flags & os.WNOHANG)
        try:
            status = int.from_bytes(exactly(self._line, NUMBER_BYTES), "big")
        except BlockingIOError:
            return 0, 0
        except EOFError:  # whoever forked it has been ended
            status = signal.SIGKILL
        self._line.close()
        return self.pid, status

    def _internal_poll(self, *given: Any, **named: Any) -> int | None:
        if self._line is None:
            return super()._internal_poll(*given, **named)  # type: ignore[misc,no-any-return]  # as above
        if self.returncode is None and self._waitpid_lock.acquire(blocking=False):  # type: ignore[attr-defined]  # as above
            try:
                pid, status = self._try_wait(os.WNOHANG)
                if pid:
                    self._handle_exitstatus(status)  # type: ignore[attr-defined]  # as above
            finally:
                self._waitpid_lock.release()  # type: ignore[attr-defined]  # as above
        return self.returncode


def _unwrapped(command: Sequence[str]) -> tuple[int, str, list[str]]:
    """Of tests.support.leash, the signal's number, 0 for none; of tests.support.namespaces, the path of the network."""
    bare, leash, network = list(command), 0, _network
    if bare[:1] == LEASH[:1]:
        leash, bare = signal.Signals[f"SIG{bare[LEASH.index('KILL')]}"], bare[len(LEASH) :]
    if bare[:1] == ["nsenter"]:
        network, bare = bare[1].removeprefix("--net="), bare[3:]
    return leash, network, bare


def _is_forked(command: Sequence[str], environment: Environment) -> bool:
    match command:
        case [sys.executable, "-P", "-m", module, *_] | [sys.executable, "-m", module, *_]:
            return module in FORKED and _interpreters_own(environment) == _interpreters_own(os.environ)
    return False


def _interpreters_own(environment: Environment) -> Environment:
    return {name: value for name, value in environment.items() if name.startswith(INTERPRETERS_OWN)}


def _asked(request: Mapping[str, Any], descriptors: Sequence[int]) -> socket.socket:
    line = socket.socket(socket.AF_UNIX)
    line.connect(_where or _begun())
    content = orjson.dumps(request)
    socket.send_fds(line, [len(content).to_bytes(NUMBER_BYTES, "big")], descriptors)
    line.sendall(content)
    return line


def exactly(line: socket.socket, size: int) -> bytes:
    """Raises EOFError."""
    content = b""
    while len(content) < size:
        more = line.recv(size - len(content))
        if not more:
            raise EOFError
        content += more
    return content


def _umask() -> int:
    found = os.umask(0o077)
    os.umask(found)
    return found


_where = ""
"""Where the process that forks listens: one for this process, which ends with it, and for the programs it forks."""
_network = ""
"""The namespace that this process was begun in, "" for the machine's."""


def ask_at(path: str, network: str) -> None:
    global _where, _network
    _where, _network = path, network


def _begun() -> str:
    # No abstract socket: programs in networks of their own could not reach it.
    path = str(Path(tempfile.gettempdir()) / f"mailstack-forks-{os.getpid()}")
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            command = [sys.executable, "-m", "tests.support.program_forks", path, str(theirs.fileno())]
            process = subprocess.Popen(leashed(command, "TERM"), pass_fds=[theirs.fileno()], cwd=ROOT)
        atexit.register(stop_forking, process)
        exactly(ours, 1)
    ask_at(path, "")
    return path


def stop_forking(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    process.wait()
