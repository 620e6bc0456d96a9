"""A spec from another machine: planned, applied and served, by the commands, against a running appliance."""

import imaplib
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.commands import run_command
from tests.support.over_sockets import CLIENT_S
from tests.support.programs import Program
from tests.support.sandbox import MAILSTACK, Sandbox, running_sandbox, save, stop, wait_for

pytestmark = pytest.mark.slow

SPEC = """\
server: {hostname: mail.example.com, workers: 2}
domains: {example.com: {}}
accounts:
  alice@example.com: {name: Alice, roles: [admin]}
"""
MORE = f"{SPEC}  carol@example.com: {{name: Carol}}\n"


class Laptop:
    """Where the commands are typed: another folder, with a token of the server."""

    def __init__(self, sandbox: Sandbox, server_spec: Path, folder: Path) -> None:
        self.sandbox = sandbox
        self.server_spec = server_spec
        self.spec = folder / "laptop" / "mail.yaml"
        self.spec.parent.mkdir()
        self.spec.write_text(SPEC)
        self.options = ["--server", f"https://127.0.0.1:{sandbox.port('https')}", "--ca", str(sandbox.ca)]

    def make_token(self, *scopes: str, expires: str = "1h") -> str:
        wanted = [word for scope in scopes for word in ("--can", scope)]
        state = ("--state", str(self.sandbox.state))
        made = run_command("token", "create", str(self.server_spec), *state, *wanted, "--expires", expires)
        assert made.returncode == 0, made.stderr
        return made.stdout.decode().strip()

    def run(self, command: str, *arguments: str, token: str) -> subprocess.CompletedProcess[bytes]:
        return run_command(command, str(self.spec), *arguments, *self.options, MAILSTACK_TOKEN=token)


@pytest.fixture
def laptop(tmp_path: Path) -> Iterator[Laptop]:
    spec = tmp_path / "server" / "mailstack.yaml"
    spec.parent.mkdir()
    spec.write_text(SPEC)
    with running_sandbox(spec, tmp_path / "sandbox", "--passwords", "pw") as sandbox:
        # Who applies from afar is refused while the server itself does.
        wait_for(lambda: "upkeep" in sandbox.status(), what="its own apply is over")
        yield Laptop(sandbox, spec, tmp_path)


def logs_in(sandbox: Sandbox, login: str) -> bool:
    try:
        with imaplib.IMAP4("127.0.0.1", sandbox.port("imap"), timeout=CLIENT_S) as imap:
            imap.login(login, "pw")
    except imaplib.IMAP4.error:
        return False
    return True


def test_an_account_that_is_applied_from_afar_logs_in_and_is_there_after_a_restart(
    laptop: Laptop, tmp_path: Path
) -> None:
    token = laptop.make_token("plan", "apply", "state")
    nothing = laptop.run("plan", token=token)
    assert (nothing.returncode, nothing.stdout) == (0, b"No changes. The server is what the spec says.\n")

    save(laptop.spec, MORE)
    planned = laptop.run("plan", "-o", str(tmp_path / "plan.json"), "--format", "json", token=token)
    assert planned.returncode == 2, planned.stderr
    assert json.loads(planned.stdout)["summary"]["create"] == 1
    assert laptop.server_spec.read_text() == SPEC

    line = ("apply", str(tmp_path / "plan.json"), *laptop.options)
    applied = run_command(*line, MAILSTACK_TOKEN=token)
    assert applied.returncode == 0, applied.stderr
    assert b"Applied: 1 created, 0 changed, 0 destroyed." in applied.stdout
    wait_for(lambda: logs_in(laptop.sandbox, "carol@example.com"))
    assert laptop.server_spec.read_text() == MORE
    status = json.loads(laptop.run("status", "--format", "json", token=token).stdout)
    assert (status["spec"], status["resources"]["account"]) == ("as applied", 2)
    drift = laptop.run("drift", token=token)
    assert (drift.returncode, b"Nothing has drifted" in drift.stdout) == (0, True), drift.stderr
    # A kept plan is good once.
    again = run_command(*line, MAILSTACK_TOKEN=token)
    assert (again.returncode, b"has changed since the plan was made" in again.stderr) == (1, True)

    assert token not in laptop.sandbox.log
    for path in laptop.sandbox.state.rglob("*"):
        assert not path.is_file() or token.encode() not in path.read_bytes(), path
    stop(laptop.sandbox.process)
    with running_sandbox(laptop.server_spec, tmp_path / "again", state=laptop.sandbox.state) as sandbox:
        assert logs_in(sandbox, "carol@example.com")
        assert "was not applied" not in sandbox.log


def test_what_is_not_allowed_is_said_in_words_and_changes_nothing(laptop: Laptop) -> None:
    planner = laptop.make_token("plan")
    save(laptop.spec, MORE)
    refused = laptop.run("apply", "--yes", token=planner)
    assert refused.returncode == 1
    assert b"the token is not good for this: it lacks the scope apply" in refused.stderr
    unknown = laptop.run("plan", token=f"{planner[:-1]}{'a' if planner[-1] != 'a' else 'b'}")
    assert (unknown.returncode, b"does not accept the token" in unknown.stderr) == (1, True)
    save(laptop.spec, MORE.replace("Carol", "Carol, roles: [owner]"))
    faulty = laptop.run("plan", token=planner)
    assert faulty.returncode == 1
    assert f"{laptop.spec}:5:".encode() in faulty.stderr
    assert laptop.server_spec.read_text() == SPEC


def test_an_expired_token_plans_and_applies_nothing_and_is_told_since_when(laptop: Laptop) -> None:
    token = laptop.make_token("apply", expires="1s")
    save(laptop.spec, MORE)
    wait_for(lambda: b"expired on" in laptop.run("plan", token=token).stderr)
    refused = laptop.run("apply", "--yes", token=token)
    assert refused.returncode == 1
    assert b"does not accept the token" in refused.stderr
    assert laptop.server_spec.read_text() == SPEC


def test_a_token_that_ends_while_its_apply_runs_does_not_stop_it(laptop: Laptop) -> None:
    """The plan takes its time; the token is looked at when the call begins."""
    token = laptop.make_token("apply")
    save(laptop.spec, MORE)
    applying = Program(
        [*MAILSTACK, "apply", str(laptop.spec), "--yes", *laptop.options],
        env={**os.environ, "MAILSTACK_TOKEN": token},
        stdout=subprocess.PIPE,
    )
    log = laptop.sandbox
    wait_for(lambda: "call=apply" in log.log)
    revoked = run_command("token", "revoke", str(laptop.server_spec), token[4:14], "--state", str(log.state))
    assert revoked.returncode == 0, revoked.stderr
    out, _ = applying.communicate(timeout=120)
    assert (applying.returncode, b"Applied: 1 created" in out) == (0, True)
    assert b"was revoked" in laptop.run("plan", token=token).stderr
