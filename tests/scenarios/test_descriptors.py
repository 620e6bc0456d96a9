"""LESSONS: resource exhaustion by the accept loop. A worker out of file descriptors neither spins nor stays deaf."""

import os
import resource
import socket
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.sandbox import Sandbox, wait_for

pytestmark = pytest.mark.slow

DESCRIPTORS = 64
CLIENTS = 200


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


PROBE = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


def answers(sandbox: Sandbox, service: str, said: bytes, heard: bytes) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", sandbox.port(service)), timeout=10) as connection:
            connection.sendall(said)
            return connection.recv(100).startswith(heard)
    except OSError:
        return False


def cpu_of_one_second(pids: list[int]) -> float:
    """Processor seconds that the processes use while a second of wall time passes."""
    before, end = sum(map(cpu_s, pids)), time.monotonic() + 1
    wait_for(lambda: time.monotonic() >= end)
    return sum(map(cpu_s, pids)) - before


@pytest.mark.parametrize(("service", "said", "heard"), [("smtp", b"", b"220 "), ("http", PROBE, b"HTTP/1.1 200 ")])
def test_accept_loop_a_worker_out_of_descriptors_waits_and_recovers(
    sandbox: Sandbox, service: str, said: bytes, heard: bytes
) -> None:
    workers = sandbox.workers()
    for pid in workers:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))
    with ExitStack() as clients:
        for _ in range(CLIENTS):
            try:
                connection = socket.create_connection(("127.0.0.1", sandbox.port(service)), timeout=5)
            except OSError:
                continue  # shed, which is one right answer
            clients.enter_context(connection)
        # A loop that tries to accept again and again would burn what there is of two cores, and go on doing so.
        wait_for(lambda: cpu_of_one_second(workers) < 0.2, what="nobody has anything to do any more")
    wait_for(lambda: answers(sandbox, service, said, heard), what="new connections are answered again")
    assert sandbox.workers() == workers
