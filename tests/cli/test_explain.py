"""`mailstack explain` as it is typed: every kind of mail has its exact output, as text and as JSON."""

import asyncio
import json
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mailstack.app.build import experience_in
from mailstack.app.clock import system_clock
from mailstack.app.silence import Silence
from mailstack.cli.explain import command
from mailstack.cli.main import cli
from mailstack.cli.schema import schema_text
from mailstack.model.instant import DAY_MS, Instant, as_datetime
from mailstack.model.script import ScriptQuota
from mailstack.model.sieve_memory import Purpose
from mailstack.model.verdict import DkimResult, DmarcResult, IprevResult, SpfResult
from mailstack.model.warm_up import day_of
from mailstack.services.spam.correspondents import Arrived
from mailstack.spam.correspondent import Correspondent
from mailstack.spam.sender import Sender
from mailstack.store.sqlite.open import open_store
from tests.support.dns_server import dns_server_beside
from tests.support.golden_spec import agrees
from tests.support.stores import account_of

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "explain.md"
MAILS = ROOT / "tests" / "data" / "explain"
KINDS = sorted(folder for folder in MAILS.iterdir() if folder.is_dir())

SPEC = """\
server: {hostname: mail.example.com}
domains: {example.com: }
accounts: {alice@example.com: }
"""
MAIL = "Return-Path: <x@sender.test>\r\nFrom: x@sender.test\r\nTo: alice@example.com\r\n\r\nhello\r\n"


def run(*arguments: str, standard_input: str = "") -> Result:
    return CliRunner().invoke(command, arguments, input=standard_input)


def explained(folder: Path, monkeypatch: pytest.MonkeyPatch, *options: str) -> Result:
    """As typed in that folder, with the spec that lies beside the mail or above it."""
    monkeypatch.chdir(folder)
    spec = "spec.yaml" if Path("spec.yaml").exists() else "../spec.yaml"
    return run(spec, "mail.eml", "--dns", "dns.zone", *shlex.split(Path("arguments").read_text()), *options)


@pytest.mark.parametrize("folder", KINDS, ids=lambda folder: folder.name)
def test_what_people_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = explained(folder, monkeypatch, "--verbose")
    assert result.stderr == ""
    assert agrees(folder / "expected.txt", f"{result.stdout}exit {result.exit_code}\n")


@pytest.mark.parametrize("folder", KINDS, ids=lambda folder: folder.name)
def test_what_programs_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = explained(folder, monkeypatch, "--format", "json")
    assert agrees(folder / "expected.json", result.stdout)
    assert result.exit_code == (json.loads(result.stdout)["verdict"] != "accepted")


def test_the_page_has_every_check_and_fact() -> None:
    rows = dict(re.findall(r"^\| `([a-z ]+)` \|(.*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    shown = [json.loads((folder / "expected.json").read_text()) for folder in KINDS]
    findings = [finding for found in shown for step in found["steps"] for finding in step["findings"]]
    assert {finding["check"] for finding in findings} <= rows.keys()
    for finding in findings:
        row = rows[finding["check"]]
        told = [name for name in finding["facts"] if f"`{name}`" not in row and finding["check"] != "blocklists"]
        assert not told, f"{finding['check']}: {told}"


def test_the_schema_is_the_one_that_is_kept() -> None:
    assert (ROOT / "schemas" / "explanation.schema.json").read_text(encoding="utf-8") == schema_text("explanation")


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "spec.yaml"
    path.write_text(SPEC)
    (tmp_path / "dns.zone").write_text("")
    return path


@pytest.mark.usefixtures("spec")
def test_the_mail_may_come_by_standard_input() -> None:
    result = run("spec.yaml", "-", "--from", "192.0.2.1", "--dns", "dns.zone", standard_input=MAIL)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "stored: alice@example.com: INBOX\n" in result.stdout


@pytest.mark.usefixtures("spec")
def test_a_large_mail_is_explained_as_a_small_one() -> None:
    large = MAIL + "a line of text\r\n" * 200_000
    result = run("spec.yaml", "-", "--from", "192.0.2.1", "--dns", "dns.zone", standard_input=large)
    assert result.exit_code == 0, result.output
    assert "stored: alice@example.com: INBOX" in result.stdout


@pytest.mark.usefixtures("spec")
def test_an_option_counts_before_what_the_mail_says() -> None:
    options = ("--helo", "mx.other.test", "--mail-from", "<>", "--rcpt", "alice+x@example.com")
    result = run("spec.yaml", "-", "--from", "2001:db8::1", "--dns", "dns.zone", *options, standard_input=MAIL)
    assert result.exit_code == 0
    assert "EHLO mx.other.test\n" in result.stdout
    assert "MAIL FROM:<> " in result.stdout
    assert "RCPT TO:<alice+x@example.com>\n" in result.stdout


@pytest.mark.usefixtures("spec")
def test_a_resolver_can_be_named() -> None:
    with dns_server_beside({"sender.test": {"TXT": ['"v=spf1 ip4:192.0.2.1 -all"']}}) as server:
        arguments = ("spec.yaml", "-", "--from", "192.0.2.1", "--resolver", server.endpoint, "--format", "json")
        result = run(*arguments, standard_input=MAIL)
    assert result.exit_code == 0
    assert "spf=pass smtp.mailfrom=x@sender.test" in json.loads(result.stdout)["authentication_results"]


@pytest.mark.usefixtures("spec")
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["-"], "who brings the mail? Say --from ADDRESS"),
        (["-", "--from", "mx.sender.test"], "not an IP address"),
        (["-", "--from", "192.0.2.1", "--helo", "a b"], "not a name for EHLO"),
        (["-", "--from", "192.0.2.1", "--rcpt", "alice"], "not an address: it needs an @"),
        (["-", "--from", "192.0.2.1", "--rcpt", "a@example.com\r\nRSET"], "not an address: control characters"),
        (["-", "--from", "192.0.2.1", "--mail-from", "X <x@sender.test>"], "not an address alone"),
        (["-", "--from", "192.0.2.1", "--resolver", "ns.sender.test"], "not the address of a resolver"),
        (["-", "--from", "192.0.2.1", "--dns", "dns.zone", "--resolver", "192.0.2.53"], "exclude each other"),
        (["-", "--from", "192.0.2.1", "--dns", "missing.zone"], "missing.zone cannot be read: No such file"),
        (["-", "--from", "192.0.2.1", "--dns", "bad.zone"], "no master file of DNS: bad.zone:"),
        (["-", "--from", "192.0.2.1", "--dns", "binary.zone"], "binary.zone: no master file of DNS: it is not UTF-8"),
        (["missing.eml", "--from", "192.0.2.1"], "missing.eml cannot be read: No such file or directory"),
        (["empty.eml", "--from", "192.0.2.1"], "empty.eml: there is no mail in it"),
    ],
)
def test_what_is_wrong_with_a_call_is_said_and_exits_with_2(arguments: list[str], told: str) -> None:
    Path("bad.zone").write_text("a.test. A nowhere\n")
    Path("binary.zone").write_bytes(b"\xff")
    Path("empty.eml").write_text("\n")
    result = run("spec.yaml", *arguments, standard_input=MAIL)
    assert (result.exit_code, result.stdout) == (2, "")
    assert told in result.stderr


def test_a_spec_with_faults_exits_with_2(spec: Path) -> None:
    spec.write_text(f"{SPEC}nonsense: 1\n")
    result = run("spec.yaml", "-", "--from", "192.0.2.1", standard_input=MAIL)
    assert result.exit_code == 2
    assert "spec.yaml:4:1: nonsense: unknown key" in result.stderr


@pytest.mark.usefixtures("spec")
def test_dns_cannot_paint_the_terminal() -> None:
    Path("dns.zone").write_text('sender.test. TXT "v=spf1 exp=a.test -all \\027]0;x"\n')
    result = run("spec.yaml", "-", "--from", "192.0.2.1", "--dns", "dns.zone", "--verbose", standard_input=MAIL)
    assert "v=spf1 exp=a.test -all \ufffd]0;x" in result.stdout
    assert "\x1b" not in result.stdout


def test_beside_a_server_its_bans_and_whom_it_knows_count(spec: Path) -> None:
    spec.write_text(f"{SPEC}storage: {{path: state}}\nspam: {{greylist: suspicious}}\n")
    asked = ("spec.yaml", "-", "--from", "192.0.2.1", "--dns", "dns.zone", "--live")
    before = run(*asked, standard_input=MAIL)
    assert (before.exit_code, before.stdout) == (2, "")
    assert "state: no server has been here" in before.stderr
    for typed in (["apply", "--yes", "spec.yaml"], ["ban", "add", "spec.yaml", "192.0.2.9"]):
        assert CliRunner().invoke(cli, typed).exit_code == 0
    first = run(*asked, standard_input=MAIL)
    assert "451 4.7.1 Not known here yet, please try again in 3 minutes" in first.stdout
    assert run(*asked, standard_input=MAIL).stdout == first.stdout  # nothing was kept
    banned = run(*asked, "--from", "192.0.2.9", standard_input=MAIL)
    assert banned.exit_code == 1
    assert "  peer        banned     by hand, until 2" in banned.stdout
    assert "\n  421 4.7.0 Too much was tried from your address" in banned.stdout


OWN = """\
require ["fileinto", "duplicate", "mailbox"];
if duplicate :uniqueid "seen" { discard; stop; }
if mailboxexists "Away" { fileinto "Away"; } else { fileinto "Work"; }
"""


async def _kept(folder: Path) -> None:
    """Of Alice: a script, and the mailbox Work."""
    store = await open_store(folder, clock=system_clock, bus=Silence())
    alice = (await account_of(store, "alice@example.com")).account_id
    await store.scripts.put(alice, "own", OWN.encode(), quota=ScriptQuota(scripts=1, octets=1_000))
    await store.scripts.activate(alice, "own")
    await store.mailboxes.create(alice, parent_id=None, name="Work")
    await store.close()


async def _see(folder: Path) -> None:
    store = await open_store(folder, clock=system_clock, bus=Silence())
    alice = (await account_of(store, "alice@example.com")).account_id
    await store.sieve_memory.note(alice, Purpose.SEEN, [("0:seen", Instant(system_clock() + DAY_MS))])
    await store.close()


def test_beside_a_server_scripts_find_what_is_there(spec: Path, tmp_path: Path) -> None:
    spec.write_text(f"{SPEC}storage: {{path: state}}\n")
    assert CliRunner().invoke(cli, ["apply", "--yes", "spec.yaml"]).exit_code == 0
    asked = ("spec.yaml", "-", "--from", "192.0.2.1", "--dns", "dns.zone")
    asyncio.run(_kept(tmp_path / "state"))
    alone = run(*asked, standard_input=MAIL).stdout
    assert "stored: alice@example.com: INBOX\n" in alone
    assert "filter" not in alone
    live = run(*asked, "--live", standard_input=MAIL)
    assert live.exit_code == 0, live.output
    assert "  filter      filed\n" in live.stdout
    assert re.search(r"script +of its own\n", live.stdout)
    assert "stored: alice@example.com: Work\n" in live.stdout
    assert run(*asked, "--live", standard_input=MAIL).stdout == live.stdout  # nothing was kept
    asyncio.run(_see(tmp_path / "state"))
    again = run(*asked, "--live", standard_input=MAIL).stdout
    assert "  thrown away: alice@example.com\n" in again


async def _acquaint(folder: Path) -> None:
    """Alice has written to the author, and has taught that such mail is junk."""
    store = await open_store(folder, clock=system_clock, bus=Silence())
    alice = (await account_of(store, "alice@example.com")).account_id
    experience = await experience_in(store)
    experience.acquainted.wrote(alice, ["x@sender.test"], ())
    brought = Sender(
        network="192.0.2.0/24",
        host="",
        helo="",
        mail_from_domain="",
        verified_domain="",
        is_tls=False,
        iprev=IprevResult.FAIL,
        spf=SpfResult.NONE,
        dkim=DkimResult.NONE,
        dmarc=DmarcResult.NONE,
    )
    arrived = Arrived(
        sent_by=Correspondent(author="", sender=brought, peer_host="192.0.2.1"), received_at=system_clock()
    )
    experience.learn(alice, arrived, is_spam=True)
    await experience.flush()
    await store.close()


def test_beside_a_server_its_senders_are_known(spec: Path, tmp_path: Path) -> None:
    spec.write_text(f"{SPEC}storage: {{path: state}}\n")
    assert CliRunner().invoke(cli, ["apply", "--yes", "spec.yaml"]).exit_code == 0
    asyncio.run(_acquaint(tmp_path / "state"))
    asked = ("spec.yaml", "-", "--from", "192.0.2.1", "--dns", "dns.zone", "--verbose")
    known = ("sender-reputation 1.3: mail of the machine", "known-correspondent -1.0: you have written to this address")
    alone = run(*asked, standard_input=MAIL).stdout
    assert not [words for words in known if words in alone]
    for _ in range(2):  # nothing is kept of it
        live = " ".join(run(*asked, "--live", standard_input=MAIL).stdout.split())
        assert [words for words in known if words in live] == [*known]


def test_a_warm_up_is_told_with_the_share_of_today(spec: Path) -> None:
    today = as_datetime(day_of(system_clock()))
    spec.write_text(
        f"{SPEC}aliases: {{out@example.com: [friend@warm.test]}}\nrelays: {{ses: {{host: ses.test}}}}\n"
        f"routes: [{{via: direct, warmup: {{start: {today:%Y-%m-%d}, meanwhile: ses}}}}]\n"
    )
    Path("dns.zone").write_text('warm.test. 60 MX 10 mx.far.test.\nsender.test. 60 TXT "v=spf1 ip4:192.0.2.1 -all"\n')
    arguments = ("spec.yaml", "-", "--from", "192.0.2.1", "--rcpt", "out@example.com", "--dns", "dns.zone")
    found = run(*arguments, standard_input=MAIL)
    assert (
        "  sent on: friend@warm.test, by way of direct or ses\n"
        "    far.test warms up: 1.0% goes direct today, 0 of at most 50 mails; the rest by ses\n"
    ) in found.stdout
    facts = json.loads(run(*arguments, "--format", "json", standard_input=MAIL).stdout)
    assert facts["sent_on"] == {"friend@warm.test": "direct or ses"}
    assert facts["warming_up"]["friend@warm.test"]["share"] == 0.01
