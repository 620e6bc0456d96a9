"""`mailstack serve`: from a spec to a running server, what stops it from starting, what it follows while it runs."""

import imaplib
import json
import os
import pwd
import smtplib
import socket
import ssl
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

import mailstack
from tests.support.commands import run_command
from tests.support.leash import leashed
from tests.support.over_sockets import CLIENT_S
from tests.support.programs import Program
from tests.support.sandbox import MAILSTACK, free_base_port, run_client, save, stop, wait_for

pytestmark = pytest.mark.slow

ANEW = ("env", *MAILSTACK)
"""Not forked by tests.support.programs: as everybody starts it."""
SPEC = """\
server:
  hostname: mail.example.com
  workers: {workers}
  listeners:
    {{smtp: ["127.0.0.1:{smtp}"], imap: ["127.0.0.1:{imap}"],
    submission: [], submissions: [], managesieve: [], imaps: [], http: [], https: []}}
storage: {{path: state}}
domains: {{example.com: {{}}}}
accounts:
  alice@example.com: {{password: env/ALICE_PASSWORD}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    process: subprocess.Popen[bytes]
    log_file: Path
    state: Path

    @property
    def log(self) -> str:
        return self.log_file.read_text()

    def status(self) -> dict[str, object]:
        found = json.loads((self.state / "run" / "status.json").read_text())
        assert isinstance(found, dict)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """A spec in a folder of its own, and free ports for it."""

    spec: Path
    smtp: int
    imap: int

    @property
    def state(self) -> Path:
        return self.spec.parent / "state"

    def write(self, *, workers: int = 2, smtp: int | None = None) -> None:
        save(self.spec, SPEC.format(workers=workers, smtp=smtp or self.smtp, imap=self.imap))


@pytest.fixture
def house(tmp_path: Path) -> House:
    base = free_base_port()
    found = House(spec=tmp_path / "house" / "mail.yaml", smtp=base + 25, imap=base + 143)
    found.spec.parent.mkdir()
    found.write()
    return found


@contextmanager
def serving(house: House, *options: str, command: Sequence[str] = MAILSTACK, **environment: str) -> Iterator[Serving]:
    log_file = house.spec.parent / "log"
    with log_file.open("wb") as log:
        process = Program(
            leashed([*command, "serve", *options, str(house.spec)], "TERM"),
            stdout=subprocess.DEVNULL,
            stderr=log,
            env={**os.environ, "ALICE_PASSWORD": "pw", **environment},
        )
    try:
        status = house.state / "run" / "status.json"
        wait_for(lambda: status.exists() or process.poll() is not None, what="serving")
        assert process.poll() is None, log_file.read_text()
        yield Serving(process=process, log_file=log_file, state=house.state)
    finally:
        stop(process)


def serve_and_fail(house: House) -> subprocess.CompletedProcess[bytes]:
    ended = run_client([*MAILSTACK, "serve", str(house.spec)], ALICE_PASSWORD="pw")
    assert b"Traceback" not in ended.stderr
    return ended


def greeting(port: int) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=CLIENT_S) as connection:
        return connection.recv(100)


def greets(port: int) -> bool:
    try:
        return greeting(port).startswith(b"220")
    except ConnectionError:  # refused, or reset where the port is just being closed
        return False


@pytest.mark.parametrize("workers", [1, 2])
def test_it_serves_until_told_to_stop_and_leaves_nothing_running(house: House, workers: int) -> None:
    house.write(workers=workers)
    with serving(house, command=ANEW) as server:
        pids = server.status()["workers"]
        assert isinstance(pids, list)
        assert len(pids) == workers
        assert (server.process.pid in pids) == (workers == 1)
        assert greets(house.smtp)
        with imaplib.IMAP4("127.0.0.1", house.imap, timeout=CLIENT_S) as imap:
            assert "LOGINDISABLED" in imap.capabilities
    assert server.process.returncode == 0
    assert json.loads(server.log.splitlines()[-1])["event"] == "stopped"
    assert not greets(house.smtp)
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    assert {path.name for path in (house.state / "run").iterdir() if path.suffix != ".lock"} == {"bus"}
    assert list((house.state / "run" / "bus").iterdir()) == []


def test_a_busy_port_is_named_and_nothing_is_written(house: House) -> None:
    with socket.create_server(("127.0.0.1", house.imap)):
        ended = serve_and_fail(house)
    assert ended.returncode == 1
    assert f"imap on 127.0.0.1:{house.imap}: the port is in use".encode() in ended.stderr
    assert b"[] switches one off" in ended.stderr
    assert not (house.state / "system.db").exists()


def test_a_second_server_on_the_same_storage_is_refused_by_name(house: House) -> None:
    with serving(house) as server:
        house.write(smtp=free_base_port())
        ended = serve_and_fail(house)
    assert ended.returncode == 1
    assert f"already served by process {server.process.pid}".encode() in ended.stderr


def test_a_missing_secret_is_named(house: House) -> None:
    house.spec.write_text(house.spec.read_text().replace("env/ALICE_PASSWORD", "file/secrets/alice"))
    ended = serve_and_fail(house)
    assert ended.returncode == 2
    assert str(house.spec.parent / "secrets" / "alice").encode() in ended.stderr


def test_a_storage_path_that_is_a_file_is_named(house: House) -> None:
    house.state.write_text("not a folder")
    ended = serve_and_fail(house)
    assert ended.returncode == 1
    assert str(house.state).encode() in ended.stderr


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = run_client(["mount", "-t", "tmpfs", "-o", "size=96k", "tmpfs", str(folder)])
    if mounted.returncode:
        pytest.skip("mounting a small disk needs root")
    yield folder
    run_client(["umount", "-l", str(folder)])


def test_a_full_disk_is_named(house: House, small_disk: Path) -> None:
    house.spec.write_text(house.spec.read_text().replace("path: state", f"path: {small_disk}/state"))
    ended = serve_and_fail(house)
    assert ended.returncode == 1
    assert str(small_disk).encode() in ended.stderr
    assert b"full" in ended.stderr or b"No space" in ended.stderr


def test_a_folder_that_cannot_be_written_is_named(house: House, small_disk: Path) -> None:
    house.spec.write_text(house.spec.read_text().replace("path: state", f"path: {small_disk}/state"))
    run_client(["mount", "-o", "remount,ro", str(small_disk)])
    ended = serve_and_fail(house)
    assert ended.returncode == 1
    assert f"{small_disk}/state".encode() in ended.stderr
    assert b"Read-only" in ended.stderr


def test_a_listener_can_move_while_it_runs(house: House) -> None:
    moved = free_base_port() + 26
    with (
        serving(house) as server,
        socket.create_connection(("127.0.0.1", house.smtp), timeout=CLIENT_S) as kept,
        kept.makefile("rb") as lines,
    ):
        assert lines.readline().startswith(b"220")
        house.write(smtp=moved)
        wait_for(lambda: greets(moved), what="the new port answers")
        wait_for(lambda: not greets(house.smtp), what="the old port is closed")
        kept.sendall(b"NOOP\r\n")
        assert lines.readline().startswith(b"250")
        listeners = {"smtp": [["127.0.0.1", moved]], "imap": [["127.0.0.1", house.imap]]}
        wait_for(lambda: server.status()["listeners"] == listeners, what="the status says so")


def test_a_reload_to_a_busy_port_keeps_what_serves_and_says_so(house: House) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, serving(house) as server:
        house.write(smtp=other.getsockname()[1])
        wait_for(lambda: "reload" in server.status(), what="the reload fails")
        reload = server.status()["reload"]
        assert isinstance(reload, dict)
        assert not reload["ok"]
        assert f"smtp on 127.0.0.1:{other.getsockname()[1]}" in reload["message"]
        assert greets(house.smtp)


def test_what_another_process_applies_is_served(house: House, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.yaml"
    with serving(house) as server:
        before = server.status()["generation"]
        text = house.spec.read_text().replace("path: state", f"path: {house.state}")
        elsewhere.write_text(text.replace("mail.example.com", "other.example.com"))
        applied = run_command("apply", "--yes", str(elsewhere), ALICE_PASSWORD="pw")
        assert applied.returncode == 0, applied.stderr
        wait_for(lambda: b"other.example.com" in greeting(house.smtp), what="the new generation")
        wait_for(lambda: server.status()["generation"] != before, what="the status says so")


def answers(imap: imaplib.IMAP4) -> bool:
    try:
        return imap.noop()[0] == "OK"
    except (imaplib.IMAP4.abort, OSError):
        return False


def test_a_password_that_a_user_changes_ends_the_sessions_with_the_old_one(house: House) -> None:
    house.spec.write_text(house.spec.read_text().replace("domains:", "tls: {issuer: self-signed}\ndomains:"))
    with serving(house) as server, imaplib.IMAP4("127.0.0.1", house.imap, timeout=CLIENT_S) as imap:
        imap.starttls(ssl._create_unverified_context())  # noqa: S323  its certificate is its own
        imap.login("alice@example.com", "pw")
        changed = subprocess.run(
            [*MAILSTACK, "account", "password", str(house.spec), "alice@example.com", "--stdin"],
            input=b"correct horse\n",
            capture_output=True,
            check=False,
            env={**os.environ, "ALICE_PASSWORD": "pw"},
        )
        assert changed.returncode == 0, changed.stderr
        wait_for(lambda: "sent away" in server.log, what="the session ends")
        wait_for(lambda: not answers(imap), what="the connection is closed")
        with imaplib.IMAP4("127.0.0.1", house.imap, timeout=CLIENT_S) as again:
            again.starttls(ssl._create_unverified_context())  # noqa: S323
            assert again.login("alice@example.com", "correct horse")[0] == "OK"


def test_sighup_reads_the_spec_again(house: House) -> None:
    with serving(house) as server:
        server.process.send_signal(1)
        wait_for(lambda: "reload" in server.status(), what="a reload")
        assert "SIGHUP" in server.log


def test_systemd_is_told_when_it_is_ready(house: House, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        address = f"\0mailstack-{os.getpid()}-{tmp_path.name}"
        systemd.bind(address)
        systemd.settimeout(CLIENT_S)
        with serving(house, NOTIFY_SOCKET="@" + address[1:]):
            assert systemd.recv(1000) == b"READY=1"
        assert systemd.recv(1000) == b"STOPPING=1"


def test_dns_that_cannot_be_written_is_tried_again_and_status_says_so(house: House) -> None:
    provider = "{class: octodns_bind.Rfc2136Provider, host: 127.0.0.1, port: 1, timeout: 1}"
    dns = f"dns: {{providers: {{b: {provider}}}, zones: {{example.com: {{provider: b}}}}}}\n"
    house.spec.write_text(house.spec.read_text() + dns)
    with serving(house) as server:
        wait_for(lambda: "upkeep" in server.status(), what="the failure is told")
        upkeep = server.status()["upkeep"]
        assert isinstance(upkeep, dict)
        assert (upkeep["failures"], upkeep["next_at"] is None) == (1, False)
        assert "port 1" in upkeep["message"]

        def is_shown() -> bool:
            """Between two tries."""
            next_at = server.status()["upkeep"]["next_at"]  # type: ignore[index]
            shown = run_command("status", str(house.spec), ALICE_PASSWORD="pw").stdout.decode()
            return f"next at {next_at}; undone" in shown

        wait_for(is_shown, what="the failure is shown")
        assert greets(house.smtp)


def test_under_plan_only_a_saved_spec_is_told_and_waits_for_apply(house: House) -> None:
    text = house.spec.read_text() + "reconcile: {on_change: plan-only}\n"
    house.spec.write_text(text)
    applied_once(house)
    with serving(house) as server:
        before = server.status()["generation"]
        save(house.spec, text.replace("accounts:", "accounts:\n  bob@example.com: {}"))
        wait_for(lambda: "reload" in server.status(), what="a word on the saved spec")
        assert "on_change is plan-only" in refusal_of(server)
        assert "Plan: 1 to create" in refusal_of(server)
        assert '"to_create":["account bob@example.com"]' in server.log
        assert server.status()["generation"] == before
        applied_once(house)
        wait_for(lambda: server.status()["generation"] != before, what="what was applied by hand")
        wait_for(lambda: not refusal_of(server), what="nothing waits any more")


def test_under_plan_only_nothing_is_served_before_somebody_applied(house: House) -> None:
    house.spec.write_text(house.spec.read_text() + "reconcile: {on_change: plan-only}\n")
    failed = serve_and_fail(house)
    assert failed.returncode == 1
    assert b"plan-only" in failed.stderr


@pytest.mark.parametrize("on_change", ["apply", "plan-only"])
def test_what_drifted_is_logged_and_in_status_and_put_right_unless_only_planned(house: House, on_change: str) -> None:
    provider = "{class: mailstack.reconcile.dns.zone_file.ZoneFileProvider, directory: zones}"
    dns = f"dns: {{providers: {{f: {provider}}}, zones: {{example.com: {{provider: f}}}}}}\n"
    house.spec.write_text(f"{house.spec.read_text()}{dns}reconcile: {{on_change: {on_change}}}\n")
    applied_once(house)
    zone = house.spec.parent / "zones" / "example.com.zone"
    with serving(house) as server:
        wait_for(lambda: "drift_checked_at" in server.status(), what="the first look")
        zone.write_text(zone.read_text().replace("10 mail.example.com.", "10 evil.example."))
        server.process.send_signal(1)
        wait_for(lambda: "drift" in server.status(), what="the drift is told")
        drift = server.status()["drift"]
        assert isinstance(drift, dict)
        assert drift["found"] == ["dns_record example.com MX"]
        assert '"event":"drift"' in server.log
        shown = run_command("status", str(house.spec), ALICE_PASSWORD="pw").stdout.decode()
        assert "1 not as applied: dns_record example.com MX" in shown
        assert ("evil" in zone.read_text()) is (on_change == "plan-only")


def test_a_brake_on_dns_holds_all_of_a_saved_spec(house: House) -> None:
    """Not the half of it that the server does itself, with mail refused for a domain whose MX stays."""
    provider = "{class: mailstack.reconcile.dns.zone_file.ZoneFileProvider, directory: zones}"
    dns = f"dns: {{providers: {{f: {provider}}}, zones: {{example.com: {{provider: f}}}}}}\n"
    text = f"{house.spec.read_text()}{dns}"
    with_two = text.replace("{example.com: {}}", "{example.com: {}, sub.example.com: {}}", 1)
    save(house.spec, with_two)
    applied_once(house)
    zone = house.spec.parent / "zones" / "example.com.zone"
    with serving(house) as server:
        wait_for(lambda: "drift_checked_at" in server.status(), what="the first look")
        before = server.status()["generation"]
        lines = zone.read_text().splitlines()
        (mine,) = [line for line in lines if line.startswith("sub.example.com.") and " MX " in line]
        zone.write_text("\n".join([*lines, mine.replace("10 mail.", "20 others.")]) + "\n")
        save(house.spec, text)
        assert "--allow-foreign" in refusal_of(server)
        assert server.status()["generation"] == before
        assert "others." in zone.read_text()


def applied_once(house: House) -> None:
    applied = run_command("apply", "--yes", str(house.spec), ALICE_PASSWORD="pw")
    assert applied.returncode == 0, applied.stderr


def refusal_of(server: Serving) -> str:
    """Why the spec is not what is served; "" when it is."""
    wait_for(lambda: "reload" in server.status(), what="a word on the reload")
    reload = server.status()["reload"]
    assert isinstance(reload, dict)
    assert reload["ok"] == (not reload["message"])
    return str(reload["message"])


FAULTS = {
    "an unknown section": ("domains:", "nonsense: {}\ndomains:", "nonsense"),
    "no YAML any more": ("accounts:", "accounts: [}", ":9:"),
    "a missing secret": ("env/ALICE_PASSWORD", "file/secrets/alice", "secrets/alice"),
}


@pytest.mark.parametrize(("old", "new", "named"), FAULTS.values(), ids=FAULTS)
def test_a_start_on_a_faulty_spec_serves_what_was_applied_last(house: House, old: str, new: str, named: str) -> None:
    applied_once(house)
    house.spec.write_text(house.spec.read_text().replace(old, new))
    with serving(house) as server:
        assert greets(house.smtp)
        assert named in refusal_of(server)
        assert "what was applied last is served" in server.log
        assert '"level":"error"' in server.log
        house.write()
        wait_for(lambda: not refusal_of(server), what="the mended spec is applied")
    assert server.process.returncode == 0


def test_a_start_on_a_spec_that_would_destroy_mail_serves_what_was_applied_last(house: House) -> None:
    with serving(house), smtplib.SMTP("127.0.0.1", house.smtp, timeout=CLIENT_S) as client:
        client.sendmail("bob@elsewhere.example", ["alice@example.com"], "Subject: hello\r\n\r\nhello\r\n")
    house.write(smtp=free_base_port())
    house.spec.write_text(house.spec.read_text().replace("alice@", "carol@"))
    with serving(house) as server:
        assert "--allow-destroy alice@example.com" in refusal_of(server)
        assert greets(house.smtp)


def test_a_faulty_spec_is_not_served_where_nothing_was_applied(house: House) -> None:
    house.spec.write_text(house.spec.read_text().replace("domains:", "nonsense: {}\ndomains:"))
    ended = serve_and_fail(house)
    assert ended.returncode == 2
    assert b"nonsense" in ended.stderr
    assert not house.state.exists()


@pytest.fixture
def open_house() -> Iterator[House]:
    """Where any user may look in; pytest's own folders are closed to all but one."""
    base = free_base_port()
    with tempfile.TemporaryDirectory(prefix="mailstack-test-") as folder:
        Path(folder).chmod(0o755)
        found = House(spec=Path(folder) / "mail.yaml", smtp=base + 25, imap=base + 143)
        found.write()
        yield found


@pytest.fixture
def anybodys_python(monkeypatch: pytest.MonkeyPatch) -> str:
    """An interpreter that other users may run: root's own may lie in root's home, where the system's will do."""
    paths = (str(Path(mailstack.__file__).parents[1]), sysconfig.get_path("purelib"), sysconfig.get_path("platlib"))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    for python in (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}"):
        with suppress(OSError):
            tried = subprocess.run([python, "-c", "import mailstack.app.log"], user="nobody", check=False)
            if tried.returncode == 0:
                return python
    pytest.skip("no other user can run this Python")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")
def test_what_root_applied_is_served_by_another_user(open_house: House, anybodys_python: str) -> None:
    applied_once(open_house)
    command = (anybodys_python, "-m", "mailstack")
    with serving(open_house, "--user", "nobody", command=command) as server:
        nobody = pwd.getpwnam("nobody").pw_uid
        assert Path(f"/proc/{server.process.pid}").stat().st_uid == nobody
        assert {path.stat().st_uid for path in open_house.state.rglob("*")} == {nobody}
        with imaplib.IMAP4("127.0.0.1", open_house.imap, timeout=CLIENT_S) as imap:
            assert "LOGINDISABLED" in imap.capabilities
    assert server.process.returncode == 0
