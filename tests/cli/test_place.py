"""`dns` and `dkim` with `--state`: of a sandbox, its keys, its records and its zone files."""

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mailstack.app.clock import system_clock
from mailstack.app.reconcilers import sandbox_reconciler
from mailstack.app.sandbox import SandboxJob, account_passwords, harmless
from mailstack.app.sandbox_state import zones_folder
from mailstack.app.silence import Silence
from mailstack.cli.main import cli
from mailstack.reconcile.awaiting import until_seen
from mailstack.spec.load import load_spec
from mailstack.store.sqlite.open import open_store

SPEC = """\
server: {hostname: mail.example.com, addresses: [203.0.113.10]}
storage: {path: nowhere}
domains: {example.com: {mta_sts: {mode: testing}}, example.org: }
accounts: {alice@example.com: {password: env/NOT_SET_HERE}}
dns:
  providers: {bind: {class: octodns_bind.Rfc2136Provider, host: 203.0.113.53, key_name: k, key_secret: env/NOT_SET}}
  zones: {example.com: {provider: bind}, example.org: {provider: manual}}
"""
BASE_PORT = 31_000


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "mailstack.yaml"
    path.write_text(SPEC)
    return path


@pytest.fixture
def state(spec: Path) -> Path:
    """Of a sandbox of the spec, as `mailstack sandbox` leaves it."""
    folder = spec.parent / "sandbox"
    folder.mkdir()
    asyncio.run(_applied(spec, SandboxJob(state=str(folder), base_port=BASE_PORT, outbound=("127.0.0.1", 1025))))
    return folder


async def _applied(spec: Path, job: SandboxJob) -> None:
    loaded = harmless(load_spec(spec), job)
    store = await open_store(Path(job.state), clock=system_clock, bus=Silence())
    try:
        made = sandbox_reconciler(store, job, account_passwords(loaded.spec.accounts, job))
        for _ in range(2):
            await made.apply(await made.plan(loaded))
            await until_seen(made, loaded)
    finally:
        await store.close()


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


def test_its_records_are_shown_with_the_ports_that_it_has_and_all_in_zone_files(spec: Path, state: Path) -> None:
    result = run("dns", "show", spec, "--state", state, "--format", "json")
    found = {(item["name"], item["type"]): item for item in json.loads(result.stdout)}
    assert found["_imaps._tcp.example.com", "SRV"]["values"] == [f"0 1 {BASE_PORT + 993} mail.example.com."]
    assert {item["published_by"] for item in found.values()} == {"zonefiles"}
    assert "p=(known after apply)" not in result.stdout


def test_its_zone_files_are_what_is_looked_at(spec: Path, state: Path) -> None:
    assert run("dns", "check", spec, "--state", state).exit_code == 0
    zone = zones_folder(state) / "example.org.zone"
    zone.write_text("\n".join(line for line in zone.read_text().splitlines() if " MX " not in line) + "\n")
    result = run("dns", "check", spec, "--state", state, "--format", "json")
    wrong = [
        (item["name"], item["type"]) for item in json.loads(result.stdout)["records"] if item["standing"] != "present"
    ]
    assert (result.exit_code, wrong) == (2, [("example.org", "MX")])


def test_what_somebody_changed_in_them_is_planned_and_put_right(spec: Path, state: Path) -> None:
    before = run("dns", "plan", spec, "--state", state)
    assert (before.exit_code, before.stderr) == (0, "")
    zone = zones_folder(state) / "example.org.zone"
    text = zone.read_text()
    zone.write_text(text.replace("10 mail.example.com.", "20 mail.example.com."))
    plan = json.loads(run("dns", "plan", spec, "--state", state, "--format", "json").stdout)
    assert [change["name"] for change in plan["changes"]] == ["example.org MX"]
    result = run("dns", "apply", spec, "--state", state, "--yes")
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "Published: 1 record set.")
    assert "10 mail.example.com." in zone.read_text()
    assert not (spec.parent / "nowhere").exists()


def test_its_keys_are_listed_with_what_its_files_show_and_exported(spec: Path, state: Path) -> None:
    found = json.loads(run("dkim", "list", spec, "--state", state, "--format", "json").stdout)
    assert {(key["state"], key["dns"]) for key in found} == {("signs", "seen at zone file")}
    exported = run("dkim", "export", spec, "example.org", "--state", state)
    assert (exported.exit_code, exported.stdout.count("v=DKIM1")) == (0, 2)


def test_its_keys_can_be_rotated(spec: Path, state: Path) -> None:
    result = run("dkim", "rotate", spec, "example.org", "--algorithm", "ed25519", "--state", state)
    assert result.exit_code == 0
    listed = json.loads(run("dkim", "list", spec, "--state", state, "--no-dns", "--format", "json").stdout)
    assert next(key["next"] for key in listed if key["domain"] == "example.org") == "is followed by another, as asked"


@pytest.mark.parametrize(
    "command", [("dns", "show"), ("dns", "check"), ("dns", "plan"), ("dns", "apply"), ("dkim", "list")]
)
def test_a_folder_without_a_sandbox_is_an_error(spec: Path, tmp_path: Path, command: tuple[str, ...]) -> None:
    result = run(*command, spec, "--state", tmp_path / "empty")
    assert (result.exit_code, "nothing was applied yet" in result.stderr) == (1, True)


def test_a_servers_own_storage_is_no_sandbox(tmp_path: Path) -> None:
    path = tmp_path / "server.yaml"
    path.write_text("server: {hostname: mail.example.com}\nstorage: {path: state}\ndomains: {example.com: }\n")
    assert run("apply", path, "--yes", "--no-dns").exit_code == 0
    result = run("dns", "plan", path, "--state", tmp_path / "state")
    assert (result.exit_code, "is not the folder of a sandbox" in result.stderr) == (1, True)
