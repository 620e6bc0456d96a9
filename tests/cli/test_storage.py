"""`mailstack storage check` as it is typed."""

import json
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


def test_events_that_nobody_hears_are_no_reason_not_to_serve(
    tmp_path: Path, shared: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailstack.app.storage_check.HEARD_S", 0.3)
    spec = tmp_path / "mailstack.yaml"
    spec.write_text(f"{shared}, events: 'nats://127.0.0.1:1'}}")
    done = check(spec)
    assert done.exit_code == 0
    assert "look  events: tell another node: nothing was heard" in done.output


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
