"""The applier as a process: forked from a server it does what a new program does, and ends when it is told to."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TypeVar

import pytest
import uvloop
from click.testing import CliRunner

from mailstack.app import apply_process
from mailstack.app.apply_process import ApplyProcess
from mailstack.app.faults import CannotServe, SpecFaulty
from mailstack.app.forks import Forks, drive
from mailstack.app.messages import Applied, Finished, Job
from mailstack.app.opening import Opener
from mailstack.cli.main import cli
from tests.support.running import DEADLINE_S

Result = TypeVar("Result")

SPEC = """server: {hostname: mail.example.org}
storage: {path: state}
domains: {example.org: {dkim: {algorithms: [ed25519]}}}
accounts: {alice@example.org: {}}
"""
APPLIER_ALONE = ("mailstack.spec.load", "mailstack.reconcile.reconciler", "pydantic", "yaml", "octodns")

NEEDED_LATER = ("octodns", "dns", "acme", "httpx", "jinja2", "jsonschema", "rich", "starlette", "uvicorn", "duckdb")
"""By an applier, if at all: when DNS or an authority is asked, once mail is served."""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "mailstack.yaml"
    path.write_text(SPEC, encoding="utf-8")
    return path


def with_forks(main: Callable[[Forks], Coroutine[object, object, Result]]) -> Result:
    forks = Forks()
    loop = uvloop.new_event_loop()
    try:
        return drive(loop, main(forks), forks)
    finally:
        loop.close()


def children() -> str:
    """Of this process, those that ended and were not waited for among them."""
    return Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text()


def test_a_forked_applier_applies_a_spec(spec: Path) -> None:
    async def main(forks: Forks) -> tuple[Applied, Applied | Finished]:
        applying = await ApplyProcess.fork(forks, Job(spec=str(spec), log_level="error"))
        try:
            assert (await applying.loaded()).storage["folder"] == str(spec.parent / "state")
            applying.go()
            return await applying.applied(), await applying.further()
        finally:
            await applying.end()

    applied, finished = with_forks(main)
    assert applied.blueprint["generation"] == 1
    assert isinstance(finished, Finished)


def test_a_forked_applier_says_what_is_wrong_with_a_spec(spec: Path) -> None:
    spec.write_text(f"{SPEC}nonsense: 1\n", encoding="utf-8")

    async def main(forks: Forks) -> None:
        applying = await ApplyProcess.fork(forks, Job(spec=str(spec), log_level="error"))
        try:
            await applying.loaded()
        finally:
            await applying.end()

    with pytest.raises(SpecFaulty, match="nonsense"):
        with_forks(main)


def test_a_forked_applier_that_waits_ends_when_it_is_told_to_and_leaves_nothing(spec: Path) -> None:
    async def main(forks: Forks) -> None:
        applying = await ApplyProcess.fork(forks, Job(spec=str(spec), log_level="error"))
        await applying.loaded()
        async with asyncio.timeout(DEADLINE_S):
            await applying.end()

    before = children()
    with_forks(main)
    assert not (spec.parent / "state").exists()
    assert children() == before


async def test_an_applier_that_is_gone_is_not_waited_for_again(spec: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first of a server is ended when it is done, and when the server ends."""
    monkeypatch.setattr(apply_process, "END_GRACE_S", 600)
    applying = ApplyProcess.start(Job(spec=str(spec), log_level="error"), user=None)
    async with asyncio.timeout(DEADLINE_S):
        await applying.end()
        await applying.end()


def test_an_applier_that_does_not_end_is_gone_all_the_same_when_whoever_waits_for_it_gives_up() -> None:
    async def main(forks: Forks) -> None:
        forked = await forks.fork(_stand_still, keep=())
        ending = asyncio.create_task(ApplyProcess(forked, forked.line).end())
        await asyncio.sleep(0)  # it waits now
        ending.cancel()
        await asyncio.wait({ending})

    before = children()
    with_forks(main)
    assert children() == before


def _stand_still(line: socket.socket) -> int:
    line.recv(1)  # in a child SIGTERM is ignored until it says otherwise
    signal.pause()
    return 0


@pytest.mark.parametrize(
    ("module", "unwanted"), [("mailstack.app.supervisor", APPLIER_ALONE), ("mailstack.app.applier", NEEDED_LATER)]
)
def test_what_must_be_quick_loads_nothing_that_it_does_not_need(module: str, unwanted: tuple[str, ...]) -> None:
    code = f"import sys, mailstack.app.log, {module}; print([m for m in {unwanted} if m in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert loaded.stdout == b"[]\n"


@pytest.mark.parametrize(
    "storage",
    ["{path: state, database: env/NOT_THERE_AT_ALL}", "{path: state, database: env/NOT_THERE_AT_ALL}\nserver: }"],
    ids=["its secret is missing", "no YAML any more"],
)
def test_a_start_without_the_database_serves_nothing_of_what_the_folder_held_before(spec: Path, storage: str) -> None:
    applied = CliRunner().invoke(cli, ["apply", "--yes", str(spec)])
    assert applied.exit_code == 0, applied.output
    spec.write_text(SPEC.replace("{path: state}", storage), encoding="utf-8")
    job, told = Job(spec=str(spec), log_level="error"), list[str]()
    opener = Opener(job, None, lambda address: told.append(str(address)))
    with pytest.raises(CannotServe, match=r"NOT_THERE_AT_ALL|mailstack\.yaml:3"):
        asyncio.run(opener.open(ApplyProcess.start(job, user=None)))
    assert told == []
