"""What is due on two nodes of one database is looked after by one of them: real appliers on a real PostgreSQL."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from mailstack.app.messages import Finished, Job
from mailstack.app.store_address import StoreAddress
from mailstack.cli.main import cli
from tests.support.appliers import carried_out
from tests.support.postgres import fresh_database, running_postgres

SPEC = """\
server: {hostname: mail.example.com}
storage: {path: state, database: env/DATABASE_URL}
domains: {example.com: {dkim: {algorithms: [ed25519]}}}
dns:
  providers: {files: {class: mailstack.reconcile.dns.zone_file.ZoneFileProvider, directory: zones}}
  zones: {example.com: {provider: files}}
"""


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with running_postgres() as server, fresh_database(server) as url:
        monkeypatch.setenv("DATABASE_URL", url)
        yield url


def a_node(folder: Path) -> Path:
    folder.mkdir()
    spec = folder / "mailstack.yaml"
    spec.write_text(SPEC)
    applied = CliRunner().invoke(cli, ["apply", "--yes", str(spec)])
    assert applied.exit_code == 0, applied.output
    return spec


async def upkeep(spec: Path, database: str) -> Finished:
    storage = StoreAddress(folder=spec.parent / "state", database=database)
    job = Job(spec=str(spec), storage=storage.to_json(), upkeep=True, log_level="error")
    return await carried_out(job)


def test_one_of_two_nodes_looks_after_what_is_due(database: str, tmp_path: Path) -> None:
    one, two = a_node(tmp_path / "one"), a_node(tmp_path / "two")
    found = [asyncio.run(upkeep(spec, database)) for spec in (one, two, one)]
    assert [each.is_elsewhere for each in found] == [False, True, False]
    assert all(each.again_at is not None and not each.note for each in found)
    assert len({each.generation for each in found}) == 1
