"""`mailstack init` as it is typed, and on a terminal."""

import json
import os
import pty
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mailstack.cli.main import cli
from mailstack.services.identity.passwords import verify_password
from mailstack.spec.load import load_spec

HOST = ("--hostname", "mail.example.com")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["init", *arguments])


def test_a_hostname_is_enough(folder: Path) -> None:
    done = run(*HOST, "--format", "json")
    assert done.exit_code == 0
    said = json.loads(done.stdout)
    loaded = load_spec(folder / "mailstack.yaml")
    assert loaded.spec.server.hostname == "mail.example.com"
    assert list(loaded.spec.domains) == ["example.com"]
    assert list(loaded.spec.accounts) == ["admin@example.com"] == [said["account"]]
    kept = folder / said["password_file"]
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert verify_password(kept.read_text().strip(), said["password"])
    assert said["password"] not in (folder / "mailstack.yaml").read_text()


def test_all_that_flags_can_say(folder: Path) -> None:
    done = run(
        "site/mail.yaml", *HOST, "--domain", "example.org", "--domain", "bücher.example",
        "--admin", "zoë.b@example.org",
        "--name", 'Zoë "B": #1', "--address", "203.0.113.10", "--address", "2001:db8::1", "--storage", "./a state",
        "--dns-host", "203.0.113.53",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert (
        "put the TSIG key that 203.0.113.53 knows as `mailstack` into the environment variable MAILSTACK_TSIG_SECRET"
        in done.stdout
    )
    spec = load_spec(folder / "site" / "mail.yaml").spec
    assert list(spec.domains) == ["example.org", "xn--bcher-kva.example"]
    assert spec.accounts["zoë.b@example.org"].name == 'Zoë "B": #1'
    assert len(spec.server.addresses) == 2
    assert Path(spec.storage.path) == folder / "site" / "a state"
    assert (folder / "site" / "secrets" / "zoë.b.hash").exists()
    assert CliRunner().invoke(cli, ["test", "site/mail.yaml"]).exit_code == 0


def test_the_spec_it_writes_is_tested_planned_and_applied_without_a_fault() -> None:
    assert run(*HOST, "--storage", "state").exit_code == 0
    tested = CliRunner().invoke(cli, ["test", "mailstack.yaml"])
    assert (tested.exit_code, tested.stdout.count("✓")) == (0, 3)
    assert CliRunner().invoke(cli, ["apply", "--yes", "mailstack.yaml"]).exit_code == 0
    assert CliRunner().invoke(cli, ["plan", "mailstack.yaml"]).exit_code == 0


def test_what_is_there_is_not_replaced_unasked(folder: Path) -> None:
    (folder / "mailstack.yaml").write_text("mine\n")
    refused = run(*HOST)
    assert (refused.exit_code, refused.stderr) == (1, "error: mailstack.yaml exists; --force replaces it\n")
    assert (folder / "mailstack.yaml").read_text() == "mine\n"
    assert run(*HOST, "--force").exit_code == 0
    assert "example.com" in (folder / "mailstack.yaml").read_text()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((), "--hostname is needed where nobody can be asked"),
        (("--hostname", "a b"), "'a b' is no hostname"),
        (("--hostname", "localhost"), "'localhost' is no hostname: not a fully qualified domain name"),
        ((*HOST, "--domain", "-"), "'-' is no domain"),
        ((*HOST, "--admin", "alice"), "'alice' is no address: an address needs an @"),
        ((*HOST, "--admin", "alice@example.org"), "alice@example.org is in none of the domains: example.com"),
        ((*HOST, "--address", "nowhere"), "server.addresses[0]: not an IP address"),
    ],
)
def test_a_faulty_answer_writes_nothing(folder: Path, arguments: tuple[str, ...], complaint: str) -> None:
    done = run(*arguments)
    assert (done.exit_code, complaint in done.stderr) == (1, True), done.stderr
    assert [path for path in folder.rglob("*") if path.is_file()] == []


def test_on_a_terminal_it_asks(folder: Path) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "mailstack", "init"], stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder
    )
    os.close(theirs)
    os.write(ours, b"mail.example.org\n\nalice@example.org\nAlice\n\n\n\n")
    assert process.wait(30) == 0
    os.close(ours)
    spec = load_spec(folder / "mailstack.yaml").spec
    assert list(spec.accounts) == ["alice@example.org"]
    assert spec.accounts["alice@example.org"].name == "Alice"
