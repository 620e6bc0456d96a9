"""Debian's pgbouncer on a free loopback port, before a PostgreSQL server of the tests."""

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.ports import free_port
from tests.support.postgres import USER, PostgresServer, owner_of_server
from tests.support.sandbox import need

START_S = 120.0
SETTINGS = """\
[databases]
* = host=127.0.0.1 port={upstream}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {folder}/users
pool_mode = {mode}
default_pool_size = 30
max_client_conn = 200
"""


@contextmanager
def running_pgbouncer(postgres: PostgresServer, mode: str) -> Iterator[int]:
    """mode: session or transaction. Gives its port."""
    program = need("pgbouncer")
    folder = Path(tempfile.mkdtemp(prefix="mailstack-pgbouncer-"))  # its unprivileged user cannot reach pytest's
    port = free_port()
    try:
        (folder / "settings").write_text(SETTINGS.format(upstream=postgres.port, port=port, folder=folder, mode=mode))
        (folder / "users").write_text(f'"{USER}" ""\n')
        if (owner := owner_of_server()) is not None:
            for path in (folder, *folder.iterdir()):
                shutil.chown(path, owner)
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [program, str(folder / "settings")], stdin=subprocess.DEVNULL, stdout=log, stderr=log, user=owner
            )
        try:
            _wait_until_answering(process, port, folder / "log")
            yield port
        finally:
            process.kill()
            process.wait()
    finally:
        shutil.rmtree(folder)


def _wait_until_answering(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.monotonic() + START_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        else:
            return
