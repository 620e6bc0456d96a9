"""Limits hold for the whole server, however its connections fall to the workers."""

import os
import signal
import socket
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.support.over_sockets import CLIENT_S
from tests.support.sandbox import Sandbox, running_sandbox, wait_for

pytestmark = pytest.mark.slow

LIMIT = 20
WORKERS = 3


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    file = tmp_path / "spec" / "mailstack.yaml"
    file.parent.mkdir()
    limits = f"limits: {{connections_per_ip: {LIMIT}}}"
    file.write_text(
        f"server: {{hostname: mail.example.com, workers: {WORKERS}, {limits}}}\n"
        "domains: {example.com: {}}\naccounts: {alice@example.com: {}}\n"
    )
    return file


def greeting(sandbox: Sandbox, held: ExitStack) -> bytes:
    """Of a connection that stays open as long as it is held."""
    line = held.enter_context(socket.create_connection(("127.0.0.1", sandbox.port("smtp")), timeout=CLIENT_S))
    return line.recv(3)


def test_a_peer_has_its_connections_once_and_not_in_each_worker(spec: Path, tmp_path: Path) -> None:
    with running_sandbox(spec, tmp_path / "sandbox", "--passwords", "pw") as sandbox:
        with ExitStack() as held:
            greetings = [greeting(sandbox, held) for _ in range(3 * LIMIT)]
            assert greetings == [b"220"] * LIMIT + [b"421"] * 2 * LIMIT

        def all_are_welcome_again() -> bool:
            # A connection that a dying worker took ends with it, or is heard by nobody any more.
            with ExitStack() as held, suppress(OSError):
                return [greeting(sandbox, held) for _ in range(LIMIT)] == [b"220"] * LIMIT
            return False

        wait_for(all_are_welcome_again)
        for pid in sandbox.workers():
            os.kill(pid, signal.SIGKILL)
        wait_for(all_are_welcome_again)  # what the dead ones held is not counted any more
