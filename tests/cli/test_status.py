"""`mailstack status` as it is typed."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mailstack.app.runfiles import slowed_file, status_file, write_json
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
        "certificates": [],
        "queue": {},
    }
    assert not (spec.parent / "state").exists()


def test_after_an_apply_and_after_a_change_of_the_spec(spec: Path) -> None:
    run("apply", "--yes", str(spec))
    found = json.loads(run("status", "--format", "json", str(spec)).stdout)
    assert (found["generation"], found["spec"]) == (1, "as applied")
    assert found["applied_at"].endswith("Z")
    assert found["resources"] == {"certificate": 1, "dkim_key": 2, "domain": 1, "listener": 8, "server": 1}
    (certificate,) = found["certificates"]
    assert (certificate["name"], certificate["issuer"], certificate["failure"]) == (
        "mail.example.com",
        "self-signed",
        None,
    )
    assert certificate["days_left"] in (823, 824)
    spec.write_text(f"# changed\n{SPEC}")
    assert json.loads(run("status", "--format", "json", str(spec)).stdout)["spec"] == "changed since the last apply"


def test_for_people(spec: Path) -> None:
    run("apply", "--yes", str(spec))
    shown = {
        line.split()[0]: line.split(maxsplit=1)[1].strip() for line in run("status", str(spec)).stdout.splitlines()
    }
    assert shown["running"] == f"no (no server on this machine has {spec.parent / 'state'})"
    assert shown["queue"] == "empty"
    assert shown["resources"] == "1 server, 8 listeners, 1 certificate, 1 domain, 2 DKIM keys"
    assert shown["generation"] == "1"
    assert shown["certificate"].startswith("mail.example.com: self-signed, 82")


@pytest.fixture
def server(spec: Path) -> Iterator[int]:
    """The process id of one that holds the storage, as far as anybody can see."""
    run("apply", "--yes", str(spec))
    hold = "import pathlib, sys; from mailstack.app.runfiles import take_storage; "
    hold += "lock = take_storage(pathlib.Path(sys.argv[1])); print(flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", hold, str(spec.parent / "state")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        reload = {"at": "2026-01-01T00:00:00Z", "ok": False, "generation": 1, "message": "the port is in use"}
        write_json(
            status_file(spec.parent / "state"),
            {"pid": process.pid, "generation": 1, "started_at": "2026-01-01T00:00:00Z", "reload": reload},
        )
        yield process.pid
        process.kill()


@pytest.mark.parametrize("fault", ["nonsense: {}\n", "}\n"])
def test_a_spec_with_faults_does_not_hide_what_runs(spec: Path, server: int, fault: str) -> None:
    spec.write_text(SPEC + fault)
    ended = run("status", "--format", "json", str(spec))
    assert ended.exit_code == 2
    found = json.loads(ended.stdout)
    assert (found["running"]["pid"], found["generation"], found["spec"]) == (server, 1, "has faults")
    assert [f"{spec}:4:1" in line for line in found["faults"]] == [True]
    shown = run("status", str(spec))
    assert shown.exit_code == 2
    assert f"process {server}" in shown.stdout
    assert f"{spec}:4:1" in shown.stderr


def test_why_the_last_reload_was_refused(spec: Path, server: int) -> None:
    shown = run("status", str(spec)).stdout
    assert f"process {server}" in shown
    assert "2026-01-01T00:00:00Z, refused: the port is in use" in shown


def test_what_was_told_of_the_reload_is_not_told_again(spec: Path, server: int) -> None:
    path = status_file(spec.parent / "state")
    upkeep = {"next_at": "2026-01-01T00:01:00Z", "message": "the port is in use"}
    write_json(path, {**json.loads(path.read_text()), "upkeep": upkeep})
    shown = run("status", str(spec)).stdout
    assert (shown.count("the port is in use"), "undone, as the last reload" in shown) == (1, True)


def test_who_is_sent_to_more_slowly_is_told_with_what_they_said(spec: Path, server: int) -> None:
    path = status_file(spec.parent / "state")
    write_json(path, {**json.loads(path.read_text()), "workers": [server]})
    alone = {
        "destination": "mx.x.example",
        "connections": 1,
        "most": 5,
        "until": "2026-01-01T00:05:00Z",
        "why": "421\a",
    }
    slow = {"destination": "mx.y.example", "connections": 2, "most": 5, "until": None, "why": "421 closing"}
    write_json(slowed_file(spec.parent / "state", 0), {"pid": server, "slowed": [alone, slow]})
    shown = " ".join(run("status", str(spec)).stdout.split())
    assert (
        "slowed mx.x.example: 1 of 5 connections, left alone until 2026-01-01T00:05:00Z: 421\N{REPLACEMENT CHARACTER}"
        in shown
    )
    assert "slowed mx.y.example: 2 of 5 connections: 421 closing" in shown


def test_what_mail_leaves_from_is_told(spec: Path, server: int) -> None:
    path = status_file(spec.parent / "state")
    found = [
        {"address": "192.0.2.1", "ehlo": "mail.example.com", "is_here": True},
        {"address": "192.0.2.2", "ehlo": "out.example.com", "is_here": False},
    ]
    write_json(path, {**json.loads(path.read_text()), "sources": found})
    told = [" ".join(line.split()) for line in run("status", str(spec)).stdout.splitlines()]
    assert "leaves from 192.0.2.1 as mail.example.com" in told
    assert "leaves from 192.0.2.2 as out.example.com (not on its machine)" in told


def test_a_storage_that_moved_is_named(spec: Path, server: int) -> None:
    spec.write_text(SPEC.replace("path: state", "path: elsewhere"))
    shown = run("status", str(spec)).stdout
    assert str(server) not in shown.splitlines()[0]
    assert f"no (no server on this machine has {spec.parent / 'elsewhere'})" in shown
