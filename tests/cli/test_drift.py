"""`mailstack drift` as it is typed."""

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mailstack.cli.main import cli
from tests.support.dns_server import dns_server

SPEC = """\
server: {hostname: mail.example.com, addresses: [192.0.2.1]}
storage: {path: state}
domains: {example.com: }
accounts: {alice@example.com: }
dns:
  providers: {files: {class: mailstack.reconcile.dns.zone_file.ZoneFileProvider, directory: zones}}
  zones: {example.com: {provider: files}}
"""


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "mailstack.yaml"
    path.write_text(SPEC)
    assert run("apply", "--yes", str(path)).exit_code == 0
    return path


def edit_zone(spec: Path) -> None:
    zone = spec.parent / "zones" / "example.com.zone"
    zone.write_text(zone.read_text().replace("192.0.2.1", "192.0.2.9"))


def test_nothing_is_exit_status_0(spec: Path) -> None:
    result = run("drift", str(spec))
    assert (result.exit_code, result.stdout) == (0, "Nothing has drifted from generation 1.\n")


def test_drift_is_exit_status_2_and_told(spec: Path) -> None:
    edit_zone(spec)
    result = run("drift", str(spec))
    assert result.exit_code == 2
    assert "~ dns_record mail.example.com A  # not as it was applied\n" in result.stdout
    assert 'values = ["192.0.2.9"] -> ["192.0.2.1"]' in result.stdout
    found = json.loads(run("drift", str(spec), "--format", "json").stdout)
    assert [(change["name"], change["drift"]) for change in found["changes"]] == [("mail.example.com A", True)]


def test_an_edited_spec_is_told_of_and_no_drift(spec: Path) -> None:
    spec.write_text(SPEC.replace("192.0.2.1", "192.0.2.2"))
    result = run("drift", str(spec))
    assert result.exit_code == 0
    assert "`mailstack plan` shows what it asks for now" in result.stdout


def test_a_password_of_the_users_own_is_listed(spec: Path) -> None:
    CliRunner().invoke(cli, ["account", "password", str(spec), "alice@example.com", "--stdin"], input="correct horse")
    result = run("drift", str(spec))
    assert result.exit_code == 0
    assert "account alice@example.com: password is the user's own since " in result.stdout


def test_before_the_first_apply_it_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "mailstack.yaml"
    path.write_text(SPEC)
    result = run("drift", str(path))
    assert result.exit_code == 1
    assert "nothing was applied yet" in result.stderr


def test_faults_of_the_spec_are_1_here(spec: Path) -> None:
    spec.write_text("server: {}\n")
    assert run("drift", str(spec)).exit_code == 1


async def test_what_people_publish_is_looked_for_and_told(tmp_path: Path) -> None:
    path = tmp_path / "by-hand.yaml"
    async with dns_server({"zone.lan": {"MX": ["10 old.zone.lan."]}}) as server:
        zone = f"{{provider: manual, nameservers: [{server.endpoint}]}}"
        path.write_text(
            "server: {hostname: mail.zone.lan}\nstorage: {path: state}\n"
            f"domains: {{zone.lan: {{discovery: false}}}}\ndns: {{zones: {{zone.lan: {zone}}}}}\n"
        )
        await asyncio.to_thread(run, "apply", "--yes", "--no-dns", str(path))
        result = await asyncio.to_thread(run, "drift", str(path))
        as_json = await asyncio.to_thread(run, "drift", str(path), "--format", "json")
    assert (result.exit_code, as_json.exit_code) == (2, 2)
    assert "Not in DNS as it was asked for; whoever publishes it can put it right:\n" in result.stdout
    assert f"  zone.lan MX: there: 10 old.zone.lan. ({server.endpoint})\n" in result.stdout
    assert {item["standing"] for item in json.loads(as_json.stdout)["by_hand"]} == {"missing", "differs"}
