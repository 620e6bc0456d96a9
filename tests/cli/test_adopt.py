"""`mailstack adopt` as it is typed: after it, a plan is empty."""

import re
import shutil
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mailstack.app.received import Delivery, Received, draft, finish, hash_of_main
from mailstack.cli.main import cli
from mailstack.model.ids import Generation
from mailstack.model.instant import Instant

SPEC = """\
# our server
server: {hostname: mail.example.com, addresses: [192.0.2.1]}
storage: {path: state}
defaults: {account: {quota: 1GiB, limits: {recipients_per_day: 50}}}
domains:
  example.com: {dkim: {algorithms: [ed25519]}}   # the first
  second.example: {dkim: {algorithms: [ed25519]}, subaddress_separators: "-", catch_all: carol@second.example}
accounts:
  alice@example.com: {name: Alice, password: env/PW}
  bo@second.example: {spam: {junk_at: 4.5, reject_at: null, allow: ["*.good.example", 192.0.2.0/24]}}
  boy@second.example: {spam: off}
  bob@example.com: {password: env/PW, quota: 2GiB, addresses: [b@example.com], can: [receive, read], roles: [admin]}
  carol@second.example: {quota: null, limits: {recipients_per_hour: null, messages_per_day: 9}}
aliases:
  info@example.com: [alice@example.com, bob@example.com]
lists:
  team@example.com: {members: [alice@example.com, x@elsewhere.example], owners: alice@example.com, reply_to: list}
  news@example.com: {name: News, members: alice@example.com, post: [x@elsewhere.example], unsubscribe: false}
"""


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PW", "open sesame")
    path = tmp_path / "mailstack.yaml"
    path.write_text(SPEC)
    assert run("apply", "--yes", str(path)).exit_code == 0
    return path


def without(spec: Path, *starts: str) -> str:
    text = "".join(line for line in SPEC.splitlines(keepends=True) if not line.strip().startswith(starts))
    spec.write_text(text)
    return text


def assert_planned_empty(spec: Path) -> None:
    result = run("plan", str(spec))
    assert result.exit_code == 0, result.output
    assert "No changes." in result.stdout


def test_accounts_that_the_spec_lost_come_back_and_nothing_is_planned(spec: Path) -> None:
    rest = without(spec, "bo", "carol@", "second.example", "info@", "aliases", "team@", "news@", "lists")
    assert run("plan", str(spec)).exit_code == 2
    result = run("adopt", str(spec))
    assert (result.exit_code, result.stderr) == (0, "")
    assert_planned_empty(spec)
    text = spec.read_text()
    assert all(line in text for line in rest.splitlines())
    hashed = spec.parent / "secrets" / "bob@example.com.hash"
    assert hashed.read_text().startswith("$argon2id$")
    assert stat.S_IMODE(hashed.stat().st_mode) == 0o600
    assert "argon2id" not in text + result.output
    assert run("adopt", str(spec)).stdout == "Nothing to adopt: the spec has all that the server has.\n"


@pytest.mark.parametrize(
    ("section", "entry"),
    [("lists", "all@third.example: {members: alice@example.com}"), ("aliases", "us@third.example: alice@example.com")],
)
def test_what_is_no_account_comes_back_with_its_domain(spec: Path, section: str, entry: str) -> None:
    third = "domains:\n  third.example: {dkim: {algorithms: [ed25519]}}\n"
    spec.write_text(SPEC.replace("domains:\n", third).replace(f"{section}:\n", f"{section}:\n  {entry}\n"))
    assert run("apply", "--yes", str(spec)).exit_code == 0
    spec.write_text(SPEC)
    result = run("adopt", str(spec))
    assert result.exit_code == 0, result.output
    assert "third.example" in spec.read_text()
    assert_planned_empty(spec)


def test_only_those_that_are_named(spec: Path) -> None:
    without(spec, "bob@", "info@", "aliases")
    assert run("adopt", str(spec), "Bob@example.com").exit_code == 0
    assert "bob@example.com" in spec.read_text()
    assert "info@example.com" not in spec.read_text()


def test_what_the_server_does_not_have_cannot_be_adopted(spec: Path) -> None:
    before = spec.read_text()
    for name in ("nobody@example.com", "alice@example.com"):
        refused = run("adopt", str(spec), name)
        assert refused.exit_code == 1
        assert name in refused.stderr
    assert spec.read_text() == before


def test_a_password_of_the_users_own_stays_out_of_every_file(spec: Path) -> None:
    CliRunner().invoke(cli, ["account", "password", str(spec), "bob@example.com", "--stdin"], input="correct horse\n")
    without(spec, "bob@", "info@", "aliases")
    run("adopt", str(spec))
    assert "password" not in next(line for line in spec.read_text().splitlines() if line.strip().startswith("bob@"))
    assert not (spec.parent / "secrets").exists()
    assert_planned_empty(spec)


def test_a_file_of_its_own_is_part_of_the_spec_once_it_is_included(spec: Path) -> None:
    rest = without(spec, "bob@", "info@", "aliases")
    result = run("adopt", str(spec), "--out", str(spec.parent / "found.yaml"))
    assert "is no part of the spec until" in result.stdout
    assert spec.read_text() == rest
    spec.write_text(f"include: [found.yaml]\n{rest}")
    assert_planned_empty(spec)


def test_a_section_that_others_may_share_is_left_alone_and_the_way_on_is_told(spec: Path) -> None:
    rest = without(spec, "bob@").replace("accounts:\n", "accounts: &all\n").replace(", bob@example.com", "")
    spec.write_text(rest)
    refused = run("adopt", str(spec))
    assert (refused.exit_code, spec.read_text()) == (1, rest)
    assert "may share; --out FILE writes the entries to a file of their own" in refused.stderr


def test_a_file_that_is_there_is_not_written_over(spec: Path) -> None:
    without(spec, "bob@", "info@", "aliases")
    taken = spec.parent / "found.yaml"
    taken.write_text("# mine\n")
    refused = run("adopt", str(spec), "--out", str(taken))
    assert refused.exit_code == 1
    assert "name a new file" in refused.stderr
    assert taken.read_text() == "# mine\n"


def test_a_spec_that_came_from_afar_stays_one_and_says_so(spec: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rest = without(spec, "bob@", "info@", "aliases")
    received = Received(digest="any", main_hash=hash_of_main(rest.encode()), caller="token", at=Instant(1))
    delivery = Delivery(
        received=received,
        base=Generation(1),
        main=spec,
        files={spec.name: rest},
        former=[spec],
        certificates=[],
    )
    draft(spec.parent / "state", delivery)
    finish(spec.parent / "state", is_applied=True)
    adopted = run("adopt", str(spec))
    assert f"note: {spec} came by the API; put the new lines into it where it is kept" in adopted.stdout
    # Its references are read here as little as before, and what the server has stays.
    monkeypatch.setenv("PW", "another secret of this machine")
    assert_planned_empty(spec)


def test_before_the_first_apply_there_is_nothing_to_adopt(tmp_path: Path) -> None:
    path = tmp_path / "mailstack.yaml"
    path.write_text(SPEC)
    refused = run("adopt", str(path))
    assert refused.exit_code == 1
    assert "nothing was applied yet" in refused.stderr


ZONE_SPEC = """\
server: {hostname: mail.example.com, addresses: [192.0.2.1]}
storage: {path: state}
domains: {example.com: {dkim: {algorithms: [ed25519]}}}
dns:
  providers: {files: {class: mailstack.reconcile.dns.zone_file.ZoneFileProvider, directory: zones}}
  zones: {example.com: {provider: files}}
"""
ZONE = """\
$ORIGIN example.com.
@ 3600 IN SOA ns1 hostmaster 1 3600 600 604800 300
@ 3600 IN NS ns1
ns1 3600 IN A 127.0.0.1
@ 3600 IN MX 10 old.example.com.
@ 3600 IN TXT "v=spf1 mx -all"
@ 3600 IN TXT "site-verification=1"
www 3600 IN A 192.0.2.80
"""


@pytest.fixture
def zone(tmp_path: Path) -> Path:
    (tmp_path / "zones").mkdir()
    path = tmp_path / "zones" / "example.com.zone"
    path.write_text(ZONE)
    (tmp_path / "mailstack.yaml").write_text(ZONE_SPEC)
    return path


def test_a_record_of_another_hand_is_taken_over_and_then_changed(zone: Path) -> None:
    spec = zone.parents[1] / "mailstack.yaml"
    assert "exists and is not mailstack's" in run("apply", "--yes", str(spec)).stdout
    assert "MX 10 old.example.com." in zone.read_text()
    asked = run("adopt", str(spec), "--dns", "example.com", "@", "mx")
    assert asked.exit_code == 1
    assert "  example.com MX: 10 old.example.com." in asked.stdout
    chosen = ("--dns", "example.com", "@", "MX", "--dns", "example.com", "example.com", "TXT")
    adopted = run("adopt", str(spec), *chosen, "--yes")
    assert (adopted.exit_code, adopted.stderr) == (0, "")
    assert "MX 10 old.example.com." in zone.read_text()
    planned = run("plan", str(spec)).stdout
    assert '["10 old.example.com."] -> ["10 mail.example.com."]' in planned
    assert run("apply", "--yes", str(spec)).exit_code == 0
    held = zone.read_text()
    assert "old.example.com" not in held
    assert "v=spf1 mx -all" not in held
    assert "site-verification=1" in held
    assert "192.0.2.80" in held
    assert run("plan", str(spec)).exit_code == 0


def test_a_server_that_lost_its_state_takes_its_own_records_back(zone: Path) -> None:
    spec = zone.parents[1] / "mailstack.yaml"
    zone.write_text(
        ZONE.replace("@ 3600 IN MX 10 old.example.com.\n", "").replace('@ 3600 IN TXT "v=spf1 mx -all"\n', "")
    )
    run("apply", "--yes", str(spec))
    shutil.rmtree(spec.parent / "state")
    told = run("apply", "--yes", str(spec)).stdout
    assert "belongs to another mailstack server; left alone" in told
    owners = set(re.findall(r"owner=([0-9a-f]+)", zone.read_text()))
    assert len(owners) == 1
    adopted = run("adopt", str(spec), "--dns-owner", owners.pop(), "--yes")
    assert (adopted.exit_code, adopted.stderr) == (0, "")
    assert run("apply", "--yes", str(spec)).exit_code == 0
    assert_planned_empty(spec)
    assert run("adopt", str(spec), "--dns-wanted").stdout == "Nothing to take over.\n"


def test_a_zone_is_told_of_its_own_records_alone(zone: Path) -> None:
    spec = zone.parents[1] / "mailstack.yaml"
    spec.write_text(spec.read_text().replace("zones: {", "zones: {example.org: {provider: files}, ", 1))
    (zone.parent / "example.org.").write_text(ZONE)
    run("apply", "--yes", str(spec))
    assert "Warning" not in run("adopt", str(spec), "--dns", "example.com", "@", "MX", "--yes").stdout
    refused = run("adopt", str(spec), "--dns", "example.net", "@", "MX", "--yes")
    assert (refused.exit_code, "it has one for: example.com, example.org" in refused.stderr) == (1, True)


def test_what_the_spec_does_not_want_is_not_taken_over(zone: Path) -> None:
    spec = zone.parents[1] / "mailstack.yaml"
    run("apply", "--yes", str(spec))
    before = zone.read_text()
    told = run("adopt", str(spec), "--dns", "example.com", "www", "A", "--yes").stdout
    assert "dns_record www.example.com A: the spec asks for no such record" in told
    assert zone.read_text() == before


def test_an_account_comes_back_with_its_script_as_a_file(tmp_path: Path) -> None:
    spec, folder = tmp_path / "mailstack.yaml", tmp_path / "sieve"
    head = "server: {hostname: mail.example.com}\nstorage: {path: state}\ndomains: {example.com: }\naccounts:\n"
    (tmp_path / "a.sieve").write_text("# a\nkeep;\n")
    script = "  alice@example.com: {sieve: {file: a.sieve}}\n"
    spec.write_text(f"{head}{script}  bob@example.com: {{rules: [{{name: all, then: keep}}]}}\n  carol@example.com:\n")
    assert run("apply", "--yes", str(spec)).exit_code == 0
    spec.write_text(f"{head}  carol@example.com:\n")
    assert run("plan", str(spec)).exit_code == 2
    folder.mkdir()
    (folder / "bob@example.com.sieve").write_text("# another\n")
    refused = run("adopt", str(spec))
    assert (refused.exit_code, "holds something else" in refused.stderr) == (1, True)
    assert [path.name for path in folder.iterdir()] == ["bob@example.com.sieve"]
    (folder / "bob@example.com.sieve").unlink()
    assert run("adopt", str(spec)).exit_code == 0
    assert (folder / "bob@example.com.sieve").read_text().endswith("# rule: all\nkeep;\n")
    assert (folder / "alice@example.com.sieve").read_text() == "# a\nkeep;\n"
    assert_planned_empty(spec)
