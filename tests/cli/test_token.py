"""`mailstack token` as it is typed."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mailstack.cli.main import cli
from mailstack.model.token import token_id_of

SPEC = "server: {hostname: mail.example.com}\nstorage: {path: state}\ndomains: {example.com: }\n"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "mailstack.yaml"
    path.write_text(SPEC)
    assert run("apply", "--yes", str(path)).exit_code == 0
    return path


def test_the_secret_alone_is_printed_and_never_again(spec: Path) -> None:
    made = run("token", "create", str(spec), "--can", "plan", "--name", "pull-requests")
    assert made.exit_code == 0, made.output
    text = made.stdout.strip()
    token_id = token_id_of(text)
    assert f"token {token_id} may plan and ends on " in made.stderr
    assert text not in made.stderr
    listed = run("token", "list", str(spec), "--format", "json")
    (found,) = json.loads(listed.stdout)
    assert (found["id"], found["name"], found["can"], found["maker"]) == (token_id, "pull-requests", ["plan"], "")
    assert text not in listed.output
    assert text not in run("token", "list", str(spec)).output
    for file in (spec.parent / "state").rglob("*"):
        assert not file.is_file() or text.encode() not in file.read_bytes()


def test_it_can_be_made_for_a_program_and_for_ever(spec: Path) -> None:
    scopes = ("--can", "plan", "--can", "apply", "--can", "state")
    made = json.loads(run("token", "create", str(spec), *scopes, "--expires", "never", "--format", "json").stdout)
    assert made["can"] == ["apply", "plan", "state"]
    assert made["expires_at"] is None
    assert token_id_of(made["secret"]) == made["id"]


def test_revoking_is_said_and_shown(spec: Path) -> None:
    text = run("token", "create", str(spec), "--can", "plan").stdout.strip()
    revoked = run("token", "revoke", str(spec), token_id_of(text))
    assert (revoked.exit_code, revoked.stdout) == (0, f"revoked {token_id_of(text)}\n")
    (found,) = json.loads(run("token", "list", str(spec), "--format", "json").stdout)
    assert found["revoked_at"] is not None


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--can", "everything"), "'everything' is not one of"),
        ((), "Missing option '--can'"),
        (("--can", "plan", "--expires", "tomorrow"), "not a duration"),
        (("--can", "plan", "--name", "a\nb"), "printable"),
        (("--can", "plan", "--expires", "0s"), "cannot end before it begins"),
    ],
)
def test_a_faulty_order_makes_no_token(spec: Path, arguments: tuple[str, ...], told: str) -> None:
    made = run("token", "create", str(spec), *arguments)
    assert made.exit_code != 0
    assert told in made.stderr
    assert json.loads(run("token", "list", str(spec), "--format", "json").stdout) == []


def test_a_token_that_is_not_there_cannot_be_revoked(spec: Path) -> None:
    assert run("token", "revoke", str(spec), "nobody").exit_code == 1


def test_before_the_first_apply_there_is_nothing_to_make_a_token_for(tmp_path: Path) -> None:
    path = tmp_path / "mailstack.yaml"
    path.write_text(SPEC)
    assert "nothing was applied yet" in run("token", "create", str(path), "--can", "plan").stderr
    assert json.loads(run("token", "list", str(path), "--format", "json").stdout) == []
