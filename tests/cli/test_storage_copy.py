"""`mailstack storage copy` as it is typed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mailstack.app.runfiles import leave_storage, take_storage
from mailstack.cli.main import cli
from mailstack.store.sqlite.open import open_store
from tests.support.fake_clock import FakeClock
from tests.support.filled_store import ALICE, fill, rows_in
from tests.support.recording_bus import RecordingBus

HEAD = "server: {hostname: mail.example.com}\ndomains: {example.com: }\n"


@pytest.fixture
async def old(tmp_path: Path) -> Path:
    store = await open_store(tmp_path / "old", clock=FakeClock(), bus=RecordingBus())
    await fill(store)
    await store.close()
    return spec_of(tmp_path / "old.yaml", "path: old")


@pytest.fixture
def new(tmp_path: Path, empty_database: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COPY_DATABASE", empty_database)
    return spec_of(tmp_path / "new.yaml", "path: node, database: env/COPY_DATABASE")


def spec_of(file: Path, storage: str) -> Path:
    file.write_text(f"{HEAD}storage: {{{storage}}}\n")
    return file


def copy(old: Path, new: Path, *options: str) -> Result:
    return CliRunner().invoke(cli, ["storage", "copy", str(old), str(new), *options])


def test_a_dry_run_says_what_there_is_and_makes_nothing(tmp_path: Path, old: Path, new: Path) -> None:
    done = copy(old, new, "--dry-run")
    assert done.exit_code == 0, done.output
    assert "3 accounts, 96 messages" in done.output
    assert "3 queued mails" in done.output
    assert done.output.endswith("can be copied; nothing was changed\n")
    assert not (tmp_path / "node").exists()
    found = json.loads(copy(old, new, "--dry-run", "--format", "json").stdout)
    assert (found["obstacle"], found["messages"]) == ("", 96)
    assert ALICE in {one["login"] for one in found["accounts"]}


def test_there_and_back(tmp_path: Path, old: Path, new: Path) -> None:
    before = rows_in(tmp_path / "old")
    done = copy(old, new)
    assert done.exit_code == 0, done.output
    assert done.output.startswith("copied 3 accounts, 96 messages")
    assert f"mailstack serve {new}" in done.output
    back = json.loads(copy(new, spec_of(tmp_path / "back.yaml", "path: back"), "--format", "json").stdout)
    assert back["finished"]
    assert (back["accounts"], back["messages"], back["queued"], back["damage"]) == (3, 96, 3, [])
    assert rows_in(tmp_path / "back")["secret"] == before["secret"]
    assert rows_in(tmp_path / "old") == before


def test_a_folder_that_is_served_is_not_copied(tmp_path: Path, old: Path, new: Path) -> None:
    # By another process: the lock is a process's own.
    holding = (
        "import sys; from pathlib import Path; from mailstack.app.runfiles import take_storage;"
        f"lock = take_storage(Path({str(tmp_path / 'old')!r})); print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", holding], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == "held\n"
        for options in ([], ["--dry-run"]):
            done = copy(old, new, *options)
            assert done.exit_code == 1
            assert f"served by process {server.pid}" in done.output
        server.communicate()


def test_it_lets_go_of_the_folders(tmp_path: Path, old: Path, new: Path) -> None:
    assert copy(old, new).exit_code == 0
    for folder in ("old", "node"):
        leave_storage(tmp_path / folder, take_storage(tmp_path / folder))


def test_a_storage_is_not_copied_onto_itself(tmp_path: Path, old: Path) -> None:
    done = copy(old, spec_of(tmp_path / "same.yaml", "path: ./old"))
    assert done.exit_code == 1
    assert "nothing to copy" in done.output


def test_what_is_damaged_is_named_and_ends_with_status_1(tmp_path: Path, old: Path, new: Path) -> None:
    for large in (tmp_path / "old").glob("accounts/*/*/blobs/*"):
        large.unlink()
    done = copy(old, new)
    assert done.exit_code == 1
    assert done.output.count("unreadable ") == 4
    assert f"unreadable {ALICE}: message" in done.output
    assert "The server now starts on the new one" in done.output


def test_a_folder_without_a_store_is_not_made(tmp_path: Path, new: Path) -> None:
    for options in ([], ["--dry-run"]):
        done = copy(spec_of(tmp_path / "old.yaml", "path: typo"), new, *options)
        assert done.exit_code == 1
        assert f"there is no store in {tmp_path / 'typo'}" in done.output
    assert not (tmp_path / "typo").exists()
    assert not (tmp_path / "node").exists()


def test_a_spec_with_faults_ends_with_status_2(tmp_path: Path, old: Path) -> None:
    assert copy(old, spec_of(tmp_path / "new.yaml", "paht: state")).exit_code == 2


def test_an_interrupted_copy_says_how_it_goes_on(old: Path, new: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("mailstack.app.store_copy.copy_store", interrupted)
    done = copy(old, new)
    assert done.exit_code == 1
    assert done.output.endswith(
        "interrupted: run it again, and it goes on where it ended; the old store serves until then\n"
    )
    assert copy(old, new, "--dry-run").exit_code == 0


def test_what_is_there_already_is_left_alone(tmp_path: Path, old: Path, new: Path) -> None:
    assert copy(old, new).exit_code == 0
    for options in ([], ["--dry-run"]):
        done = copy(old, new, *options)
        assert done.exit_code == 1
        assert "holds a store already" in done.output
