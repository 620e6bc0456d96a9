"""`mailstack storage check` as it is typed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mailstack.cli.main import cli
from tests.support.moto import new_bucket
from tests.support.nats import running_nats

HEAD = "server: {hostname: mail.example.com}\ndomains: {example.com: }\n"


def check(spec: Path, *options: str) -> Result:
    return CliRunner().invoke(cli, ["storage", "check", str(spec), *options])


def test_a_folder(tmp_path: Path) -> None:
    spec = tmp_path / "mailstack.yaml"
    spec.write_text(f"{HEAD}storage: {{path: state/of/mail}}\n")
    done = check(spec)
    assert done.exit_code == 0
    assert done.output.startswith("ok    folder: write files (")
    assert list(tmp_path.iterdir()) == [spec]


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    spec = tmp_path / "mailstack.yaml"
    spec.write_text(f"{HEAD}storage: {{path: mailstack.yaml/state}}\n")
    done = check(spec)
    assert done.exit_code == 1
    assert "fails folder: write files: " in done.output
    assert f"make {spec}/state, writable" in done.output


@pytest.fixture
def shared(tmp_path: Path, empty_database: str, s3_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A storage that several nodes share, but for its events."""
    at = new_bucket(s3_url, "storage-check")
    for name, value in {"DB": empty_database, "KEY": at.access_key, "SECRET": at.secret_key}.items():
        monkeypatch.setenv(f"CHECK_{name}", value)
    keys = "access_key: env/CHECK_KEY, secret_key: env/CHECK_SECRET"
    s3 = f"{{bucket: {at.bucket}, endpoint: '{at.endpoint}', {keys}}}"
    return f"{HEAD}storage: {{path: state, database: env/CHECK_DB, blobs: {{s3: {s3}}}"


@pytest.mark.parametrize("has_nats", [True, False])
def test_what_several_nodes_share(tmp_path: Path, shared: str, has_nats: bool) -> None:
    spec = tmp_path / "mailstack.yaml"
    with running_nats(tmp_path) as nats:
        spec.write_text(shared + (f", events: '{nats.url}'}}" if has_nats else "}"))
        done = check(spec, "--format", "json")
    found = json.loads(done.stdout)
    assert [each for each in found if each["fault"] and each["needed"]] == []
    assert {each["part"] for each in found} == {"folder", "database", "bucket", "events"}
    assert [each["fault"] for each in found if each["part"] == "events"] == [""]
    assert done.exit_code == 0


def test_events_that_nobody_hears_are_no_reason_not_to_serve(tmp_path: Path, shared: str) -> None:
    spec = tmp_path / "mailstack.yaml"
    spec.write_text(f"{shared}, events: 'nats://127.0.0.1:1'}}")
    done = check(spec)
    assert done.exit_code == 0
    assert "look  events: tell another node: NATS at 127.0.0.1:1: " in done.output
    assert "no events between nodes" not in done.output  # the log's own line of it
    json.loads(check(spec, "--format", "json").stdout)


@pytest.mark.parametrize(
    ("module", "part", "extra"),
    [("psycopg", "database", "postgres"), ("obstore.store", "bucket", "s3"), ("nats.aio.client", "events", "nats")],
)
def test_a_missing_extra_is_told_with_the_command_for_this_environment(
    tmp_path: Path, shared: str, module: str, part: str, extra: str
) -> None:
    """No server starts without it, so it is never a mere hint."""
    spec = tmp_path / "mailstack.yaml"
    spec.write_text(f"{shared}, events: 'nats://127.0.0.1:1'}}")
    without = f"import sys; sys.modules[{module!r}] = None; from mailstack.cli.main import main; main()"
    command = [sys.executable, "-c", without, "storage", "check", str(spec)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    how = f"{sys.executable} -m pip install 'mailstack[{extra}]'"
    assert f"fails {part}: open it: the module {module} is not installed: {how}\n" in done.stdout


def test_events_by_a_database_that_is_not_there_are_not_waited_for(
    tmp_path: Path, shared: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHECK_DB", "postgresql://mailstack@127.0.0.1:1/mail")
    spec = tmp_path / "mailstack.yaml"
    spec.write_text(f"{shared}}}")
    done = check(spec)
    assert done.exit_code == 1
    assert "fails database: connect: " in done.output
    assert "events" not in done.output


def test_a_bucket_that_is_not_there_is_told_without_its_keys(
    tmp_path: Path, shared: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHECK_SECRET", "hush-hush-hush")
    spec = tmp_path / "mailstack.yaml"
    spec.write_text(shared.replace("storage-check", "nobody-made-it") + "}")
    done = check(spec)
    assert done.exit_code == 1
    assert "fails bucket: put an object: " in done.output
    assert "does not exist: make it" in done.output
    assert "hush" not in done.output


def test_a_secret_that_is_missing(tmp_path: Path) -> None:
    spec = tmp_path / "mailstack.yaml"
    spec.write_text(f"{HEAD}storage: {{database: env/CHECK_NOT_SET}}\n")
    done = check(spec)
    assert done.exit_code == 1
    assert "CHECK_NOT_SET is not set" in done.output
