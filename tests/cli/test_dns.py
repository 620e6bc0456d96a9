"""`mailstack dns` as it is typed, against a name server on loopback and zone files."""

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mailstack.cli.main import cli
from tests.support.dns_server import DnsServer, dns_server

ZONE = "zone.lan"
SPEC = """\
server: {{hostname: mail.zone.lan}}
storage: {{path: state}}
domains: {{zone.lan: {{discovery: false}}}}
dns:
  zones: {{zone.lan: {{provider: manual, nameservers: ["127.0.0.1:{port}"]}}}}
"""
FILES = """\
server: {hostname: mail.example.com}
storage: {path: state}
domains: {example.com: }
dns:
  providers: {files: {class: mailstack.reconcile.dns.zone_file.ZoneFileProvider, directory: zones}}
  zones: {example.com: {provider: files}}
"""


@pytest.fixture
def server() -> Iterator[DnsServer]:
    """In a thread of its own: commands have loops of their own."""
    ready: list[DnsServer] = []
    started, stop = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        async with dns_server({}) as running:
            ready.append(running)
            started.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        assert started.wait(timeout=30)
        yield ready[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(timeout=30)
        loop.close()


@pytest.fixture
def spec(tmp_path: Path, server: DnsServer) -> Path:
    path = tmp_path / "mailstack.yaml"
    path.write_text(SPEC.format(port=server.port))
    return path


@pytest.fixture
def files(tmp_path: Path) -> Path:
    path = tmp_path / "files.yaml"
    path.write_text(FILES)
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


def publish(server: DnsServer, spec: Path) -> None:
    """Every record that the spec asks for, by hand."""
    for record in json.loads(run("dns", "show", spec, "--format", "json").stdout):
        held = dict(server.names.get(record["name"], {}))
        held[record["type"]] = [f'"{v}"' if record["type"] == "TXT" else v for v in record["values"]]
        server.names[record["name"]] = held


def cut(server: DnsServer) -> None:
    """Keys of RSA are longer than one string of TXT may be."""
    for name, held in server.names.items():
        server.names[name] = {
            kind: ['"' + '" "'.join(v[1:-1][at : at + 200] for at in range(0, len(v), 200)) + '"' for v in values]
            if kind == "TXT"
            else values
            for kind, values in held.items()
        }


def applied(spec: Path) -> None:
    assert run("apply", spec, "--yes", "--no-dns").exit_code == 0


def test_show_has_every_record_before_anything_was_applied(spec: Path) -> None:
    result = run("dns", "show", spec)
    assert result.exit_code == 0
    assert "by hand" in result.stdout
    assert "v=DKIM1; k=ed25519; p=(known after apply)" in result.stdout


def test_show_is_lines_of_a_zone_file(spec: Path) -> None:
    applied(spec)
    lines = run("dns", "show", spec, "--format", "bind").stdout.splitlines()
    assert any(line.split() == ["zone.lan.", "3600", "IN", "MX", "10", "mail.zone.lan."] for line in lines)
    assert not any("known after apply" in line for line in lines)


@pytest.mark.parametrize("command", ["show", "check"])
def test_a_domain_without_a_record_is_no_domain_that_is_well(spec: Path, command: str) -> None:
    refused = run("dns", command, spec, "--domain", "example.con")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "the spec asks for no record in example.con" in refused.stderr


def test_show_can_be_narrowed_to_a_domain(tmp_path: Path) -> None:
    path = tmp_path / "two.yaml"
    path.write_text("server: {hostname: mail.example.com}\ndomains: {example.com: , example.org: }\n")
    found = json.loads(run("dns", "show", path, "--domain", "Example.ORG", "--format", "json").stdout)
    assert {record["name"].removesuffix("example.org") for record in found} >= {"", "_dmarc."}
    assert all(record["name"].endswith("example.org") for record in found)
    assert {record["published_by"] for record in found} == {"by hand"}


def test_check_finds_everything_missing_and_ends_with_2(spec: Path) -> None:
    applied(spec)
    result = run("dns", "check", spec)
    assert result.exit_code == 2
    assert "0 of 6 record sets are as they should be." in result.stdout


def test_check_of_what_is_live_ends_with_0(server: DnsServer, spec: Path) -> None:
    applied(spec)
    publish(server, spec)
    cut(server)
    result = run("dns", "check", spec, "--format", "json")
    found = json.loads(result.stdout)
    assert {record["standing"] for record in found["records"]} == {"present"}
    assert result.exit_code == 0


def test_check_tells_what_is_there_instead(server: DnsServer, spec: Path) -> None:
    applied(spec)
    publish(server, spec)
    cut(server)
    server.names[ZONE] = {**server.names[ZONE], "MX": ["10 old.zone.lan."]}
    result = run("dns", "check", spec, "--domain", "zone.lan", "--format", "json")
    assert result.exit_code == 2
    (wrong,) = [record for record in json.loads(result.stdout)["records"] if record["standing"] != "present"]
    assert (wrong["name"], wrong["type"], wrong["standing"]) == (ZONE, "MX", "differs")
    assert wrong["servers"][0]["told"] == "there: 10 old.zone.lan."


def test_check_of_servers_that_do_not_answer_is_an_error(server: DnsServer, spec: Path) -> None:
    applied(spec)
    server.failing |= {record["name"] for record in json.loads(run("dns", "show", spec, "--format", "json").stdout)}
    result = run("dns", "check", spec)
    assert result.exit_code == 1
    assert "answers SERVFAIL" in result.stdout


def test_faults_of_the_spec_are_1_where_2_means_something_else(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text("server: {hostname: mail.example.com}\ndomains: {example.com: {dkimm: }}\n")
    assert [run("dns", word, path).exit_code for word in ("show", "check", "plan", "apply")] == [2, 1, 1, 2]


def test_apply_is_refused_where_the_state_is_behind(files: Path) -> None:
    result = run("dns", "apply", files, "--yes")
    assert result.exit_code == 1
    assert "`mailstack apply` does both" in result.stderr
    assert not (files.parent / "zones").exists()
    assert "its state is behind the spec" in run("dns", "plan", files).stdout


def test_apply_publishes_what_the_state_has_and_nothing_else(files: Path) -> None:
    applied(files)
    before = run("apply", files, "--yes", "--no-dns", "--format", "json").stdout
    assert run("dns", "plan", files).exit_code == 2
    result = run("dns", "apply", files, "--yes")
    assert (result.exit_code, "Published: " in result.stdout) == (0, True)
    assert "v=spf1" in (files.parent / "zones" / "example.com.zone").read_text()
    assert run("dns", "plan", files).exit_code == 0
    assert run("plan", files).exit_code == 0
    assert (
        json.loads(run("apply", files, "--yes", "--no-dns", "--format", "json").stdout)["generation"]
        == (json.loads(before)["generation"])
    )


def test_a_second_apply_has_nothing_to_do(files: Path) -> None:
    assert run("apply", files, "--yes").exit_code == 0
    result = run("dns", "apply", files, "--format", "json")
    assert (result.exit_code, json.loads(result.stdout)["plan"]["changes"]) == (0, [])


def test_nobody_is_asked_without_yes(files: Path) -> None:
    applied(files)
    result = run("dns", "apply", files)
    assert result.exit_code == 1
    assert not (files.parent / "zones").exists()


LOST = FILES.replace(
    "{class: mailstack.reconcile.dns.zone_file.ZoneFileProvider, directory: zones}",
    "{class: octodns_bind.Rfc2136Provider, host: 127.0.0.1, port: 1, timeout: 1}",
)


@pytest.fixture
def lost(tmp_path: Path) -> Path:
    """The spec without a zone that the server remembers, and that nobody serves."""
    path = tmp_path / "lost.yaml"
    path.write_text(LOST)
    applied(path)
    path.write_text(LOST.replace("  zones: {example.com: {provider: files}}\n", ""))
    return path


def test_a_zone_that_its_provider_lost_stops_a_plan_which_says_how_to_go_on(lost: Path) -> None:
    result = run("plan", lost)
    assert result.exit_code == 1
    assert "`mailstack dns forget SPEC example.com`" in result.stderr


def test_a_forgotten_zone_is_asked_for_no_more(lost: Path) -> None:
    result = run("dns", "forget", lost, "Example.COM", "--yes")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "- dns_zone example.com  # forgotten, without asking its provider" in result.stdout
    assert result.stdout.endswith("forgotten example.com\n")
    plan = json.loads(run("plan", lost, "--format", "json").stdout)
    assert not [change for change in plan["changes"] if change["kind"].startswith("dns")]
    assert run("apply", lost, "--yes").exit_code == 0
    again = run("dns", "forget", lost, "example.com", "--yes")
    assert (again.exit_code, "is no zone that this server remembers" in again.stderr) == (1, True)


def test_nothing_is_forgotten_without_a_yes_or_while_the_spec_names_it(lost: Path) -> None:
    refused = run("dns", "forget", lost, "example.com")
    assert (refused.exit_code, "nobody can be asked here" in refused.stderr) == (1, True)
    assert run("plan", lost).exit_code == 1
    lost.write_text(LOST)
    named = run("dns", "forget", lost, "example.com", "--yes")
    assert (named.exit_code, "take it out" in named.stderr) == (1, True)


def test_forgetting_for_programs_is_its_plan(lost: Path) -> None:
    found = json.loads(run("dns", "forget", lost, "example.com", "--yes", "--format", "json").stdout)
    assert [change["operation"] for change in found["plan"]["changes"]] == ["destroy"]
