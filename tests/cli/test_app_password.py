"""`mailstack app-password` as it is typed."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from mailstack.cli.main import cli
from mailstack.model.app_password import digest_of

ALICE = "alice@example.com"
HASH = f"$2b$12${'a' * 53}"
SPEC = f"""
server: {{hostname: mail.example.com}}
storage: {{path: state}}
domains: {{example.com: }}
accounts:
  alice@example.com: {{password: {HASH}, addresses: [a@example.com]}}
  bob@example.com: {{password: {HASH}}}
  shared@example.com:
"""


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("applied") / "mailstack.yaml"
    path.write_text(SPEC)
    done = run("apply", "--yes", str(path))
    assert done.exit_code == 0, done.output
    return path


@pytest.fixture
def spec(applied: Path) -> Path:
    """With no app passwords."""
    for one in listed(applied):
        assert run("app-password", "revoke", str(applied), one["account"], one["id"]).exit_code == 0
    return applied


def listed(spec: Path, *addresses: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(
        run("app-password", "list", str(spec), *addresses, "--format", "json").stdout
    )
    return found


def create(spec: Path, address: str = ALICE, *more: str, name: str = "phone") -> Result:
    return run("app-password", "create", str(spec), address, "--name", name, *more)


def test_the_secret_alone_is_printed_and_never_again(spec: Path) -> None:
    made = create(spec, "a@example.com")
    assert made.exit_code == 0, made.output
    text = made.stdout.strip()
    assert digest_of(text)
    (found,) = listed(spec)
    assert f"app password {found['id']} of {ALICE} is for imap, jmap, managesieve, submission and never" in made.stderr
    assert text not in made.stderr
    assert (found["account"], found["name"], found["used_at"]) == (ALICE, "phone", None)
    assert found["for"] == ["imap", "jmap", "managesieve", "submission"]
    assert text not in run("app-password", "list", str(spec)).output
    for file in (spec.parent / "state").rglob("*"):
        assert not file.is_file() or text.encode() not in file.read_bytes()


def test_it_can_be_made_for_a_program_and_for_a_while(spec: Path) -> None:
    more = ("--for", "jmap", "--for", "imap", "--expires", "90d", "--format", "json")
    made = json.loads(create(spec, ALICE, *more).stdout)
    assert made["for"] == ["imap", "jmap"]
    assert made["expires_at"] > made["created_at"]
    assert digest_of(made["secret"])


def test_those_of_one_account_are_listed_or_all(spec: Path) -> None:
    for address in (ALICE, "bob@example.com"):
        create(spec, address)
    assert {one["account"] for one in listed(spec)} == {ALICE, "bob@example.com"}
    assert {one["account"] for one in listed(spec, "bob@example.com")} == {"bob@example.com"}
    assert "bob@example.com" in run("app-password", "list", str(spec)).stdout
    assert run("app-password", "list", str(spec), "shared@example.com").stdout == "app passwords: none\n"


def test_revoking_is_said_and_is_for_ever(spec: Path) -> None:
    create(spec)
    (found,) = listed(spec)
    assert run("app-password", "revoke", str(spec), "bob@example.com", found["id"]).exit_code == 1
    revoked = run("app-password", "revoke", str(spec), ALICE, found["id"])
    assert (revoked.exit_code, revoked.stdout) == (0, f"revoked {found['id']} (phone) of {ALICE}\n")
    assert listed(spec) == []
    again = run("app-password", "revoke", str(spec), ALICE, found["id"])
    assert (again.exit_code, again.stderr) == (1, f"error: the account has no app password {found['id']}\n")


@pytest.mark.parametrize(
    ("address", "more", "told"),
    [
        (ALICE, ("--for", "pop3"), "'pop3' is not one of"),
        (ALICE, ("--expires", "tomorrow"), "not a duration"),
        (ALICE, ("--expires", "0s"), "cannot end before it begins"),
        (ALICE, ("--name", "a\nb"), "printable"),
        ("nobody@example.com", (), "there is no account nobody@example.com"),
        ("shared@example.com", (), "has no password, so nobody logs in to it"),
    ],
)
def test_a_faulty_order_makes_none(spec: Path, address: str, more: tuple[str, ...], told: str) -> None:
    made = create(spec, address, *more)
    assert made.exit_code != 0
    assert told in made.stderr
    assert listed(spec) == []


def test_no_plan_sees_them_and_no_apply_touches_them(spec: Path) -> None:
    create(spec)
    create(spec, "bob@example.com", name="of Bob")
    assert json.loads(run("plan", str(spec), "--format", "json").stdout)["changes"] == []
    try:
        moved = "moved: [{from: bob@example.com, to: robert@example.com}]\n"
        spec.write_text(SPEC.replace("bob@example.com:", "robert@example.com:") + moved)
        assert run("apply", "--yes", str(spec)).exit_code == 0
        assert [(one["account"], one["name"]) for one in listed(spec)] == [
            (ALICE, "phone"),
            ("robert@example.com", "of Bob"),
        ]
    finally:
        moved_back = "moved: [{from: robert@example.com, to: bob@example.com}]\n"
        spec.write_text(SPEC + moved_back)
        run("apply", "--yes", str(spec))


def test_before_the_first_apply_there_is_nobody_to_make_one_for(tmp_path: Path) -> None:
    path = tmp_path / "mailstack.yaml"
    path.write_text(SPEC)
    made = create(path)
    assert made.exit_code == 1
    assert "nothing was applied yet" in made.stderr
