"""What tests of any part may ask for: real servers that are dear to start, once in a session."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import settings
from xdist.remote import Producer

from tests.support.engines import DATABASE, POSTGRES, SQLITE, engines_of
from tests.support.groups import ByModule
from tests.support.log_forms import HeldToItsForm
from tests.support.moto import running_moto
from tests.support.postgres import PostgresServer, empty_tables, fresh_database, running_postgres
from tests.support.programs import Program

settings.register_profile("house", deadline=None)
settings.load_profile("house")
"""No test is about how fast this machine was just then."""


@pytest.fixture(autouse=True)
def log_as_before() -> Iterator[None]:
    """Commands and jobs send the log to their own standard error, which ends with the test."""
    structlog.configure(wrapper_class=HeldToItsForm)
    yield
    structlog.reset_defaults()


@pytest.fixture
def forked_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the code under test starts of `mailstack` is forked."""
    monkeypatch.setattr(subprocess, "Popen", Program)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with running_postgres() as server:
        yield server


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByModule | None:
    return ByModule(config, log) if config.getvalue("dist") == "loadgroup" else None


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Whoever wants slow tests only need not load the many files that have none, in each of several processes."""
    if config.option.markexpr == "slow" and collection_path.suffix == ".py":
        return b"mark.slow" not in collection_path.read_bytes() or None
    return None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    # A store lies in a folder, or has files beside it; an inn is that of several tests.
    if {"tmp_path", "inn"} & {*metafunc.fixturenames} and (engines := engines_of(metafunc.definition.nodeid)):
        metafunc.parametrize("engine", engines, indirect=True)


@pytest.fixture(autouse=True)
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """On PostgreSQL the mail of each scenario lies in a database of its own, and that of other tests in one that is
    emptied after each: they close their stores."""
    if getattr(request, "param", SQLITE) != POSTGRES:
        yield
    elif request.node.get_closest_marker("slow"):
        monkeypatch.setenv(DATABASE, request.getfixturevalue("empty_database"))
        yield
    else:
        url = request.getfixturevalue("emptied_database")
        monkeypatch.setenv(DATABASE, url)
        yield
        empty_tables(url)


@pytest.fixture(scope="session")
def s3_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_moto(tmp_path_factory.mktemp("moto")) as url:
        yield url


@pytest.fixture(scope="session")
def emptied_database(postgres: PostgresServer) -> Iterator[str]:
    """The URL of one that each test leaves without rows."""
    with fresh_database(postgres) as url:
        yield url


@pytest.fixture
def empty_database(postgres: PostgresServer) -> Iterator[str]:
    """The URL of one without tables."""
    with fresh_database(postgres) as url:
        yield url
