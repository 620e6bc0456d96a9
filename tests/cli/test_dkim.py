"""`mailstack dkim` as it is typed."""

import json
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mailstack.cli.main import cli
from mailstack.mailauth.dkim.keys import pair_of

SPEC = """\
server: {hostname: mail.example.com}
storage: {path: state}
domains:
  example.com: {dkim: {rotate_every: 90d}}
"""
NAME = "ed25519-1._domainkey.example.com"


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "mailstack.yaml"
    path.write_text(SPEC)
    return path


@pytest.fixture
def applied(spec: Path) -> Path:
    assert run("apply", "--yes", str(spec)).exit_code == 0
    return spec


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


def states(spec: Path) -> dict[str, tuple[str, str]]:
    found = json.loads(run("dkim", "list", "--no-dns", "--format", "json", str(spec)).stdout)
    return {key["selector"]: (key["state"], key["next"]) for key in found}


def test_the_keys_are_listed_with_what_comes_next(applied: Path) -> None:
    found = json.loads(run("dkim", "list", "--format", "json", str(applied)).stdout)
    assert [(key["domain"], key["selector"], key["state"]) for key in found] == [
        ("example.com", "ed25519-1", "published"),
        ("example.com", "rsa2048-1", "published"),
    ]
    assert found[0]["next"] == "signs once its record is seen"
    assert "not asked" in found[0]["dns"]  # example.com is kept for documentation
    assert "ed25519-1" in run("dkim", "list", str(applied)).stdout


def test_before_the_first_apply_there_is_no_key(spec: Path) -> None:
    for arguments in (("list",), ("rotate", "example.com"), ("export", "example.com")):
        result = run("dkim", arguments[0], str(spec), *arguments[1:])
        assert (result.exit_code, "nothing was applied yet" in result.stderr) == (1, True)


def test_a_key_that_takes_over_anyway_cannot_be_hurried(applied: Path) -> None:
    result = run("dkim", "rotate", str(applied), "example.com")
    assert result.exit_code == 1
    assert "takes over as soon as it is" in result.stderr


def test_a_key_that_is_trusted_no_more_goes_with_the_next_apply(applied: Path) -> None:
    result = run("dkim", "rotate", str(applied), "Example.com", "--algorithm", "ed25519", "--now")
    assert result.exit_code == 0, result.stderr
    assert result.stdout == f"{NAME}: goes with the next apply\n"
    assert states(applied)["ed25519-1"] == ("published", "goes with the next apply")
    # The request is no change of the spec.
    assert json.loads(run("status", str(applied), "--format", "json").stdout)["spec"] == "as applied"
    plan = run("plan", str(applied)).stdout
    assert "- dkim_key ed25519-1._domainkey.example.com  # is to be trusted no more" in plan
    assert run("apply", "--yes", str(applied)).exit_code == 0
    assert set(states(applied)) == {"ed25519-3", "rsa2048-1"}


def test_an_unknown_domain_has_no_key_to_rotate(applied: Path) -> None:
    result = run("dkim", "rotate", str(applied), "example.net")
    assert (result.exit_code, "no DKIM key of example.net" in result.stderr) == (1, True)


def test_export_prints_records_as_a_zone_file_has_them(applied: Path) -> None:
    lines = run("dkim", "export", str(applied), "example.com").stdout.splitlines()
    assert [line.split()[0] for line in lines] == [f"{NAME}.", "rsa2048-1._domainkey.example.com."]
    assert ' IN TXT "v=DKIM1; k=ed25519; p=' in lines[0]


def test_a_private_key_goes_into_a_new_file_that_nobody_else_reads(applied: Path, tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    arguments = ("dkim", "export", str(applied), "example.com", "--private", str(file))
    assert "which one?" in run(*arguments).stderr
    result = run(*arguments, "--selector", "ed25519-1")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "can sign as example.com" in result.stderr
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    public = pair_of("ed25519", file.read_text()).public_key
    assert public in run("dkim", "export", str(applied), "example.com").stdout
    assert "is there already; name a new file" in run(*arguments, "--selector", "ed25519-1").stderr
    assert "selectors: ed25519-1, rsa2048-1" in run(*arguments, "--selector", "nope").stderr
