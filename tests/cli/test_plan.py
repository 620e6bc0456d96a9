"""`mailstack plan` as it is typed."""

import json
import re
from pathlib import Path

import apsw
import pytest
from click.testing import CliRunner, Result

from mailstack.cli.main import cli
from mailstack.store.sqlite import schema_system

SPEC = """\
server: {hostname: mail.example.com}
storage: {path: state}
domains: {example.com: }
accounts:
  alice@example.com: {name: Alice, password: env/ALICE_PASSWORD}
"""


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ALICE_PASSWORD", "open sesame")
    path = tmp_path / "mailstack.yaml"
    path.write_text(SPEC)
    return path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


def test_changes_are_exit_status_2_and_nothing_is_created(spec: Path) -> None:
    result = run("plan", str(spec))
    assert result.exit_code == 2
    assert "  + account alice@example.com  # after domain example.com\n" in result.stdout
    assert re.search(r"Plan: [1-9][0-9]* to create, 0 to change, 0 to destroy\.\n", result.stdout)
    assert [path.name for path in spec.parent.iterdir()] == ["mailstack.yaml"]


def test_no_changes_are_exit_status_0(spec: Path) -> None:
    assert run("apply", "--yes", str(spec)).exit_code == 0
    result = run("plan", "--detailed-exitcode", str(spec))
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.endswith("No changes. The server is what the spec says.\n")


def test_json_is_the_whole_plan_without_a_secret(spec: Path) -> None:
    result = run("plan", "--format", "json", str(spec))
    assert result.exit_code == 2
    found = json.loads(result.stdout)
    assert found["summary"] == {"create": len(found["changes"]), "update": 0, "move": 0, "destroy": 0}
    assert "sesame" not in result.output


def test_faults_of_the_spec_are_exit_status_1(spec: Path) -> None:
    spec.write_text("server: {hostnme: mail.example.com}\n")
    result = run("plan", str(spec))
    assert result.exit_code == 1
    assert "mailstack.yaml:1:" in result.stderr


def test_a_missing_secret_is_exit_status_1_and_named(spec: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ALICE_PASSWORD")
    result = run("plan", str(spec))
    assert result.exit_code == 1
    told = "5:46: accounts[alice@example.com].password: the environment variable ALICE_PASSWORD is not set"
    assert told in result.stderr


def test_a_name_server_that_does_not_answer_is_exit_status_1_and_can_be_left_out(spec: Path) -> None:
    provider = "{class: octodns_bind.Rfc2136Provider, host: 127.0.0.1, port: 1}"
    spec.write_text(f"{SPEC}dns: {{providers: {{b: {provider}}}, zones: {{example.com: {{provider: b}}}}}}\n")
    result = run("plan", str(spec))
    assert (result.exit_code, result.stdout) == (1, "")
    assert "DNS zone example.com (provider b at 127.0.0.1 port 1)" in result.stderr
    assert run("plan", "--no-dns", str(spec)).exit_code == 2


def system_db(spec: Path) -> Path:
    assert run("apply", "--yes", str(spec)).exit_code == 0
    return spec.parent / "state" / "system.db"


def test_a_damaged_state_is_named(spec: Path) -> None:
    path = system_db(spec)
    path.write_bytes(b"no database" * 1_000)
    result = run("plan", str(spec))
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"error: {path} is damaged, or no database of this program\n"


def test_a_state_of_a_newer_program_is_named(spec: Path) -> None:
    path = system_db(spec)
    newer = apsw.Connection(str(path))
    newer.pragma("user_version", 99)
    newer.close()
    result = run("plan", str(spec))
    assert (result.exit_code, result.stdout) == (1, "")
    known = schema_system.MIGRATIONS[-1].number
    assert result.stderr == f"error: {path} has schema 99, this program knows {known}: use a newer mailstack\n"


def test_a_state_that_a_killed_first_apply_left_empty_is_no_state(spec: Path) -> None:
    path = system_db(spec)
    path.write_bytes(b"")
    result = run("plan", str(spec))
    assert (result.exit_code, result.stderr) == (2, "")
    assert re.search(r"Plan: [1-9][0-9]* to create", result.stdout)
    assert run("apply", "--yes", str(spec)).exit_code == 0


def test_a_database_of_another_program_is_named(spec: Path) -> None:
    path = system_db(spec)
    path.unlink()
    foreign = apsw.Connection(str(path))
    foreign.execute("CREATE TABLE recipes (name TEXT)")
    foreign.close()
    result = run("plan", str(spec))
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"error: {path} ")
    assert "internal error" not in result.stderr


def test_a_state_that_may_not_be_read_is_named(spec: Path) -> None:
    path = system_db(spec)
    path.unlink()
    path.mkdir()  # what root may not read either
    result = run("plan", str(spec))
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"error: {path} cannot be ")


@pytest.mark.parametrize("arguments", [(), ("--no-such-option",), ("--format", "yaml", "SPEC"), (".",)])
def test_a_faulty_call_does_not_look_like_changes(spec: Path, arguments: tuple[str, ...]) -> None:
    result = run("plan", *(str(spec) if argument == "SPEC" else argument for argument in arguments))
    assert (result.exit_code, result.stdout) == (1, "")
    assert "Usage: " in result.stderr
