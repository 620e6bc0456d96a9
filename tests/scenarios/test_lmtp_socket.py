"""LMTP by a socket of this machine: a server that takes it there, across reloads, kills and second starts. RFC 2033."""

import os
import signal
import smtplib
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.leash import leashed
from tests.support.programs import Program
from tests.support.sandbox import MAILSTACK, run_client, save, stop, wait_for

pytestmark = pytest.mark.slow

SPEC = """\
server:
  hostname: mail.example.com
  workers: {workers}
  listeners:
    smtp: []
    lmtp_sockets: [{{path: {path}, mode: "{mode}"}}]
    submission: []
    submissions: []
    managesieve: []
    imap: []
    imaps: []
    http: []
    https: []
storage: {{path: {state}}}
domains: {{example.com: }}
accounts: {{alice@example.com: , bob@example.com: {{quota: 2KiB}}}}
"""
MAIL = b"From: x@them.test\r\nTo: alice@example.com\r\nSubject: by socket\r\n\r\nhello\r\n" + b"x" * 70 + b"\r\n"


@pytest.fixture
def folder() -> Iterator[Path]:
    """Its path is short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="lmtp") as found:
        yield Path(found)


def write(folder: Path, path: Path, *, workers: int = 2, mode: str = "0660", state: str = "state") -> Path:
    spec = folder / f"{state}.yaml"
    save(spec, SPEC.format(workers=workers, path=path, mode=mode, state=state))
    return spec


@contextmanager
def serving(spec: Path) -> Iterator[subprocess.Popen[bytes]]:
    log_file = spec.with_suffix(".log")
    with log_file.open("ab") as log:
        process = Program(leashed([*MAILSTACK, "serve", str(spec)], "TERM"), stdout=log, stderr=log)
    status = spec.with_suffix("") / "run" / "status.json"
    try:
        wait_for(lambda: status.exists() or process.poll() is not None, what="serving")
        assert process.poll() is None, log_file.read_text()
        yield process
    finally:
        stop(process)


def replies_at(path: Path, *recipients: str, mail: bytes = MAIL) -> list[int]:
    """To the content, one for each recipient."""
    with smtplib.LMTP(str(path)) as client:
        client.ehlo("here.test")  # says LHLO
        client.mail("x@them.test")
        for recipient in recipients:
            client.rcpt(recipient)
        client.putcmd("data")
        assert client.getreply()[0] == 354
        client.send(mail + b".\r\n")
        return [client.getreply()[0] for _ in recipients]


def answers(path: Path) -> bool:
    try:
        with smtplib.LMTP(str(path)):
            return True
    except OSError:
        return False


@pytest.mark.parametrize("workers", [1, 2])
def test_mail_comes_in_and_the_socket_goes_with_the_server(folder: Path, workers: int) -> None:
    path = folder / "lmtp"
    spec = write(folder, path, workers=workers)
    with serving(spec):
        assert stat.S_IMODE(path.lstat().st_mode) == 0o660
        large = MAIL + b"y" * 70 + b"\r\n" * 2_000
        assert replies_at(path, "alice@example.com", "bob@example.com", mail=large) == [250, 552]
    assert not path.exists()
    assert '"peer":"127.0.0.1"' in spec.with_suffix(".log").read_text()


def test_a_reload_moves_it_and_changes_who_may_use_it(folder: Path) -> None:
    path, moved = folder / "lmtp", folder / "moved"
    with serving(write(folder, path)):
        with smtplib.LMTP(str(path)) as kept:
            write(folder, path, mode="0666")
            wait_for(lambda: stat.S_IMODE(path.lstat().st_mode) == 0o666, what="others may write")
            write(folder, moved)
            wait_for(lambda: answers(moved), what="the new socket answers")
            wait_for(lambda: not path.exists(), what="the old one is gone")
            assert kept.noop()[0] == 250
        assert replies_at(moved, "alice@example.com") == [250]


def test_after_a_kill_the_next_server_takes_its_place(folder: Path) -> None:
    path = folder / "lmtp"
    spec = write(folder, path)
    with serving(spec) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
        wait_for(lambda: not answers(path), what="its workers have ended")
    assert path.exists()
    (spec.with_suffix("") / "run" / "status.json").unlink()
    with serving(spec):
        assert replies_at(path, "alice@example.com") == [250]


def test_a_second_server_does_not_take_it_away(folder: Path) -> None:
    path = folder / "lmtp"
    with serving(write(folder, path)):
        ended = run_client([*MAILSTACK, "serve", os.fspath(write(folder, path, state="other"))])
        assert ended.returncode == 1
        assert f"lmtp on {path}: another program listens there".encode() in ended.stderr
        assert replies_at(path, "alice@example.com") == [250]
