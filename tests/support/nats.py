"""Debian's nats-server on a free loopback port, which can be killed and started again at the same one."""

import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.support.leash import leashed
from tests.support.ports import free_port
from tests.support.sandbox import need

START_S = 120.0


class NatsServer:
    """arguments: of nats-server, besides where it listens."""

    def __init__(self, folder: Path, arguments: Sequence[str] = ()) -> None:
        self._program = need("nats-server")
        self._arguments = arguments
        self._log = folder / "nats.log"
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Once it answers."""
        command = [self._program, "-a", "127.0.0.1", "-p", str(self.port), "-l", str(self._log), *self._arguments]
        self._process = subprocess.Popen(leashed(command), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + START_S
        while not self._answers():
            assert self._process.poll() is None, self._log.read_text()
            assert time.monotonic() < deadline, self._log.read_text()
            time.sleep(0.02)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(timeout=START_S)
            self._process = None

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as line:
                return line.recv(4) == b"INFO"
        except OSError:
            return False


@contextmanager
def running_nats(folder: Path, *arguments: str) -> Iterator[NatsServer]:
    server = NatsServer(folder, arguments)
    server.start()
    try:
        yield server
    finally:
        server.kill()
