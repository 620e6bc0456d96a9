"""`mailstack tls` as it is typed. Orders that succeed are in tests/scenarios/test_certificates."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mailstack.cli.main import cli

HOST = "mail.example.com"
SPEC = """\
server: {hostname: mail.example.com}
storage: {path: state}
tls: {issuer: acme, acme: {directory: "https://127.0.0.1:1/dir"}}
domains: {example.com: {}}
dns: {caa: []}
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "mailstack.yaml"
    path.write_text(SPEC)
    return path


@pytest.fixture
def applied(spec: Path) -> Path:
    assert run("apply", "--yes", "--no-dns", str(spec)).exit_code == 0
    return spec


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


def test_the_certificates_are_listed_with_what_comes_next(applied: Path) -> None:
    (found,) = json.loads(run("tls", "list", "--format", "json", str(applied)).stdout)
    assert (found["name"], found["issuer"], found["failure"], found["renew_at"]) == (HOST, "self-signed", None, None)
    assert found["days_left"] > 800
    assert HOST in run("tls", "list", str(applied)).stdout


def test_before_the_first_apply_there_is_no_certificate(spec: Path) -> None:
    for arguments in (("list",), ("renew",)):
        result = run("tls", *arguments, str(spec))
        assert (result.exit_code, "nothing was applied yet" in result.stderr) == (1, True)


def test_where_nothing_failed_nothing_is_ordered(applied: Path) -> None:
    result = run("tls", "renew", str(applied))
    assert (result.exit_code, result.stdout) == (0, "Nothing to order: no certificate failed lately.\n")


def test_without_a_server_that_shows_proofs_the_order_is_left_to_it(applied: Path) -> None:
    result = run("tls", "renew", str(applied), HOST)
    assert (result.exit_code, result.stdout) == (0, f"certificate {HOST}: mailstack serve orders it when it runs\n")
    found = json.loads(run("tls", "renew", str(applied), HOST, "--format", "json").stdout)
    assert found == [{"name": HOST, "state": "left to serve"}]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("other.example",), "there is no certificate other.example (certificates: mail.example.com)"),
        (("--force",), "--force takes the NAME of one certificate"),
    ],
)
def test_what_cannot_be_renewed_is_told(applied: Path, arguments: tuple[str, ...], told: str) -> None:
    result = run("tls", "renew", str(applied), *arguments)
    assert (result.exit_code, told in result.stderr) == (1, True)


def test_an_edited_spec_is_for_apply(applied: Path) -> None:
    applied.write_text(SPEC + "aliases: {a@example.com: b@example.net}\n")
    result = run("tls", "renew", str(applied), HOST)
    assert (result.exit_code, "is not the spec that was applied last" in result.stderr) == (1, True)


def test_where_nobody_is_ordered_from_there_is_nothing_to_renew(tmp_path: Path) -> None:
    spec = tmp_path / "own.yaml"
    spec.write_text(
        SPEC.replace("issuer: acme, acme: {", "issuer: self-signed, acme: {").replace(
            'directory: "https://127.0.0.1:1/dir"', ""
        )
    )
    assert run("apply", "--yes", "--no-dns", str(spec)).exit_code == 0
    result = run("tls", "renew", str(spec), HOST)
    assert (result.exit_code, "tls.issuer is self-signed: there is nobody to order from" in result.stderr) == (1, True)
