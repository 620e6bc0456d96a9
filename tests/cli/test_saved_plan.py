"""`mailstack plan -o` and `mailstack apply PLAN`: what was read is what is done, or nothing is."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mailstack.app.clock import system_clock
from mailstack.cli.main import cli
from mailstack.model.instant import DAY_MS

SPEC = """\
server: {hostname: mail.example.com}
storage: {path: state}
domains: {example.com: }
dns:
  providers: {files: {class: mailstack.reconcile.dns.zone_file.ZoneFileProvider, directory: zones}}
  zones: {example.com: {provider: files}}
"""
ALICE = "accounts: {alice@example.com: {name: Alice}}\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mailstack.yaml").write_text(SPEC)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


def kept_plan() -> None:
    assert run("plan", "mailstack.yaml", "-o", "plan.json").exit_code == 2


def test_a_kept_plan_is_applied_without_a_question(folder: Path) -> None:
    kept_plan()
    done = run("apply", "plan.json")
    assert done.exit_code == 0, done.output
    assert run("plan", "mailstack.yaml").exit_code == 0


def test_a_kept_plan_can_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    kept_plan()
    later = system_clock() + 10 * DAY_MS
    monkeypatch.setattr("mailstack.app.clock.system_clock", lambda: later)
    assert run("apply", "plan.json").exit_code == 0


def test_a_plan_is_not_planned_again() -> None:
    kept_plan()
    done = run("plan", "plan.json")
    assert (done.exit_code, "`mailstack apply plan.json` carries it out" in done.stderr) == (1, True)


def test_it_is_what_json_shows(folder: Path) -> None:
    kept_plan()
    shown = run("plan", "mailstack.yaml", "--format", "json").stdout
    assert json.loads((folder / "plan.json").read_text()) == json.loads(shown)


def test_a_spec_that_has_moved_is_refused(folder: Path) -> None:
    kept_plan()
    (folder / "mailstack.yaml").write_text(SPEC + ALICE)
    done = run("apply", "plan.json")
    assert done.exit_code == 1
    assert "mailstack.yaml has changed since the plan was made" in done.stderr
    assert not (folder / "state").exists()


def test_a_server_that_has_moved_is_refused(folder: Path) -> None:
    assert run("apply", "--yes", "mailstack.yaml").exit_code == 0
    (folder / "mailstack.yaml").write_text(SPEC + ALICE)
    kept_plan()
    (folder / "other.yaml").write_text(SPEC + ALICE.replace("alice", "bob"))
    assert run("apply", "--yes", "other.yaml").exit_code == 0
    done = run("apply", "plan.json")
    assert (done.exit_code, "the server or its DNS has changed" in done.stderr) == (1, True)


def test_dns_that_has_moved_is_refused(folder: Path) -> None:
    assert run("apply", "--yes", "mailstack.yaml").exit_code == 0
    (folder / "mailstack.yaml").write_text(SPEC + ALICE)
    kept_plan()
    (zone,) = (folder / "zones").iterdir()
    zone.write_text(zone.read_text().replace("v=spf1 a:", "v=spf1 a mx a:"))
    done = run("apply", "plan.json")
    assert (done.exit_code, "the server or its DNS has changed" in done.stderr) == (1, True)


def test_a_plan_without_dns_is_applied_without_dns(folder: Path) -> None:
    assert run("plan", "mailstack.yaml", "--no-dns", "-o", "plan.json").exit_code == 2
    assert run("apply", "plan.json").exit_code == 1
    assert run("apply", "plan.json", "--no-dns").exit_code == 0


def test_an_edited_plan_is_refused(folder: Path) -> None:
    kept_plan()
    found = json.loads((folder / "plan.json").read_text())
    found["plan_hash"] = "0" * 64
    (folder / "plan.json").write_text(json.dumps(found))
    done = run("apply", "plan.json")
    assert (done.exit_code, "apply would do something else" in done.stderr) == (1, True)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [({"format": 99}, "was kept by another version"), ({"live_hash": None}, "is no whole plan: ")],
)
def test_a_plan_of_another_make_is_named(folder: Path, change: dict[str, object], complaint: str) -> None:
    kept_plan()
    found = json.loads((folder / "plan.json").read_text()) | change
    (folder / "plan.json").write_text(json.dumps({name: value for name, value in found.items() if value is not None}))
    done = run("apply", "plan.json")
    assert (done.exit_code, complaint in done.stderr) == (1, True), done.stderr


def test_a_spec_written_as_json_is_a_spec(folder: Path) -> None:
    (folder / "spec.json").write_text('{"server": {"hostname": "mail.example.com"}, "domains": {"example.com": {}}}')
    done = run("apply", "spec.json")
    assert "nobody can be asked here" in done.stderr


def test_where_it_cannot_be_kept_the_command_fails(folder: Path) -> None:
    done = run("plan", "mailstack.yaml", "-o", "missing/plan.json")
    assert done.exit_code == 1
    assert "missing" in done.stderr


WITH_PASSWORDS = f"""{SPEC}accounts:
  alice@example.com: {{password: env/ALICE_PASSWORD}}
  bob@example.com: {{password: env/BOB_PASSWORD}}
"""


@pytest.fixture
def passwords(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Alice is there already; bob is new."""
    monkeypatch.setenv("ALICE_PASSWORD", "open sesame")
    monkeypatch.setenv("BOB_PASSWORD", "correct horse")
    (folder / "mailstack.yaml").write_text(
        WITH_PASSWORDS.replace("  bob@example.com: {password: env/BOB_PASSWORD}\n", "")
    )
    assert run("apply", "--yes", "mailstack.yaml").exit_code == 0
    (folder / "mailstack.yaml").write_text(WITH_PASSWORDS)
    return folder


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("BOB_PASSWORD", "bob@example.com is another one than when the plan was made"),
        ("ALICE_PASSWORD", "alice@example.com would change too, and was not planned to"),
    ],
)
def test_a_secret_that_has_changed_at_its_source_is_refused_by_name(
    passwords: Path, monkeypatch: pytest.MonkeyPatch, name: str, told: str
) -> None:
    kept_plan()
    monkeypatch.setenv(name, "another one")
    done = run("apply", "plan.json")
    assert (done.exit_code, done.stderr) == (
        1,
        f"error: the password of account {told}; nothing was changed, plan again\n",
    )


def test_while_its_secrets_are_the_same_a_kept_plan_is_good_and_holds_nothing_to_guess_by(passwords: Path) -> None:
    kept_plan()
    text = (passwords / "plan.json").read_text()
    (field,) = (
        field for change in json.loads(text)["changes"] for field in change["fields"] if field["name"] == "password"
    )
    assert len(field["digest"]) == 64
    assert "correct horse" not in text
    # Another server's digest of the very same secret, in the very same spec, is another one.
    (passwords / "state").rename(passwords / "elsewhere")
    (passwords / "mailstack.yaml").write_text(SPEC)
    assert run("apply", "--yes", "mailstack.yaml").exit_code == 0
    (passwords / "mailstack.yaml").write_text(WITH_PASSWORDS)
    assert run("plan", "mailstack.yaml", "-o", "other.json").exit_code == 2
    assert field["digest"] not in (passwords / "other.json").read_text()
    shutil.rmtree(passwords / "state")
    (passwords / "elsewhere").rename(passwords / "state")
    shutil.rmtree(passwords / "zones")
    assert run("apply", "plan.json").exit_code == 1  # its DNS is another server's by now
    assert run("plan", "mailstack.yaml", "--no-dns", "-o", "plan.json").exit_code == 2
    assert run("apply", "--no-dns", "plan.json").exit_code == 0


def test_before_the_first_apply_it_is_said_that_secrets_are_not_compared(folder: Path) -> None:
    first = run("plan", "mailstack.yaml", "-o", "plan.json")
    assert "does not notice if a secret changes" in first.stderr
    assert run("apply", "plan.json").exit_code == 0
    (folder / "mailstack.yaml").write_text(SPEC + ALICE)
    assert run("plan", "mailstack.yaml", "-o", "plan.json").stderr == ""
