"""`mailstack ban` as it is typed."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mailstack.cli.main import cli

SPEC = "server: {hostname: mail.example.com}\nstorage: {path: state}\ndomains: {example.com: }\n"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "mailstack.yaml"
    path.write_text(SPEC)
    assert run("apply", "--yes", str(path)).exit_code == 0
    return path


def test_a_ban_is_added_listed_and_lifted(spec: Path) -> None:
    added = run("ban", "add", str(spec), "2001:db8::7", "--for", "2d", "--reason", "asked to stop")
    assert added.exit_code == 0, added.output
    assert added.stdout.startswith("banned 2001:db8::/64 until ")
    (found,) = json.loads(run("ban", "list", str(spec), "--format", "json").stdout)
    assert (found["peer"], found["reason"], found["times"]) == ("2001:db8::/64", "asked to stop", 1)
    assert "asked to stop" in run("ban", "list", str(spec)).stdout
    lifted = run("ban", "lift", str(spec), "2001:db8::/64")
    assert (lifted.exit_code, lifted.stdout) == (0, "lifted 2001:db8::/64\n")
    assert json.loads(run("ban", "list", str(spec), "--format", "json").stdout) == []


def test_one_that_is_not_there_cannot_be_lifted(spec: Path) -> None:
    lifted = run("ban", "lift", str(spec), "192.0.2.1")
    assert (lifted.exit_code, lifted.stderr) == (1, "Error: 192.0.2.1 is not banned\n")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("mail.example.com",), "is no IP address"),
        (("127.0.0.1",), "this machine itself is never banned"),
        (("192.0.2.1", "--for", "long"), "not a duration"),
    ],
)
def test_what_cannot_be_banned_is_said(spec: Path, arguments: tuple[str, ...], told: str) -> None:
    refused = run("ban", "add", str(spec), *arguments)
    assert refused.exit_code == 2
    assert told in refused.stderr


@pytest.mark.parametrize(
    ("bans", "told"),
    [
        ("bans: {never: [192.0.2.0/24]}", "`server.bans.never` names it: it is never banned"),
        ("proxy_from: [192.0.2.1]", "`server.proxy_from` names it: it is never banned"),
        ("bans: null", "`server.bans` is null: nobody is banned"),
    ],
)
def test_a_ban_that_would_not_hold_is_refused(spec: Path, bans: str, told: str) -> None:
    spec.write_text(SPEC.replace("mail.example.com", f"mail.example.com, {bans}"))
    refused = run("ban", "add", str(spec), "192.0.2.1")
    assert (refused.exit_code, json.loads(run("ban", "list", str(spec), "--format", "json").stdout)) == (2, [])
    assert told in refused.stderr
