"""Workers are killed at random while mail comes in: what got its 250 is there exactly once for each recipient."""

import imaplib
import os
import random
import re
import signal
import smtplib
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

import pytest

from tests.support.engines import size
from tests.support.over_sockets import CLIENT_S
from tests.support.sandbox import Sandbox, running_sandbox, wait_for
from tests.support.sink import Sink

pytestmark = pytest.mark.slow

DELIVERIES, FEW_DELIVERIES = 400, 200
CLIENTS = 8
ACCOUNTS = 10
EVERY_NTH_LEAVES = 10
PER_CONNECTION = 10
KILL_AFTER_S = (0.1, 0.6)
KILL_AFTER_MAILS = 4
IDENTITY = re.compile(rb"X-Identity: (\S+)")
OUTSIDE = "friend@elsewhere.example"


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    file = tmp_path / "spec" / "mailstack.yaml"
    file.parent.mkdir()
    accounts = "".join(f"  u{number}@example.com: {{}}\n" for number in range(ACCOUNTS))
    file.write_text(
        "server: {hostname: mail.example.com, workers: 2, limits: {connections_per_ip: 1000}}\n"
        f"domains: {{example.com: {{}}}}\naccounts:\n{accounts}"
        f"aliases: {{leaving@example.com: [u0@example.com, {OUTSIDE}]}}\n"
    )
    return file


class Sender(threading.Thread):
    """accepted: of each message that got its 250, the recipients. Without a 250, the client begins a new message."""

    def __init__(self, sandbox: Sandbox, number: int, wanted: int) -> None:
        super().__init__(name=f"sender-{number}")
        self._sandbox = sandbox
        self._number = number
        self._wanted = wanted
        self._chance = random.Random(number)
        self._ids = count()
        self.accepted: dict[str, tuple[str, ...]] = {}
        self.interrupted = 0

    def run(self) -> None:
        while len(self.accepted) < self._wanted:
            try:
                with smtplib.SMTP("127.0.0.1", self._sandbox.port("smtp"), "client.example", timeout=20) as smtp:
                    for _ in range(min(PER_CONNECTION, self._wanted - len(self.accepted))):
                        self._send(smtp)
            except (OSError, smtplib.SMTPException):
                self.interrupted += 1

    def _send(self, smtp: smtplib.SMTP) -> None:
        number = next(self._ids)
        identity = f"{self._number}-{number}"
        to = tuple(self._chance.sample([f"u{each}@example.com" for each in range(ACCOUNTS)], 2))
        if number % EVERY_NTH_LEAVES == 0:
            to = ("leaving@example.com",)
        text = f"X-Identity: {identity}\r\nSubject: {identity}\r\n\r\n{'x' * 70}\r\n"
        smtp.sendmail("x@customer.example", to, text)
        self.accepted[identity] = to


@contextmanager
def random_kills(sandbox: Sandbox, accepted: Callable[[], int]) -> Iterator[list[int]]:
    """What it gives grows with each process that was killed. accepted: how many mails so far, for on a busy machine no
    worker would live long enough to take any."""
    killed: list[int] = []
    over = threading.Event()

    def kill() -> None:
        chance, next_at = random.Random(1), 0
        while not over.wait(chance.uniform(*KILL_AFTER_S)):
            if accepted() >= next_at and (workers := sandbox.workers()):
                next_at = accepted() + KILL_AFTER_MAILS
                pid = chance.choice(workers)
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    killed.append(pid)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        yield killed
    finally:
        over.set()
        killer.join()


def stored(sandbox: Sandbox, account: str) -> Counter[str]:
    with imaplib.IMAP4("127.0.0.1", sandbox.port("imap"), timeout=CLIENT_S) as imap:
        imap.login(account, "pw")
        imap.select("INBOX", readonly=True)
        _, data = imap.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (X-Identity)])")
    return Counter(
        found[1].decode()
        for part in data
        if isinstance(part, tuple) and (found := IDENTITY.search(part[1])) is not None
    )


def test_nothing_accepted_is_lost_or_doubled_when_workers_are_killed(spec: Path, tmp_path: Path, sink: Sink) -> None:
    deliveries = size(DELIVERIES, on_postgres=FEW_DELIVERIES)
    arguments = ("--passwords", "pw", "--outbound", f"127.0.0.1:{sink.port}", "--log-level", "warning")
    with running_sandbox(spec, tmp_path / "sandbox", *arguments) as sandbox:
        senders = [Sender(sandbox, number, deliveries // CLIENTS) for number in range(CLIENTS)]
        with random_kills(sandbox, lambda: sum(len(sender.accepted) for sender in senders)) as killed:
            for sender in senders:
                sender.start()
            for sender in senders:
                sender.join()
        accepted = {identity: to for sender in senders for identity, to in sender.accepted.items()}
        leaving = {identity for identity, to in accepted.items() if to == ("leaving@example.com",)}
        expected = {
            f"u{number}@example.com": {
                identity
                for identity, to in accepted.items()
                if f"u{number}@example.com" in to or (number == 0 and identity in leaving)
            }
            for number in range(ACCOUNTS)
        }
        found = {account: stored(sandbox, account) for account in expected}
        wait_for(lambda: leaving <= seen_by(sink), what="every queued mail leaves")
    assert len(accepted) == deliveries
    assert len(killed) >= 3
    assert sum(sender.interrupted for sender in senders) > 0
    copies = {(account, identity): found[account][identity] for account in expected for identity in expected[account]}
    assert {place: number for place, number in copies.items() if number != 1} == {}


def seen_by(sink: Sink) -> set[str]:
    return {found[1].decode() for taken in sink.taken if (found := IDENTITY.search(taken.content)) is not None}


def test_a_killed_worker_is_replaced_and_the_others_go_on(spec: Path, tmp_path: Path) -> None:
    with running_sandbox(spec, tmp_path / "sandbox", "--passwords", "pw") as sandbox:
        first = sandbox.workers()
        os.kill(first[0], signal.SIGKILL)
        wait_for(lambda: len(set(sandbox.workers()) - {first[0]}) == 2, what="another worker")
        assert first[1] in sandbox.workers()
        assert stored(sandbox, "u1@example.com") == Counter()


def test_workers_end_with_a_supervisor_that_was_killed(spec: Path, tmp_path: Path) -> None:
    with running_sandbox(spec, tmp_path / "sandbox", "--passwords", "pw") as sandbox:
        workers = sandbox.workers()
        sandbox.process.kill()
        sandbox.process.wait()
        wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers), what="the workers are gone")
    with running_sandbox(spec, tmp_path / "again", "--passwords", "pw", state=sandbox.state) as second:
        assert stored(second, "u1@example.com") == Counter()
