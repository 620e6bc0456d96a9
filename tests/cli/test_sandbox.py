"""`mailstack sandbox` as people and test suites call it."""

import imaplib
import json
import os
import signal
import smtplib
import socket
import ssl
import stat
import subprocess
from email import message_from_string
from pathlib import Path

import pytest

from mailstack.app.clock import system_clock
from mailstack.app.sandbox_state import PORTS, keep_database
from mailstack.app.silence import Silence
from mailstack.app.store_address import StoreAddress
from mailstack.app.stores import open_store
from mailstack.cli.sandbox import Scene
from tests.support.commands import run_command
from tests.support.leash import leashed
from tests.support.over_sockets import CLIENT_S
from tests.support.postgres import PostgresServer
from tests.support.sandbox import (
    MAILSTACK,
    Sandbox,
    free_base_port,
    run_client,
    running_sandbox,
    save,
    stop,
    wait_for,
)

pytestmark = pytest.mark.slow

SPEC = """\
server: {hostname: mail.example.com, workers: 1}
domains: {example.com: {}, example.net: {}}
accounts:
  alice@example.com: {password: env/NOBODY_SETS_THIS}
  bob@example.net: {}
relays:
  ses: {host: relay.example, username: env/NOBODY_SETS_THIS, password: env/NOBODY_SETS_THIS}
routes: [{via: ses}]
tls: {issuer: files, files: [{certificate: missing.pem, key: file/missing.key}]}
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    file = tmp_path / "spec" / "mail.yaml"
    file.parent.mkdir()
    file.write_text(SPEC)
    return file


def logs_in(sandbox: Sandbox, login: str, password: str) -> bool:
    with imaplib.IMAP4("127.0.0.1", sandbox.port("imap"), timeout=CLIENT_S) as imap:
        try:
            imap.login(login, password)
        except imaplib.IMAP4.error:
            return False
        return True


def submit(sandbox: Sandbox, to: str, subject: str) -> None:
    with smtplib.SMTP("127.0.0.1", sandbox.port("submission"), timeout=CLIENT_S) as smtp:
        smtp.login("alice@example.com", sandbox.accounts["alice@example.com"])
        smtp.sendmail("alice@example.com", [to], f"From: alice@example.com\r\nSubject: {subject}\r\n\r\nhello\r\n")


def outbox(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    return run_command("sandbox", "outbox", *arguments)


def test_it_needs_no_secret_of_the_spec_and_says_where_everything_is(spec: Path, tmp_path: Path) -> None:
    with running_sandbox(spec, tmp_path, "--password", "Alice@example.com=one", "--passwords", "other") as sandbox:
        assert json.loads(sandbox.ready_file.read_text())["pid"] == sandbox.process.pid
        assert sandbox.accounts == {"alice@example.com": "one", "bob@example.net": "other"}
        assert sandbox.endpoints.keys() == PORTS.keys()
        assert {host for host, _ in sandbox.endpoints.values()} == {"127.0.0.1"}
        assert stat.S_IMODE(sandbox.ready_file.stat().st_mode) == 0o600
        assert logs_in(sandbox, "alice", "one")
        assert not logs_in(sandbox, "alice@example.com", "other")
        context = ssl.create_default_context(cafile=str(sandbox.ca))
        for name in ("localhost", "mail.example.com"):
            with (
                socket.create_connection(("127.0.0.1", sandbox.port("imaps")), timeout=CLIENT_S) as plain,
                context.wrap_socket(plain, server_hostname=name) as tls,
            ):
                assert tls.version() == "TLSv1.3"
        wait_for(lambda: len(list((sandbox.state / "dns").glob("*.zone"))) == 2, what="zone files")


def test_it_says_where_mail_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Scene(tmp_path, None, is_kept=True)._show_endpoints({"https": ("127.0.0.1", 20443), "imap": ("127.0.0.1", 20143)})
    told = capsys.readouterr().out
    assert all(f"https://localhost:20443/{page}\n" in told for page in ("mail", "account", "admin"))
    Scene(tmp_path, None, is_kept=True)._show_endpoints({"imap": ("127.0.0.1", 20143)})
    assert "/mail" not in capsys.readouterr().out


def test_it_says_who_looks_after_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    many = {f"u{number}@example.com": "pw" for number in range(100)}
    Scene(tmp_path, None, is_kept=True)._show_accounts(many, admins=["u99@example.com"])
    first, *others = [line for line in capsys.readouterr().out.splitlines() if "@example.com" in line]
    assert ("u99@example.com" in first, "admin" in first) == (True, True)
    assert not any("admin" in line for line in others)


def test_it_says_where_jmap_begins(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Scene(tmp_path, None, is_kept=True)._show_endpoints({"http": ("127.0.0.1", 20080), "imap": ("127.0.0.1", 20143)})
    assert "http://127.0.0.1:20080/jmap/session" in capsys.readouterr().out


def test_a_second_start_on_the_same_state_keeps_mail_and_passwords(spec: Path, tmp_path: Path) -> None:
    with running_sandbox(spec, tmp_path / "first") as first:
        submit(first, "bob@example.net", "kept")
    with running_sandbox(spec, tmp_path / "second", state=first.state) as second:
        assert second.accounts == first.accounts
        assert len(set(second.accounts.values())) == 2
        with imaplib.IMAP4("127.0.0.1", second.port("imap"), timeout=CLIENT_S) as imap:
            imap.login("bob@example.net", second.accounts["bob@example.net"])
            assert imap.select("INBOX")[1] == [b"1"]


def test_outbound_mail_is_kept_and_shown(spec: Path, tmp_path: Path) -> None:
    with running_sandbox(spec, tmp_path) as sandbox:
        state = ("--state", str(sandbox.state))
        assert b"empty" in outbox(*state).stdout
        submit(sandbox, "friend@elsewhere.example", "held \x1b[2J")
        wait_for(lambda: json.loads(outbox(*state, "--format", "json").stdout), what="the mail is held")
        (mail,) = json.loads(outbox(*state, "--format", "json").stdout)
        assert (mail["from"], mail["to"]) == ("alice@example.com", ["friend@elsewhere.example"])
        whole = outbox(str(mail["id"]), *state).stdout.decode()
        assert message_from_string(whole).get_payload() == "hello\r\n"
        assert whole.count("DKIM-Signature:") == 2
        listed = outbox(*state).stdout.decode()
        assert "friend@elsewhere.example" in listed
        assert "\x1b" not in listed
        missing = outbox("999", *state)
    assert missing.returncode == 1
    assert b"there is no mail 999" in missing.stderr


def test_with_a_database_the_folder_remembers_it_and_holds_no_mail(
    spec: Path, tmp_path: Path, empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SANDBOX_DATABASE", empty_database)
    with running_sandbox(spec, tmp_path / "first", "--database", "env/SANDBOX_DATABASE") as first:
        submit(first, "bob@example.net", "kept")
        submit(first, "friend@elsewhere.example", "held")
        state = ("--state", str(first.state))
        wait_for(lambda: json.loads(outbox(*state, "--format", "json").stdout), what="the mail is held")
        listed = run_command("account", "list", str(spec), *state)
        assert b"bob@example.net" in listed.stdout
    assert not list(first.state.rglob("*.db"))
    with (
        running_sandbox(spec, tmp_path / "second", state=first.state) as second,
        imaplib.IMAP4("127.0.0.1", second.port("imap"), timeout=CLIENT_S) as imap,
    ):
        imap.login("bob@example.net", second.accounts["bob@example.net"])
        assert imap.select("INBOX")[1] == [b"1"]


async def test_a_database_that_may_be_a_server_s_is_left_alone(
    spec: Path, tmp_path: Path, postgres: PostgresServer, empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(*arguments: str) -> tuple[int, str]:
        ended = run_client([*MAILSTACK, "sandbox", str(spec), "--state", str(tmp_path / "state"), *arguments])
        return ended.returncode, ended.stderr.decode()

    server = StoreAddress(folder=tmp_path / "server", database=empty_database)
    await (await open_store(server, clock=system_clock, bus=Silence())).close()
    monkeypatch.setenv("SANDBOX_DATABASE", empty_database)
    status, told = start("--database", "env/SANDBOX_DATABASE")
    assert (status, "holds mail already, of a server or another sandbox; name an empty one" in told) == (1, True), told
    # Also where the reference that the folder remembers means another database than it did.
    keep_database(tmp_path / "state", "env/SANDBOX_DATABASE", "another")
    for arguments in ((), ("--database", "env/SANDBOX_DATABASE")):
        status, told = start(*arguments)
        assert (status, "holds mail already" in told) == (1, True), told
    status, told = start("--database", "env/ANOTHER")
    assert (status, "in the database that env/SANDBOX_DATABASE names; name another folder" in told) == (1, True), told
    assert postgres.run("SELECT count(*) FROM generation", database=empty_database.rpartition("/")[2]) == [(0,)]


def test_a_folder_of_a_server_is_left_alone(tmp_path: Path) -> None:
    server = tmp_path / "server.yaml"
    server.write_text("server: {hostname: mail.example.com}\nstorage: {path: state}\ndomains: {example.com: {}}\n")
    applied = run_command("apply", str(server), "--yes", "--no-dns")
    assert applied.returncode == 0, applied.stderr
    state = tmp_path / "state"
    before = sorted(file.name for file in state.rglob("*"))
    ended = run_client([*MAILSTACK, "sandbox", str(server), "--state", str(state)])
    assert (ended.returncode, b"is not the folder of a sandbox; name another" in ended.stderr) == (1, True)
    assert sorted(file.name for file in state.rglob("*")) == before
    assert run_command("plan", str(server), "--no-dns").returncode == 0


def test_a_new_account_gets_a_password_while_it_runs(spec: Path, tmp_path: Path) -> None:
    with running_sandbox(spec, tmp_path) as sandbox:
        save(spec, SPEC.replace("  bob@example.net: {}\n", "  bob@example.net: {}\n  carol@example.com: {}\n"))
        wait_for(lambda: "carol@example.com" in sandbox.accounts_now())
        accounts = sandbox.accounts_now()
        assert accounts["alice@example.com"] == sandbox.accounts["alice@example.com"]
        assert logs_in(sandbox, "carol@example.com", accounts["carol@example.com"])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_cleanly_and_takes_its_temporary_folder_along(spec: Path, tmp_path: Path, number: int) -> None:
    ready, temporary = tmp_path / "ready.json", tmp_path / "tmp"
    temporary.mkdir()
    process = subprocess.Popen(
        leashed(
            [*MAILSTACK, "sandbox", str(spec), "--ready", str(ready), "--base-port", str(free_base_port())], "TERM"
        ),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(temporary)},
    )
    try:
        wait_for(ready.exists, what="ready")
        listed = run_client([*MAILSTACK, "sandbox", "outbox"], TMPDIR=str(temporary))
        process.send_signal(number)
        shown, errors = process.communicate(timeout=CLIENT_S)
    finally:
        stop(process)
    assert (listed.returncode, listed.stdout) == (0, b"The outbox is empty.\n")
    assert process.returncode == 0, errors
    assert b"alice@example.com" in shown
    assert list(temporary.iterdir()) == []


def test_a_busy_port_is_named_with_a_way_out(spec: Path, tmp_path: Path) -> None:
    base = free_base_port()
    with socket.create_server(("127.0.0.1", base + 143)):
        ended = run_client([*MAILSTACK, "sandbox", str(spec), "--state", str(tmp_path), "--base-port", str(base)])
    assert ended.returncode == 1
    assert f"imap on 127.0.0.1:{base + 143}".encode() in ended.stderr
    assert b"--base-port" in ended.stderr
    assert not (tmp_path / "system.db").exists()


def test_a_second_sandbox_on_the_same_state_is_refused_by_name(spec: Path, tmp_path: Path) -> None:
    with running_sandbox(spec, tmp_path) as sandbox:
        ended = run_client(
            [*MAILSTACK, "sandbox", str(spec), "--state", str(sandbox.state), "--base-port", str(free_base_port())]
        )
        assert ended.returncode == 1
        assert f"{sandbox.state} is already served by process {sandbox.process.pid}".encode() in ended.stderr
        assert logs_in(sandbox, "alice", sandbox.accounts["alice@example.com"])


def test_a_faulty_spec_is_told_line_by_line(tmp_path: Path) -> None:
    file = tmp_path / "mail.yaml"
    file.write_text("server: {hostname: mail.example.com, colour: red}\ndomains: {example.com: {}}\nnonsense: 1\n")
    ended = run_client([*MAILSTACK, "sandbox", str(file), "--state", str(tmp_path / "state")])
    assert ended.returncode == 2
    assert f"{file}:1:".encode() in ended.stderr
    assert f"{file}:3:1".encode() in ended.stderr
    assert b"Traceback" not in ended.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["--outbound", "nowhere"],
        ["--password", "alice"],
        ["--base-port", "65000"],
        ["--database", "env/WITHOUT_STATE"],
        ["--state", "state", "--database", "postgresql://in/plain"],
        [],
    ],
    ids=str,
)
def test_a_faulty_call_is_told_with_status_2(arguments: list[str]) -> None:
    spec = ["mail.yaml"] if arguments else []
    assert run_client([*MAILSTACK, "sandbox", *spec, *arguments]).returncode == 2


def test_help_has_examples() -> None:
    told = run_client([*MAILSTACK, "sandbox", "--help"]).stdout.decode()
    assert "Usage: mailstack sandbox [OPTIONS] SPEC" in told
    assert "mailstack sandbox outbox" in told
    assert "Usage: mailstack sandbox outbox [OPTIONS] [ID]" in outbox("--help").stdout.decode()


EXAMPLE = Path(__file__).parents[2] / "mailstack.yaml.example"


def test_the_example_starts_without_a_warning_and_says_what_it_made(tmp_path: Path) -> None:
    with running_sandbox(EXAMPLE, tmp_path, "--log-format", "json") as sandbox:
        assert stop(sandbox.process) == 0
    lines = [json.loads(line) for line in sandbox.log.splitlines()]
    assert [line for line in lines if line["level"] != "info"] == []
    applied, *_ = [line for line in lines if line["event"] == "applied"]
    served, *_ = [line for line in lines if line["event"] == "serving"]
    # The keys' records are seen in the zone files at once, and what signs with them is a generation of its own.
    assert (applied["generation"], served["generation"]) == (1, 2)
    assert len(applied["created"]) == 21
    assert applied["created"][-1].startswith("and ")
    assert any(name.startswith("domain ") for name in applied["created"])
    assert lines[-1]["event"] == "stopped"
