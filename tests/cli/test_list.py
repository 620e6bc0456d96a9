"""`mailstack list` as it is typed."""

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mailstack.app.silence import Silence
from mailstack.cli.main import cli
from mailstack.model.instant import Instant
from mailstack.store.sqlite.open import open_store
from tests.support.fake_clock import FakeClock

SPEC = """
server: {hostname: mail.example.com}
storage: {path: state}
domains: {example.com: }
accounts: {alice@example.com: }
lists:
  team@example.com: {name: Team, members: [alice@example.com, bob@elsewhere.example], post: alice@example.com}
"""
TEAM, BOB = "team@example.com", "bob@elsewhere.example"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "mailstack.yaml"
    path.write_text(SPEC)
    assert run("apply", "--yes", str(path)).exit_code == 0
    asyncio.run(_let_go(tmp_path / "state"))
    return path


async def _let_go(storage: Path) -> None:
    store = await open_store(storage, clock=FakeClock(), bus=Silence())
    await store.unsubscribed.add(TEAM, BOB, now=Instant(1_700_000_000_000))
    await store.close()


def test_lists_are_listed(spec: Path) -> None:
    (found,) = json.loads(run("list", "list", str(spec), "--format", "json").stdout)
    assert found == {"address": TEAM, "name": "Team", "members": 2, "unsubscribed": 1, "post": "named"}
    assert TEAM in run("list", "list", str(spec)).stdout


def test_who_has_left_is_shown_and_has_the_mail_again_when_they_wish(spec: Path) -> None:
    shown = json.loads(run("list", "show", str(spec), TEAM, "--format", "json").stdout)
    assert (shown["members"], shown["post"]) == (["alice@example.com", BOB], ["alice@example.com"])
    assert list(shown["unsubscribed"]) == [BOB]
    assert "2023-11-14" in run("list", "show", str(spec), "Team@Example.com").stdout
    again = run("list", "resubscribe", str(spec), TEAM, BOB)
    assert (again.exit_code, again.stdout) == (0, f"resubscribed {BOB} to {TEAM}\n")
    assert json.loads(run("list", "show", str(spec), TEAM, "--format", "json").stdout)["unsubscribed"] == {}
    twice = run("list", "resubscribe", str(spec), TEAM, BOB)
    assert (twice.exit_code, twice.stderr) == (1, f"error: {BOB} has not unsubscribed from {TEAM}\n")


def test_applying_again_brings_nobody_back(spec: Path) -> None:
    assert "No changes" in run("plan", str(spec)).stdout
    spec.write_text(SPEC.replace("Team", "The team"))
    assert run("apply", "--yes", str(spec)).exit_code == 0
    assert list(json.loads(run("list", "show", str(spec), TEAM, "--format", "json").stdout)["unsubscribed"]) == [BOB]


@pytest.mark.parametrize("address", ["alice@example.com", "nobody@example.com"])
def test_what_is_no_list_is_said(spec: Path, address: str) -> None:
    for call in (("show", str(spec), address), ("resubscribe", str(spec), address, BOB)):
        refused = run("list", *call)
        assert (refused.exit_code, refused.stderr) == (1, f"error: there is no list {address}\n")
