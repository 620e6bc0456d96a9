"""What tests of any part may ask for: real servers that are dear to start, once in a session."""

import os
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import settings

from tests.support.imap_server import DATABASE
from tests.support.moto import running_moto
from tests.support.postgres import PostgresServer, fresh_database, running_postgres

settings.register_profile("house", deadline=None)
settings.load_profile("house")
"""No test is about how fast this machine was just then."""


@pytest.fixture(autouse=True)
def log_as_before() -> Iterator[None]:
    """Commands and jobs send the log to their own standard error, which ends with the test."""
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with running_postgres() as server:
        yield server


@pytest.fixture(autouse=True)
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """ENGINE=postgres in the environment: the mail that tests reach by IMAP lies in PostgreSQL, each test's in a
    database of its own."""
    if os.environ.get("ENGINE") == "postgres":
        monkeypatch.setenv(DATABASE, request.getfixturevalue("empty_database"))


@pytest.fixture(scope="session")
def s3_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_moto(tmp_path_factory.mktemp("moto")) as url:
        yield url


@pytest.fixture
def empty_database(postgres: PostgresServer) -> Iterator[str]:
    """The URL of one without tables."""
    with fresh_database(postgres) as url:
        yield url
