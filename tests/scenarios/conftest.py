"""The spec that the scenarios run, and the sandbox and sink around it."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.engines import DATABASE, is_on_postgres
from tests.support.ports import free_port
from tests.support.postgres import fresh_database
from tests.support.sandbox import Sandbox, running_sandbox
from tests.support.sink import Sink, running_sink

SPEC = """\
server:
  hostname: mail.example.com
  workers: 2
  limits: {connections_per_ip: 1000}
domains:
  example.com: {}
accounts:
  alice@example.com: {name: Alice Example}
  bob@example.com: {}
aliases:
  both@example.com: [alice@example.com, bob@example.com]
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    file = tmp_path / "spec" / "mailstack.yaml"
    file.parent.mkdir()
    file.write_text(SPEC)
    return file


@contextmanager
def own_sink() -> Iterator[Sink]:
    with running_sink(free_port()) as found:
        yield found


def own_sandbox(spec: Path, folder: Path, sink: Sink) -> AbstractContextManager[Sandbox]:
    return running_sandbox(spec, folder, "--passwords", "pw", "--outbound", f"127.0.0.1:{sink.port}")


@pytest.fixture
def sink() -> Iterator[Sink]:
    with own_sink() as found:
        yield found


@pytest.fixture
def sandbox(spec: Path, tmp_path: Path, sink: Sink) -> Iterator[Sandbox]:
    with own_sandbox(spec, tmp_path / "sandbox", sink) as found:
        yield found


GUESTS = 8
"""Accounts of an inn, enough for the tests of a module on one engine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inn:
    """A sandbox for several tests, which keep out of each other's way: each is a guest of its own. database: its URL,
    where its mail lies in one."""

    sandbox: Sandbox
    sink: Sink
    guests: Iterator[str]
    database: str | None


class Inns:
    """Of a module: one on each engine, begun when the first test asks for it."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder = folder
        self._stack = stack
        self._open: dict[bool, Inn] = {}

    def open(self, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Inn:
        """With the variable that names its database, for the test and the programs that it starts."""
        found = self._open.get(is_on_postgres())
        database = found.database if found else self._new_database(request)
        if database is not None:
            monkeypatch.setenv(DATABASE, database)
        if found is None:
            found = self._open[database is not None] = self._begun(database)
        return found

    def _new_database(self, request: pytest.FixtureRequest) -> str | None:
        if not is_on_postgres():
            return None
        return self._stack.enter_context(fresh_database(request.getfixturevalue("postgres")))

    def _begun(self, database: str | None) -> Inn:
        folder = self._folder / ("sqlite" if database is None else "postgres")
        folder.mkdir()
        guests = [f"guest{number}@example.com" for number in range(GUESTS)]
        spec = folder / "mailstack.yaml"
        spec.write_text(SPEC.replace("accounts:\n", "accounts:\n" + "".join(f"  {guest}: {{}}\n" for guest in guests)))
        sink = self._stack.enter_context(own_sink())
        sandbox = self._stack.enter_context(own_sandbox(spec, folder / "sandbox", sink))
        return Inn(sandbox=sandbox, sink=sink, guests=iter(guests), database=database)


@pytest.fixture(scope="module")
def inns(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inns]:
    with ExitStack() as stack:
        yield Inns(tmp_path_factory.mktemp("inn"), stack)


@pytest.fixture
def inn(inns: Inns, request: pytest.FixtureRequest, engine: None, monkeypatch: pytest.MonkeyPatch) -> Inn:
    """The module's, whose tests are an xdist_group."""
    return inns.open(request, monkeypatch)


@pytest.fixture
def guest(inn: Inn) -> str:
    """The login of an account that no other test has had; its password is pw."""
    return next(inn.guests)
