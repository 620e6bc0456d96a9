"""`--server` as it is typed, where it comes to no server. What a server answers: tests/scenarios/test_remote."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mailstack.cli.main import cli

SPEC = "server: {hostname: mail.example.com}\nstorage: {path: state}\ndomains: {example.com: }\n"
NOBODY = "https://127.0.0.1:1"


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("MAILSTACK_TOKEN", raising=False)
    path = tmp_path / "mailstack.yaml"
    path.write_text(SPEC)
    return path


def run(*arguments: str, token: str | None = None) -> Result:
    environment = {} if token is None else {"MAILSTACK_TOKEN": token}
    return CliRunner().invoke(cli, arguments, env=environment)


@pytest.mark.parametrize("command", ["plan", "apply", "drift", "status"])
def test_a_server_that_is_not_there_is_named(spec: Path, command: str) -> None:
    result = run(command, str(spec), "--server", NOBODY, token="mst_x")
    assert result.exit_code == 1
    assert f"error: {NOBODY} cannot be reached: " in result.stderr
    assert not (spec.parent / "state").exists()


@pytest.mark.parametrize("command", ["plan", "apply", "drift", "status"])
def test_without_a_token_it_says_where_one_is_looked_for(spec: Path, command: str) -> None:
    result = run(command, str(spec), "--server", NOBODY)
    assert result.exit_code == 1
    assert "the environment variable MAILSTACK_TOKEN is not set" in result.stderr


def test_a_token_is_never_taken_from_the_command_line_or_repeated(spec: Path) -> None:
    result = run("plan", str(spec), "--server", NOBODY, "--token", "mst_secret")
    assert (result.exit_code, "--token takes a reference" in result.stderr) == (1, True)
    assert "mst_secret" not in result.output


def test_a_token_may_be_in_a_file(spec: Path, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("mst_x\n")
    result = run("plan", str(spec), "--server", NOBODY, "--token", f"file/{tmp_path}/token")
    assert "cannot be reached" in result.stderr
    missing = run("plan", str(spec), "--server", NOBODY, "--token", f"file/{tmp_path}/gone")
    assert "cannot be read: No such file" in missing.stderr


@pytest.mark.parametrize("url", ["mail.example.com", "http://mail.example.com", "https://mail.example.com/api"])
def test_a_server_is_named_by_https_and_its_host(spec: Path, url: str) -> None:
    result = run("plan", str(spec), "--server", url, token="mst_x")
    assert result.exit_code == 1
    assert f"{url}: " in result.stderr


def test_faults_of_the_spec_are_found_before_anything_is_sent(spec: Path) -> None:
    spec.write_text("server: {hostnme: mail.example.com}\n")
    result = run("plan", str(spec), "--server", NOBODY)
    assert result.exit_code == 1
    assert f"{spec}:1:" in result.stderr
