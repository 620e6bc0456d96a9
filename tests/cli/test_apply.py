"""`mailstack apply` as it is typed: the question, the store it writes, and what a second one leaves alone."""

import asyncio
import hashlib
import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mailstack.app.silence import Silence
from mailstack.cli.main import cli
from mailstack.model.instant import Instant
from mailstack.model.mailbox import MailboxRole
from mailstack.store.sqlite.open import open_store
from tests.support.stores import account_of, mailbox_with, new_message

SPEC = """\
server: {hostname: mail.example.com}
storage: {path: state}
domains: {example.com: }
accounts:
  alice@example.com: {name: Alice, password: env/ALICE_PASSWORD}
dns:
  providers: {files: {class: mailstack.reconcile.dns.zone_file.ZoneFileProvider, directory: zones}}
  zones: {example.com: {provider: files}}
"""


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ALICE_PASSWORD", "open sesame")
    path = tmp_path / "mailstack.yaml"
    path.write_text(SPEC)
    return path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ("apply", *arguments))


def contents(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def on_a_terminal(spec: Path, answer: bytes) -> subprocess.CompletedProcess[str]:
    """stdin is a terminal where somebody types the answer."""
    ours, theirs = pty.openpty()
    try:
        os.write(ours, answer + b"\n")
        program = "from mailstack.cli.main import main; main()"
        command = [sys.executable, "-c", program, "apply", str(spec)]
        return subprocess.run(command, stdin=theirs, capture_output=True, text=True, timeout=60, check=False)
    finally:
        os.close(ours)
        os.close(theirs)


def lines_after_the_plan(result: Result) -> list[str]:
    return result.stdout.partition("to destroy.\n")[2].splitlines()


WAITING = (
    "Nothing is signed with dkim_keys ed25519-1._domainkey.example.com, rsa2048-1._domainkey.example.com before their"
    " records are seen in DNS. `mailstack serve` looks again by itself; without it, apply again."
)


def test_with_yes_nobody_is_asked_and_every_step_is_a_line(spec: Path) -> None:
    result = run("--yes", str(spec))
    assert (result.exit_code, result.stderr) == (0, "")
    steps = [re.sub(r"[0-9]+ (record|created)", r"N \1", line) for line in lines_after_the_plan(result)]
    assert steps == [
        "made certificate mail.example.com",
        "made dkim_key ed25519-1._domainkey.example.com",
        "made dkim_key rsa2048-1._domainkey.example.com",
        "hashed 1 of 1 passwords",
        "the server's state is at generation 1",
        "DNS zone example.com: N record sets written",
        "DNS zone example.com: seen as planned",
        "records seen in DNS: 0 of 2",
        "Applied: N created, 0 changed, 0 destroyed. Generation 1.",
        WAITING,
    ]
    assert "open sesame" not in result.output


def test_records_to_publish_by_hand_are_shown_again_with_the_keys_that_were_made(spec: Path) -> None:
    spec.write_text(SPEC.replace("{provider: files}", "{provider: manual}"))
    result = run("--yes", str(spec))
    planned, _, applied = result.stdout.partition("to destroy.\n")
    assert "p=(known after apply)" in planned
    assert "To publish by hand, in zone example.com:" in applied
    assert "known after apply" not in applied
    assert re.search(r"rsa2048-1\._domainkey\.example\.com\. .* TXT .*p=MII", applied)
    again = run("--yes", str(spec)).stdout
    assert f"records to publish by hand: mailstack plan --records {spec}\n" in again
    assert "TXT" not in again


def test_a_second_apply_writes_not_one_byte(spec: Path) -> None:
    run("--yes", str(spec))
    before = contents(spec.parent)
    result = run("--yes", str(spec))
    assert result.exit_code == 0
    assert result.stdout.endswith("No changes. The server is what the spec says.\n")
    assert contents(spec.parent) == before


def test_without_a_terminal_and_without_yes_it_shows_the_plan_and_stops(spec: Path) -> None:
    result = run(str(spec))
    assert result.exit_code == 1
    assert "+ account alice@example.com" in result.stdout
    assert "--yes" in result.stderr
    assert not (spec.parent / "state").exists()


@pytest.mark.parametrize("answer", [b"y", b"", b"YES", b"no"])
def test_only_yes_is_yes(spec: Path, answer: bytes) -> None:
    result = on_a_terminal(spec, answer)
    assert result.returncode == 1
    assert "not applied" in result.stderr
    assert not (spec.parent / "state").exists()


def test_yes_on_a_terminal_applies(spec: Path) -> None:
    result = on_a_terminal(spec, b"yes")
    assert result.returncode == 0, result.stderr
    assert re.search(r"Applied: [0-9]+ created, 0 changed, 0 destroyed\. Generation 1\.", result.stdout)


def test_what_was_moved_is_counted(spec: Path) -> None:
    assert run("--yes", str(spec)).exit_code == 0
    text = SPEC.replace("alice@", "ann@").replace(
        "dns:", "moved: [{from: alice@example.com, to: ann@example.com}]\ndns:"
    )
    spec.write_text(text)
    result = run("--yes", str(spec))
    assert "Applied: 0 created, 0 changed, 1 moved, 0 destroyed." in result.stdout, result.output


def test_json_holds_the_plan_and_the_generation(spec: Path) -> None:
    result = run("--yes", "--format", "json", str(spec))
    found = json.loads(result.stdout)
    plan = found["plan"]
    assert (found["generation"], plan["summary"]["create"]) == (1, len(plan["changes"]))
    assert found["by_hand"] == []


def test_faults_of_the_spec_are_exit_status_2(spec: Path) -> None:
    spec.write_text("server: {hostnme: mail.example.com}\n")
    assert run("--yes", str(spec)).exit_code == 2


def test_a_storage_that_cannot_be_made_is_named(spec: Path) -> None:
    (spec.parent / "state").write_text("a file where the folder should be")
    result = run("--yes", str(spec))
    assert result.exit_code == 1
    assert str(spec.parent / "state") in result.stderr
    assert "internal error" not in result.stderr


async def deliver(storage: Path, login: str) -> None:
    store = await open_store(storage, clock=lambda: Instant(1_790_000_000_000), bus=Silence())
    try:
        account_id = (await account_of(store, login)).account_id
        inbox = await mailbox_with(store, account_id, MailboxRole.INBOX)
        await store.messages.append(account_id, inbox, [new_message()])
    finally:
        await store.close()


def without_alice(spec: Path) -> None:
    spec.write_text(SPEC.replace("accounts:\n  alice@example.com: {name: Alice, password: env/ALICE_PASSWORD}\n", ""))


def test_an_account_that_holds_mail_goes_only_by_name(spec: Path) -> None:
    run("--yes", str(spec))
    asyncio.run(deliver(spec.parent / "state", "alice@example.com"))
    without_alice(spec)
    before = contents(spec.parent)
    refused = run("--yes", str(spec))
    assert refused.exit_code == 1
    assert refused.output.count(f"mailstack apply --allow-destroy alice@example.com {spec}") == 1
    assert refused.stderr.startswith("error: nothing was changed")
    assert contents(spec.parent) == before
    allowed = run("--yes", "--allow-destroy", "Alice@Example.com", str(spec))
    assert (allowed.exit_code, allowed.stderr) == (0, "")
    assert "1 destroyed" in allowed.stdout


def test_programs_are_told_the_brake_and_the_command_on_standard_error(spec: Path) -> None:
    run("--yes", str(spec))
    asyncio.run(deliver(spec.parent / "state", "alice@example.com"))
    without_alice(spec)
    refused = run("--yes", "--format", "json", str(spec))
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert f"mailstack apply --allow-destroy alice@example.com {spec}" in refused.stderr


def test_a_name_that_would_not_be_destroyed_is_an_error_that_names_who_would(spec: Path) -> None:
    run("--yes", str(spec))
    without_alice(spec)
    before = contents(spec.parent)
    mistyped = run("--yes", "--allow-destroy", "alcie@example.com", str(spec))
    assert (mistyped.exit_code, mistyped.stderr) == (
        1,
        "error: --allow-destroy alcie@example.com: the plan destroys no account and no domain of that name"
        " (it would destroy alice@example.com); nothing was changed\n",
    )
    kept = run("--yes", "--allow-destroy", "alice@example.com", "--allow-destroy", "example.com", str(spec))
    assert "of that name; the spec still has it (it would destroy alice@example.com)" in kept.stderr
    assert (kept.exit_code, contents(spec.parent)) == (1, before)


def test_the_command_that_destroyed_somebody_may_be_typed_again(spec: Path) -> None:
    run("--yes", str(spec))
    asyncio.run(deliver(spec.parent / "state", "alice@example.com"))
    without_alice(spec)
    destroy = ("--yes", "--allow-destroy", "alice@example.com", str(spec))
    assert [run(*destroy).exit_code for _ in range(2)] == [0, 0]
    spec.write_text(SPEC)
    assert "(it would destroy none)" in run(*destroy).stderr


def test_an_account_without_mail_goes_unasked(spec: Path) -> None:
    run("--yes", str(spec))
    without_alice(spec)
    assert run("--yes", str(spec)).exit_code == 0


def test_the_last_administrator_and_a_third_of_many_go_only_when_it_is_said(spec: Path) -> None:
    admin = "accounts:\n  root@example.com: {roles: [admin]}\n"
    people = "".join(f"  a{number}@example.com: {{}}\n" for number in range(9))
    spec.write_text(SPEC.replace("accounts:\n", admin + people))
    assert run("--yes", str(spec)).exit_code == 0
    before = contents(spec.parent / "state")
    spec.write_text(SPEC)
    refused = run("--yes", str(spec))
    assert (refused.exit_code, contents(spec.parent / "state")) == (1, before)
    assert f"mailstack apply --allow-last-admin --allow-many {spec}" in refused.stdout
    assert "10 of 11 accounts would be destroyed" in refused.stdout
    assert run("--yes", "--allow-many", str(spec)).exit_code == 1
    allowed = run("--yes", "--allow-many", "--allow-last-admin", str(spec))
    assert (allowed.exit_code, allowed.stderr) == (0, "")


def test_a_value_that_somebody_added_to_a_record_goes_only_when_it_is_said(spec: Path) -> None:
    run("--yes", str(spec))
    zone = spec.parent / "zones" / "example.com.zone"
    with zone.open("a") as end:
        end.write("example.com. 3600 IN MX 20 backup.example.\n")
    refused = run("--yes", str(spec))
    assert refused.exit_code == 1
    assert f"mailstack apply --allow-foreign {spec}" in refused.stdout
    assert "20 backup.example." in zone.read_text()
    assert run("--yes", "--allow-foreign", str(spec)).exit_code == 0
    assert "backup.example" not in zone.read_text()


def test_a_kept_plan_stays_good_when_a_brake_is_released_for_it(spec: Path) -> None:
    run("--yes", str(spec))
    asyncio.run(deliver(spec.parent / "state", "alice@example.com"))
    without_alice(spec)
    kept = spec.parent / "plan.json"
    planned = CliRunner().invoke(cli, ("plan", "-o", str(kept), str(spec)))
    assert f"mailstack apply --allow-destroy alice@example.com {spec}" in planned.stdout
    assert run(str(kept)).exit_code == 1
    assert run("--allow-destroy", "alice@example.com", str(kept)).exit_code == 0


def test_the_spec_can_allow_it_by_name(spec: Path) -> None:
    run("--yes", str(spec))
    asyncio.run(deliver(spec.parent / "state", "alice@example.com"))
    without_alice(spec)
    with spec.open("a") as end:
        end.write("reconcile: {allow_destroy: [Alice@example.com]}\n")
    assert run("--yes", str(spec)).exit_code == 0


def test_a_name_that_is_none_is_a_faulty_call(spec: Path) -> None:
    result = run("--yes", "--allow-destroy", "a b@", str(spec))
    assert result.exit_code == 2
    assert "--allow-destroy" in result.stderr
