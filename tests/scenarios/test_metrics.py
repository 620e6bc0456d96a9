"""A server under mail, seen by who scrapes it: its figures grow with the mail, and never go back, whatever becomes of
its workers and of its spec."""

import imaplib
import os
import signal
import smtplib
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import psycopg
import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from mailstack.servers.http.health import LIVE_PATHS, READY_PATHS
from tests.support.over_sockets import CLIENT_S
from tests.support.sandbox import Sandbox, running_sandbox, save, wait_for

pytestmark = pytest.mark.slow

SPEC = """server: {{hostname: mail.example.com, workers: 2}}
domains: {{example.com: {{}}}}
accounts:
  alice@example.com: {{name: {name}}}
"""
MAIL = "From: x@customer.example\r\nSubject: hello\r\n\r\nhello\r\n"
MAILS = 12
JUNK = 100
MOST_FIGURES = 1_500
Figures = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    file = tmp_path / "mailstack.yaml"
    file.write_text(SPEC.format(name="Alice"))
    return file


@pytest.fixture
def sandbox(spec: Path, tmp_path: Path) -> Iterator[Sandbox]:
    with running_sandbox(spec, tmp_path / "run", "--passwords", "pw", "--log-level", "warning") as running:
        yield running


class Watcher:
    """Scrapes as Prometheus does, on a connection for each, and so of either worker. went_back: counters that did."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._url = f"http://127.0.0.1:{sandbox.port('metrics')}/metrics"
        self._counted: Figures = {}
        self.went_back: list[str] = []
        self.scrapes = 0

    def scrape(self) -> Figures:
        families = [*text_string_to_metric_families(httpx.get(self._url, timeout=CLIENT_S).text)]
        counted = _figures(family for family in families if family.type != "gauge")
        for key, before in self._counted.items():
            if counted.get(key, 0) < before:
                self.went_back.append(f"{key}: {before} to {counted.get(key)}")
        self._counted = counted
        self.scrapes += 1
        return _figures(families)

    def figure(self, name: str, **labels: str) -> float:
        return self.scrape().get((f"mailstack_{name}", tuple(sorted(labels.items()))), 0)

    def watch_until(self, over: threading.Event) -> None:
        """One that a dying worker was just to answer gets nothing, and is tried again, as Prometheus does."""
        while not over.is_set():
            with suppress(httpx.HTTPError):
                self.scrape()


def _figures(families: "Iterator[Metric] | list[Metric]") -> Figures:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def send(sandbox: Sandbox, count: int) -> None:
    for _ in range(count):
        with smtplib.SMTP("127.0.0.1", sandbox.port("smtp"), "client.example", timeout=CLIENT_S) as smtp:
            smtp.sendmail("x@customer.example", ["alice@example.com"], MAIL)


def test_figures_grow_with_the_mail_and_never_go_back(sandbox: Sandbox, spec: Path) -> None:
    watcher = Watcher(sandbox)
    assert watcher.figure("processes", role="worker") == 2
    send(sandbox, MAILS)
    accepted = {"service": "mx", "outcome": "accepted", "phase": "data"}
    # The log is for warnings only, and has none of it.
    assert watcher.figure("smtp_transactions_total", **accepted) == MAILS
    assert watcher.figure("smtp_transaction_seconds_count", service="mx", outcome="accepted") == MAILS
    assert watcher.figure("deliveries_total", outcome="delivered") == MAILS
    assert watcher.figure("connections_total", service="mx") == MAILS

    # Each worker dies once, while it is watched.
    over = threading.Event()
    watching = threading.Thread(target=watcher.watch_until, args=(over,))
    watching.start()
    try:
        for victim in sandbox.workers():
            os.kill(victim, signal.SIGKILL)
            wait_for(lambda victim=victim: len(sandbox.workers()) == 2 and victim not in sandbox.workers())
            send(sandbox, 2)
    finally:
        over.set()
        watching.join()
    assert watcher.figure("smtp_transactions_total", **accepted) == MAILS + 4
    assert watcher.figure("workers_died_total") == 2
    assert watcher.figure("connections_open", service="mx") == 0
    wait_for(lambda: watcher.figure("processes", role="worker") == 2)

    # And a reload resets nothing.
    generation = watcher.figure("generation")
    save(spec, SPEC.format(name="Alice Example"))
    wait_for(lambda: watcher.figure("reloads_total", outcome="applied") >= 1)
    wait_for(lambda: watcher.figure("generation") > generation)
    save(spec, "server: {}\n")
    wait_for(lambda: watcher.figure("reloads_total", outcome="refused") == 1)
    wait_for(lambda: watcher.figure("last_reload_successful") == 0)  # read at most every few seconds
    assert watcher.figure("smtp_transactions_total", **accepted) == MAILS + 4
    assert watcher.went_back == []


def test_what_strangers_say_makes_no_new_figures(sandbox: Sandbox) -> None:
    watcher = Watcher(sandbox)
    send(sandbox, 1)
    _be_strange(sandbox, 0)
    before = watcher.scrape()
    for number in range(1, JUNK):
        _be_strange(sandbox, number)
    after = watcher.scrape()
    # What took how long has figures once there is one; these have from the beginning.
    assert _without_times(after) == _without_times(before)
    assert len(after) < MOST_FIGURES
    assert not any("evil" in value.lower() for _, labels in after for _, value in labels)
    assert watcher.figure("http_request_seconds_count", area="other", status="4xx") >= JUNK
    assert watcher.went_back == []


def _without_times(figures: Figures) -> set[tuple[str, tuple[tuple[str, str], ...]]]:
    return {key for key in figures if not key[0].endswith(("_bucket", "_count", "_sum"))}


def _be_strange(sandbox: Sandbox, number: int) -> None:
    with imaplib.IMAP4("127.0.0.1", sandbox.port("imap"), timeout=CLIENT_S) as imap, suppress(imaplib.IMAP4.error):
        imap.xatom(f"XEVIL{number}")
    pages = f"http://127.0.0.1:{sandbox.port('http')}"
    httpx.get(f"{pages}/evil{number}", headers={"Host": f"evil{number}.example"}, timeout=CLIENT_S)
    with smtplib.SMTP("127.0.0.1", sandbox.port("smtp"), f"ehlo{number}.example", timeout=CLIENT_S) as smtp:
        smtp.docmd(f"XEVIL{number}")
        smtp.mail(f"x{number}@evil{number}.example")
        smtp.rcpt(f"nobody{number}@example.com")


def test_a_database_that_hangs_holds_up_neither_figures_nor_probes(
    spec: Path, tmp_path: Path, empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HANGING_DATABASE", empty_database)
    with running_sandbox(spec, tmp_path / "run", "--database", "env/HANGING_DATABASE") as sandbox:
        watcher, pages = Watcher(sandbox), f"http://127.0.0.1:{sandbox.port('metrics')}"
        assert watcher.figure("scrape_error", source="queue") == 0
        assert {httpx.get(pages + path).status_code for path in (*LIVE_PATHS, *READY_PATHS)} == {200}
        with psycopg.connect(empty_database) as locking:
            locking.execute("LOCK TABLE mail_recipient, generation IN ACCESS EXCLUSIVE MODE")
            assert {httpx.get(pages + path, timeout=CLIENT_S).status_code for path in LIVE_PATHS} == {200}
            assert {httpx.get(pages + path, timeout=CLIENT_S).status_code for path in READY_PATHS} == {503}
            wait_for(lambda: watcher.figure("scrape_error", source="queue") == 1)
            began_at = time.monotonic()
            figures = watcher.scrape()
            assert time.monotonic() - began_at < CLIENT_S / 2
            assert ("mailstack_queue_mails", ()) not in figures
            assert figures["mailstack_processes", (("role", "worker"),)] == 2
        wait_for(lambda: watcher.figure("scrape_error", source="queue") == 0)
        assert httpx.get(pages + READY_PATHS[0]).status_code == 200


def test_who_watches_is_answered_under_load(sandbox: Sandbox) -> None:
    """And mail goes on: all of it arrives while the figures are asked for all the time."""
    watcher, over = Watcher(sandbox), threading.Event()
    watching = threading.Thread(target=watcher.watch_until, args=(over,))
    watching.start()
    senders = [threading.Thread(target=send, args=(sandbox, MAILS * 2)) for _ in range(4)]
    try:
        for sender in senders:
            sender.start()
    finally:
        for sender in senders:
            sender.join()
        over.set()
        watching.join()
    assert watcher.scrapes > 1
    assert watcher.figure("deliveries_total", outcome="delivered") == MAILS * 2 * 4
    assert watcher.figure("scrape_error", source="queue") == 0
    assert watcher.went_back == []
