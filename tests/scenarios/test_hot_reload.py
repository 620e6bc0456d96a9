"""Saving the spec is enough: what is open goes on, what is new works, and nothing is refused on the way."""

import imaplib
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import pytest

from tests.support.over_sockets import CLIENT_S
from tests.support.sandbox import MAILSTACK, Sandbox, run_client, save, wait_for

pytestmark = pytest.mark.slow


def can_log_in(sandbox: Sandbox, login: str) -> bool:
    imap = imaplib.IMAP4("127.0.0.1", sandbox.port("imap"), timeout=CLIENT_S)
    try:
        imap.login(login, "pw")
    except imaplib.IMAP4.error:
        return False
    else:
        return True
    finally:
        imap.shutdown()


@contextmanager
def dialogue(sandbox: Sandbox, service: str) -> Iterator["Dialogue"]:
    with (
        socket.create_connection(("127.0.0.1", sandbox.port(service)), timeout=CLIENT_S) as connection,
        connection.makefile("rb") as lines,
    ):
        yield Dialogue(connection, lines)


class Dialogue:
    def __init__(self, connection: socket.socket, lines: BinaryIO) -> None:
        self._connection = connection
        self._lines = lines

    def say(self, text: bytes) -> None:
        self._connection.sendall(text)

    def hear(self, start: bytes) -> bytes:
        """The first line that starts so."""
        while line := self._lines.readline():
            if line.startswith(start):
                return line
        raise AssertionError(f"the connection ended before {start!r}")


def test_an_account_added_while_running_logs_in_and_open_connections_go_on(sandbox: Sandbox, spec: Path) -> None:
    with dialogue(sandbox, "imap") as imap, dialogue(sandbox, "smtp") as smtp:
        imap.hear(b"* OK")
        imap.say(b"a LOGIN alice@example.com pw\r\nb SELECT INBOX\r\nc IDLE\r\n")
        imap.hear(b"+")
        smtp.say(b"EHLO client.example\r\n")
        smtp.hear(b"250 ")
        smtp.say(b"MAIL FROM:<x@customer.example>\r\n")
        smtp.hear(b"250 ")
        smtp.say(b"RCPT TO:<alice@example.com>\r\nDATA\r\n")
        smtp.hear(b"354 ")
        smtp.say(b"Subject: first half\r\n\r\n")

        # How long it takes is `python -m bench lifecycle`'s to say: here other tests share the machine.
        for name in ("carol", "dave"):
            save(spec, spec.read_text().replace("aliases:\n", f"  {name}@example.com: {{}}\naliases:\n"))
            wait_for(lambda name=name: can_log_in(sandbox, f"{name}@example.com"), what=f"{name} logs in")

        smtp.say(b"second half\r\n.\r\n")
        smtp.hear(b"250 ")
        imap.hear(b"* 1 EXISTS")
        imap.say(b"DONE\r\nd FETCH 1 BODY[]\r\n")
        imap.hear(b"c OK")
        imap.hear(b"second half")
        imap.hear(b"d OK")


def test_a_spec_with_faults_changes_nothing_and_says_where_they_are(sandbox: Sandbox, spec: Path) -> None:
    good = spec.read_text()
    save(spec, good + "nonsense: true\n")
    wait_for(lambda: "nonsense" in sandbox.log, what="the fault is logged")
    wait_for(lambda: "reload" in sandbox.status(), what="the status is written")
    assert "mailstack.yaml:12:1" in sandbox.log
    assert can_log_in(sandbox, "alice@example.com")
    reload = sandbox.status()["reload"]
    assert isinstance(reload, dict)
    assert reload["ok"] is False
    assert "nonsense" in reload["message"]
    save(spec, good)
    wait_for(lambda: sandbox.status()["reload"]["ok"] is True, what="the next save is fine")  # type: ignore[index]


def test_a_saved_script_counts_at_once_and_one_that_was_missing_mends_the_spec(sandbox: Sandbox, spec: Path) -> None:
    folder = spec.parent / "sieve"
    folder.mkdir()
    script, other = folder / "all.sieve", folder / "more" / "other.sieve"
    script.write_text("keep;\n")
    save(spec, f"{spec.read_text()}sieve: {{before: [{{file: sieve/all.sieve}}]}}\n")

    def run_first() -> str:
        shown = run_client([*MAILSTACK, "sieve", "show", str(spec), "alice@example.com", "--state", str(sandbox.state)])
        return shown.stdout.decode()

    wait_for(lambda: "keep;" in run_first(), what="the script is applied")
    save(script, "# saved again\nkeep;\n")
    wait_for(lambda: "saved again" in run_first(), what="the script that was saved is applied")
    save(script, "kep;\n")
    wait_for(lambda: "sieve/all.sieve:1:1" in sandbox.log, what="its fault is logged")
    save(script, "keep;\n")
    other.parent.mkdir()
    save(spec, spec.read_text().replace("before:", "after: [{file: sieve/more/other.sieve}], before:"))
    wait_for(lambda: "other.sieve cannot be read" in sandbox.log, what="the missing script is logged")
    save(other, "# the other\nkeep;\n")
    wait_for(lambda: "the other" in run_first(), what="the script that was missing is applied")
