"""`mailstack status` as it is typed."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mailstack.cli.main import cli

SPEC = "server: {hostname: mail.example.com}\nstorage: {path: state}\ndomains: {example.com: }\n"


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "mailstack.yaml"
    path.write_text(SPEC)
    return path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


def test_before_the_first_apply(spec: Path) -> None:
    found = json.loads(run("status", "--format", "json", str(spec)).stdout)
    assert found == {
        "storage": str(spec.parent / "state"),
        "running": None,
        "generation": 0,
        "applied_at": None,
        "spec": "not applied",
        "resources": {},
        "queue": {},
    }
    assert not (spec.parent / "state").exists()


def test_after_an_apply_and_after_a_change_of_the_spec(spec: Path) -> None:
    run("apply", "--yes", str(spec))
    found = json.loads(run("status", "--format", "json", str(spec)).stdout)
    assert (found["generation"], found["spec"]) == (1, "as applied")
    assert found["applied_at"].endswith("+00:00")
    assert found["resources"] == {"certificate": 1, "dkim_key": 2, "domain": 1, "listener": 5, "server": 1}
    spec.write_text(f"# changed\n{SPEC}")
    assert json.loads(run("status", "--format", "json", str(spec)).stdout)["spec"] == "changed since the last apply"


def test_for_people(spec: Path) -> None:
    run("apply", "--yes", str(spec))
    shown = {
        line.split()[0]: line.split(maxsplit=1)[1].strip() for line in run("status", str(spec)).stdout.splitlines()
    }
    assert shown["running"] == "no"
    assert shown["queue"] == "empty"
    assert shown["generation"] == "1"
