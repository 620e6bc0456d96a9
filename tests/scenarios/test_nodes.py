"""Two nodes on one PostgreSQL: the same spec, the same ports, each in a network namespace of its own."""

import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.support.netns import namespace_command, run_in_namespace
from tests.support.postgres import QUICK, fresh_database, running_postgres
from tests.support.sandbox import MAILSTACK, stop, wait_for

pytestmark = pytest.mark.slow

DEADLINE_S = 180.0
LIMIT = 20
PASSWORD = "correct horse battery staple"
SPEC = """\
server:
  hostname: mail.example.com
  workers: 2
  limits: {{connections_per_ip: {limit}}}
  listeners: {{smtp: ["127.0.0.1:2525"], imap: ["127.0.0.1:2143"], submission: [], submissions: [], imaps: [],
    http: [], https: []}}
storage: {{path: state, database: env/DATABASE_URL}}
tls: {{issuer: self-signed}}
domains: {{example.com: {{}}}}
accounts: {{alice@example.com: {{password: env/ALICE}}{more}}}
"""

# What runs in a node's namespace. Each prints one line for each thing that came about.
IDLE = """
import imaplib, ssl, sys
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
imap = imaplib.IMAP4("127.0.0.1", 2143, timeout=180)
imap.starttls(context)
imap.login("alice@example.com", sys.argv[1])
imap.select()
imap.send(b"x IDLE\\r\\n")
while line := imap.readline():
    if line.startswith(b"+"):
        print("idle", flush=True)
    if b"EXISTS" in line:
        print(line.split()[1].decode(), flush=True)
"""
SEND = """
import smtplib, sys
with smtplib.SMTP("127.0.0.1", 2525, "client.example", timeout=180) as smtp:
    smtp.sendmail("x@customer.example", [sys.argv[1]], "Subject: hello\\r\\n\\r\\nHello\\r\\n")
print("sent", flush=True)
"""
ACCEPTED = """
import smtplib, sys
with smtplib.SMTP("127.0.0.1", 2525, "client.example", timeout=180) as smtp:
    smtp.ehlo()
    smtp.mail("x@customer.example")
    print(smtp.rcpt(sys.argv[1])[0], flush=True)
"""
HOLD = """
import socket, sys
held = [socket.create_connection(("127.0.0.1", 2525), timeout=180) for _ in range(int(sys.argv[1]))]
print(sum([line.recv(3) == b"220" for line in held]), flush=True)
sys.stdin.read()
"""
TRY = HOLD.replace("sys.stdin.read()", "")


class Node:
    def __init__(self, folder: Path, database: str) -> None:
        folder.mkdir()
        self.spec = folder / "mailstack.yaml"
        self.write()
        self._environment = {**os.environ, "DATABASE_URL": database, "ALICE": PASSWORD}
        self.process = self.start()

    def write(self, more: str = "") -> None:
        draft = self.spec.with_suffix(".draft")
        draft.write_text(SPEC.format(limit=LIMIT, more=more))
        draft.replace(self.spec)

    def start(self) -> "subprocess.Popen[bytes]":
        with self.spec.with_suffix(".log").open("ab") as log:
            process = subprocess.Popen(
                namespace_command([*MAILSTACK, "serve", str(self.spec)]),
                stdout=subprocess.DEVNULL,
                stderr=log,
                env=self._environment,
            )
        status = self.spec.parent / "state" / "run" / "status.json"
        wait_for(lambda: status.exists() or process.poll() is not None, timeout_s=DEADLINE_S, what="serving")
        assert process.poll() is None, self.spec.with_suffix(".log").read_text()
        return process

    def run(self, script: str, *arguments: str) -> "subprocess.Popen[str]":
        return run_in_namespace(self.process.pid, script, *arguments)

    def ask(self, script: str, *arguments: str) -> str:
        """The one line that it says."""
        said, _ = self.run(script, *arguments).communicate(timeout=DEADLINE_S)
        return said.strip()

    def kill(self) -> None:
        """The supervisor, and its workers with it: as a machine that loses its power."""
        status = json.loads((self.spec.parent / "state" / "run" / "status.json").read_text())
        for pid in [self.process.pid, *status["workers"]]:
            os.kill(pid, signal.SIGKILL)
        self.process.wait(timeout=DEADLINE_S)


@pytest.fixture
def database() -> Iterator[str]:
    with ExitStack() as held:
        sockets = held.enter_context(tempfile.TemporaryDirectory(prefix="mailstack-sockets-"))
        Path(sockets).chmod(0o777)
        server = held.enter_context(running_postgres(settings=(*QUICK, f"unix_socket_directories={sockets}")))
        name = held.enter_context(fresh_database(server)).rpartition("/")[2]
        yield f"postgresql://mailstack@/{name}?{urlencode({'host': sockets, 'port': server.port})}"


@pytest.fixture
def nodes(database: str, tmp_path: Path) -> Iterator[tuple[Node, Node]]:
    with ExitStack() as held:
        started = []
        for name in ("one", "two"):
            started.append(Node(tmp_path / name, database))
            held.callback(stop, started[-1].process)
        yield started[0], started[1]


def line_of(client: "subprocess.Popen[str]") -> str:
    assert client.stdout is not None
    return client.stdout.readline().strip()


def test_two_nodes_are_one_server(nodes: tuple[Node, Node]) -> None:
    one, two = nodes
    with ExitStack() as held:
        waiting = held.enter_context(two.run(IDLE, PASSWORD))
        held.callback(waiting.kill)
        assert line_of(waiting) == "idle"
        assert one.ask(SEND, "alice@example.com") == "sent"
        assert line_of(waiting) == "1"

        # What one applies, the other serves.
        assert two.ask(ACCEPTED, "bob@example.com") == "550"
        for node in nodes:
            node.write(more=", bob@example.com: {}")
        wait_for(lambda: two.ask(ACCEPTED, "bob@example.com") == "250", timeout_s=DEADLINE_S)
        wait_for(lambda: one.ask(ACCEPTED, "bob@example.com") == "250", timeout_s=DEADLINE_S)

        # A peer has its connections once.
        crowd = held.enter_context(one.run(HOLD, str(LIMIT)))
        held.callback(crowd.kill)
        assert line_of(crowd) == str(LIMIT)
        wait_for(lambda: two.ask(TRY, "1") == "0", timeout_s=DEADLINE_S)

        # A node that dies takes nothing with it; what it held is given again.
        one.kill()
        wait_for(lambda: two.ask(TRY, "1") == "1", timeout_s=DEADLINE_S)
        assert two.ask(SEND, "alice@example.com") == "sent"
        assert line_of(waiting) == "2"
