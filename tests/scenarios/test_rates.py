"""How fast a whole server sends to one destination: all its workers together, no faster than the spec says."""

import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from click.testing import CliRunner

from mailstack.cli.main import cli
from mailstack.model.instant import SECOND_MS
from mailstack.model.rate import Rate
from tests.support.over_sockets import CLIENT_S, SmtpOver, unverified
from tests.support.ports import free_port
from tests.support.sandbox import Sandbox, save, wait_for
from tests.support.serving import serving_spec
from tests.support.sink import Sink, running_sink

pytestmark = pytest.mark.slow

PASSWORD = "correct horse"
HASH = PasswordHasher(time_cost=1, memory_cost=8_192, parallelism=1).hash(PASSWORD)
RATE = Rate(30, "m")
MAILS = 50  # more than go by the rate while a busy machine looks at them
LATER = 3
SPEC = """\
server:
  hostname: mail.example.com
  workers: 2
  listeners: {{submission: ["127.0.0.1:{port}"], smtp: [], submissions: [], managesieve: [],
    imap: [], imaps: [], http: [], https: []}}
storage: {{path: state}}
domains: {{example.com: }}
accounts: {{alice@example.com: {{password: env/PASSWORD}}}}
relays:
  slow: {{host: 127.0.0.1, port: {slow}, tls: none}}
  other: {{host: localhost, port: {other}, tls: none}}
routes: [{{to: slow.test, via: slow}}, {{via: other}}]
sending: {{destinations: {{"127.0.0.1": {{rate: {rate}}}}}}}
"""


@dataclass
class House:
    spec: Path
    port: int
    slow: Sink
    other: Sink
    began: float = field(default_factory=time.monotonic)
    times: list[float] = field(default_factory=list)

    def write(self, rate: str) -> None:
        text = SPEC.format(port=self.port, slow=self.slow.port, other=self.other.port, rate=rate)
        save(self.spec, text)

    def submit(self, *recipients: str) -> None:
        with SmtpOver(socket.create_connection(("127.0.0.1", self.port), timeout=CLIENT_S)) as client:
            client.starttls(context=unverified())
            client.login("alice@example.com", PASSWORD)
            for recipient in recipients:
                client.sendmail("alice@example.com", [recipient], "From: alice@example.com\r\n\r\nhello\r\n")

    def run(self, *arguments: str) -> str:
        result = CliRunner().invoke(cli, arguments, env={"PASSWORD": HASH})
        assert result.exit_code == 0, result.output
        return result.stdout


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    spec = tmp_path / "mailstack.yaml"
    with running_sink(free_port()) as slow, running_sink(free_port()) as other:
        found = House(spec, free_port(), slow, other)
        slow.when_taken = lambda: found.times.append(time.monotonic())
        found.write(str(RATE))
        with serving_spec(spec, PASSWORD=HASH):
            yield found


def test_all_workers_together_send_no_faster_than_the_spec_says(house: House) -> None:
    house.submit(*(f"b{number}@slow.test" for number in range(MAILS)), "c@other.test")
    wait_for(lambda: len(house.other.taken) == 1, what="mail for others")
    wait_for(lambda: len(house.times) >= RATE.burst + LATER, what="what came after the first")
    # From the beginning: a mail that took its time on the way makes none too early.
    for count, at in enumerate(sorted(house.times), start=1):
        passed_s = at - house.began
        assert count <= RATE.burst + passed_s * SECOND_MS / RATE.interval_ms, f"{count} within {passed_s} s"
    (held_back,) = json.loads(house.run("status", str(house.spec), "--format", "json"))["queue"]["held_back"]
    assert held_back["destination"] == "127.0.0.1"
    assert held_back["why"] == f"not tried yet, for 127.0.0.1 gets no more than {RATE} from here"
    entries = json.loads(house.run("queue", "list", str(house.spec), "--format", "json"))
    assert {entry["tries"] for entry in entries} == {0}

    house.write("null")
    status = house.spec.parent / "state" / "run" / "status.json"
    wait_for(lambda: "reload" in json.loads(status.read_text()), what="every worker has the new spec")
    house.run("queue", "retry", str(house.spec), "--all")
    wait_for(lambda: len(house.times) == MAILS, what="the rest, without a rate")
    assert len({taken.recipients for taken in house.slow.taken}) == MAILS


def test_each_worker_has_the_lock_of_what_they_count_together_and_so_has_one_that_replaces_it(sandbox: Sandbox) -> None:
    first = sandbox.workers()
    assert all(map(has_lock, first))
    os.kill(first[0], signal.SIGKILL)
    wait_for(lambda: len(set(sandbox.workers()) - {first[0]}) == len(first), what="another worker in its place")
    assert all(map(has_lock, sandbox.workers()))


def has_lock(worker: int) -> bool:
    files = Path(f"/proc/{worker}/fd").iterdir()
    return any("mailstack-meters" in str(file.readlink()) for file in files if file.is_symlink())
