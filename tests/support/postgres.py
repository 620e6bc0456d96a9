"""A real PostgreSQL server on a loopback port, for the whole session, and fresh databases on it for each test."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psycopg
import pytest

from mailstack.store.postgres import schema_account, schema_system
from tests.support.leash import leashed
from tests.support.ports import free_port

START_S = 120.0
STOP_S = 120.0
USER = "mailstack"
# Debian keeps the programs of each version out of the PATH.
FOLDERS = ("/usr/lib/postgresql/17/bin", "/usr/lib/postgresql/16/bin", "/usr/lib/postgresql/15/bin")
QUICK = ("fsync=off", "full_page_writes=off", "synchronous_commit=off")
"""For tests of what is stored, not of what survives a power cut."""
ALWAYS = (
    *("listen_addresses=127.0.0.1", "unix_socket_directories=", "shared_buffers=32MB", "max_connections=60"),
    *("jit=off", "wal_level=minimal", "max_wal_senders=0", "checkpoint_timeout=1h"),
)
"""The second line: what is of no use to small databases that nobody copies, and takes a sixth of its time."""
FOLDER = "mailstack-tests-postgres-"
"""What the names of folders begin with; the process of tests that made one follows."""
INITDB = ("-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")


@dataclass(kw_only=True)
class PostgresServer:
    """It can be stopped and started again, on the same port."""

    folder: Path
    port: int
    settings: tuple[str, ...]
    _process: "subprocess.Popen[bytes] | None" = None
    _numbers: Iterator[int] = field(default_factory=count)

    def url(self, database: str) -> str:
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        arguments = [f"-c{setting}" for setting in self.settings]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                leashed(
                    [_program("postgres"), "-D", str(self.folder / "data"), "-p", str(self.port), *arguments], "QUIT"
                ),
                stdout=log,
                stderr=log,
                user=owner_of_server(),
                cwd=self.folder,
            )
        self._wait_until_answering()

    def stop(self, *, at_once: bool = False) -> None:
        """at_once: as a crash, which it recovers from at the next start."""
        if self._process is None:
            return
        self._process.kill() if at_once else self._process.send_signal(signal.SIGINT)  # connections are ended
        self._process.wait(timeout=STOP_S)
        self._process = None

    def restart(self) -> None:
        """As `pg_ctl restart -m immediate`: nothing is finished, and the start recovers."""
        assert self._process is not None
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(timeout=STOP_S)
        self.start()

    def make_database(self) -> str:
        name = f"test_{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE template0")
        return name

    def drop_database(self, name: str) -> None:
        self.run(f"DROP DATABASE {name} WITH (FORCE)")

    def run(self, sql: str, *, database: str = "postgres") -> list[tuple[object, ...]]:
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(sql.encode())
            return cursor.fetchall() if cursor.description else []

    def _wait_until_answering(self) -> None:
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and self._process is not None and self._process.poll() is None:
            with suppress(psycopg.OperationalError):
                self.run("SELECT 1")
                return
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=0.05)
        raise AssertionError(f"PostgreSQL did not start:\n{(self.folder / 'log').read_text(errors='replace')[-2000:]}")


@contextmanager
def running_postgres(*, settings: tuple[str, ...] = QUICK) -> Iterator[PostgresServer]:
    """In a folder of its own that its unprivileged user can reach, which pytest's are not."""
    if not is_installed():
        if os.environ.get("CI"):
            pytest.fail("PostgreSQL (Debian: postgresql) is not installed, and CI must not skip this")
        pytest.skip("PostgreSQL (Debian: postgresql) is not installed")
    _clear_away_what_killed_tests_left()
    folder = Path(tempfile.mkdtemp(prefix=f"{FOLDER}{os.getpid()}-"))
    try:
        if (owner := owner_of_server()) is not None:
            shutil.chown(folder, owner)
        subprocess.run(
            [_program("initdb"), "-D", str(folder / "data"), *INITDB],
            check=True,
            capture_output=True,
            user=owner,
            cwd=folder,
        )
        server = PostgresServer(folder=folder, port=free_port(), settings=(*ALWAYS, *settings))
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder)


def empty_tables(url: str) -> None:
    """Of a store's database, which is quicker than to make another one. Nothing where no store was opened yet."""
    # Those that refer to others were made after them.
    steps = (*schema_system.MIGRATIONS, *schema_account.MIGRATIONS)
    tables = [name for step in steps for name in step.tables]
    with psycopg.connect(url, autocommit=True) as connection:
        if connection.execute("SELECT to_regclass(%s)", (tables[0],)).fetchone() != (None,):
            connection.execute("; ".join(f"DELETE FROM {table}" for table in reversed(tables)).encode())  # noqa: S608


@contextmanager
def fresh_database(server: PostgresServer) -> Iterator[str]:
    """Its URL. It has no tables."""
    name = server.make_database()
    try:
        yield server.url(name)
    finally:
        server.drop_database(name)


def is_installed() -> bool:
    return _found("postgres") is not None


def _clear_away_what_killed_tests_left() -> None:
    """Several processes of tests come here at once: whoever renames a folder has it, and the others leave it alone."""
    for folder in Path(tempfile.gettempdir()).iterdir():
        owner, _, rest = folder.name.removeprefix(FOLDER).partition("-")
        if not folder.name.startswith(FOLDER) or Path(f"/proc/{owner}").exists():
            continue
        with suppress(FileNotFoundError):
            taken = folder.rename(folder.with_name(f"{FOLDER}{os.getpid()}-{rest}"))
            shutil.rmtree(taken, ignore_errors=True)  # its server may be ending just now


def _program(name: str) -> str:
    found = _found(name)
    assert found is not None
    return found


def _found(name: str) -> str | None:
    return shutil.which(name, path=os.pathsep.join((os.environ.get("PATH", ""), *FOLDERS)))


def owner_of_server() -> str | None:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"
