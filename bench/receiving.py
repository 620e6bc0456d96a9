"""From a stranger: SPF, DKIM, DMARC, then the mailbox: signed messages of 4 KB, 10 connections, DNS asked beforehand.

Server CPU per message counts. The same messages go to a server of ours that checks nobody and, where it is installed,
to Postfix with OpenDKIM before Dovecot; they take turns in one run. That rival looks up neither SPF nor DMARC, and has
the key in a file. The load tool fails when a message is lost or doubled, and at the end each of ours must say that all
three passed. Then messages of 50 MB: CPU, and memory beyond what the server had before.
"""

import asyncio
import base64
import imaplib
import random
import re
import smtplib
import statistics
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.appliance import (
    DOMAIN,
    PASSWORD,
    PEERS,
    Running,
    cpu_s,
    peers_folder,
    postfix_opendkim_dovecot,
    process_tree,
    sandbox,
    smtp_load,
)
from bench.smtp import DOVECOT_IMAP, wait_for_rest
from bench.spf import strings
from mailstack.mailauth.dkim.keys import load
from mailstack.mailauth.dkim.sign import sign
from mailstack.model.instant import SECOND_MS, Instant
from tests.support.dns_server import dns_server

MESSAGES = 1_000
RUNS = 5
ACCOUNTS = 100
LARGE_OCTETS = 50_000_000
LARGE_RUNS = 3
LOOK_S = 0.002
# ../shared/peers/lib.sh, mkdkim and smtpload.py
POSTFIX_SMTP = 10025
SELECTOR, AUTHOR_DOMAIN = "sel", "example.com"
SENDER_DOMAINS = ("example.com", "example.org", "example.net", f"bench.{DOMAIN}")

_RESULTS = re.compile(rb"^Authentication-Results: mail\.", re.MULTILINE)
_PASSES = (
    rb"iprev=pass ",
    rb"spf=pass smtp.mailfrom=",
    rb"spf=pass smtp.helo=",
    rb"dkim=pass header.d=",
    rb"dmarc=pass ",
)


@dataclass(slots=True, kw_only=True)
class Contender:
    """servers: pids or pid files, as the load tool takes them."""

    name: str
    port: int
    imap_port: int
    servers: str
    cpu_ms: list[float] = field(default_factory=list)
    per_second: list[float] = field(default_factory=list)

    @property
    def median_cpu_ms(self) -> float:
        return statistics.median(self.cpu_ms)

    def receive(self, pool: Path) -> None:
        result = smtp_load(port=self.port, imap_port=self.imap_port, count=MESSAGES, servers=self.servers, pool=pool)
        self.cpu_ms.append(result["srv_cpu_ms_msg"])
        self.per_second.append(result["delivered_rate"])

    def __str__(self) -> str:
        rate = statistics.median(self.per_second)
        least, most = min(self.cpu_ms), max(self.cpu_ms)
        return (
            f"{self.name:30} {least:.2f} / {self.median_cpu_ms:.2f} / {most:.2f} ms CPU a message,"
            f" {rate:,.0f} delivered/s"
        )


@dataclass(slots=True, kw_only=True)
class Spent:
    """own_mb, files_mb: memory of the processes and of files they map, at most, beyond what it was before."""

    cpu_s: float = 0.0
    own_mb: float = 0.0
    files_mb: float = 0.0


def main() -> None:
    with_signed_mail(_compare)


def with_signed_mail(compare: Callable[[Path, str], None]) -> None:
    """compare: is given the folder of the messages and their key, and the DNS server that knows their senders."""
    if not PEERS.exists():
        print("no load tools at ../shared/peers: nothing measured")
        return
    subprocess.run([str(PEERS / "mkdkim")], check=True, stdout=subprocess.DEVNULL)
    asyncio.run(_measure(peers_folder() / "dkim", compare))


async def _measure(keys: Path, compare: Callable[[Path, str], None]) -> None:
    async with dns_server(_sender_names((keys / "keys.txt").read_text()), ttl_s=3_600) as dns:
        await asyncio.to_thread(compare, keys, dns.endpoint)


def _sender_names(key_file: str) -> Mapping[str, Mapping[str, list[str]]]:
    """What the senders publish. key_file: one line, a name and its TXT record."""
    key_name, _, key_record = key_file.strip().partition(" ")
    return {
        key_name: _texts(key_record),
        **{domain: _texts("v=spf1 ip4:127.0.0.1 -all") for domain in SENDER_DOMAINS},
        f"_dmarc.{AUTHOR_DOMAIN}": _texts("v=DMARC1; p=reject"),
        "1.0.0.127.in-addr.arpa": {"PTR": [f"mx.{AUTHOR_DOMAIN}."]},
        f"mx.{AUTHOR_DOMAIN}": {"A": ["127.0.0.1"]},
    }


def _texts(text: str) -> Mapping[str, list[str]]:
    return {"TXT": [" ".join(strings(text))]}


def _compare(keys: Path, resolver: str) -> None:
    dns = f'dns: {{resolvers: ["{resolver}"]}}'
    with (
        sandbox(accounts=ACCOUNTS, sections=(dns, "receiving: {trusted_peers: []}", "spam: off")) as checking,
        sandbox(accounts=ACCOUNTS, sections=(dns,)) as trusting,
        postfix_opendkim_dovecot() as rival,
    ):
        ours = [contender("mailstack, all checks", checking), contender("mailstack, no checks", trusting)]
        theirs = _rivals(rival)
        for _ in range(1 + RUNS):
            for each in (*ours, *theirs):
                each.receive(keys / "pool")
            wait_for_rest(checking.pid, trusting.pid)
        show([*ours, *theirs])
        _demand_passes(checking, (1 + RUNS) * MESSAGES)
        _measure_large(checking, (keys / "key.pem").read_text())


def contender(name: str, running: Running) -> Contender:
    return Contender(name=name, port=running.port("smtp"), imap_port=running.port("imap"), servers=str(running.pid))


def _rivals(pid_files: str | None) -> list[Contender]:
    if pid_files is None:
        return []
    name = "Postfix, OpenDKIM, Dovecot"
    return [Contender(name=name, port=POSTFIX_SMTP, imap_port=DOVECOT_IMAP, servers=pid_files)]


def show(contenders: list[Contender]) -> None:
    for contender in contenders:
        del contender.cpu_ms[0], contender.per_second[0]  # caches were cold
        print(contender)
    first, *_, last = (contender.median_cpu_ms for contender in contenders)
    if len(contenders) > 2:
        print(f"the rival's server CPU is {last / first:.1f} times ours (medians {last:.2f}, {first:.2f} ms)")


def _demand_passes(running: Running, count: int) -> None:
    passed = sum(_passed(running, number) for number in range(ACCOUNTS))
    if passed != count:
        raise RuntimeError(f"{passed} of {count} messages say that every check passed")
    print(f"{passed:,} messages there, each says that iprev, SPF, DKIM and DMARC passed")


def _passed(running: Running, account: int) -> int:
    """Messages of that account that say so."""
    with imaplib.IMAP4("127.0.0.1", running.port("imap")) as imap:
        imap.login(f"u{account}@{DOMAIN}", PASSWORD)
        imap.select("INBOX", readonly=True)
        _, found = imap.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (Authentication-Results)])")
    headers = [item[1] for item in found if isinstance(item, tuple)]
    return sum(len(_RESULTS.findall(each)) == 1 and all(word in each for word in _PASSES) for each in headers)


def _measure_large(running: Running, private_pem: str) -> None:
    key = load(domain=AUTHOR_DOMAIN, selector=SELECTOR, private_pem=private_pem)
    plain = _large_message()
    signed = sign(plain, [key], now=Instant(int(time.time()) * SECOND_MS)) + plain
    _send(running, plain)
    wait_for_rest(running.pid)
    for name, raw in (("50 MB", plain), ("50 MB, signed", signed)):
        _show_large(name, [_receive_large(running, raw) for _ in range(LARGE_RUNS)])


def _show_large(name: str, runs: list[tuple[Spent, Spent]]) -> None:
    for moment, spent in zip((name, "  the index, afterwards"), zip(*runs, strict=True), strict=True):
        print(
            f"{moment:30} {statistics.median(run.cpu_s for run in spent):.2f} s CPU,"
            f" {max(run.own_mb for run in spent):.1f} MB of memory more at most"
            f" (and {max(run.files_mb for run in spent):.0f} MB of files mapped)"
        )


def _large_message() -> bytes:
    text = base64.encodebytes(random.Random(1).randbytes(LARGE_OCTETS * 54 // 73)).replace(b"\n", b"\r\n")
    header = (
        f"From: a@{AUTHOR_DOMAIN}\r\nTo: u0@{DOMAIN}\r\nSubject: large\r\nMessage-ID: <large@{AUTHOR_DOMAIN}>\r\n"
        "Date: Sun, 29 Nov 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: application/pdf\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\n"
    )
    return header.encode() + text[: LARGE_OCTETS - len(header)] + b"\r\n"


def _receive_large(running: Running, raw: bytes) -> tuple[Spent, Spent]:
    """Until the reply, and from there to rest."""
    with _spending(running.pid) as receiving:
        _send(running, raw)
    with _spending(running.pid) as indexing:
        wait_for_rest(running.pid)
    return receiving, indexing


def _send(running: Running, raw: bytes) -> None:
    with smtplib.SMTP("127.0.0.1", running.port("smtp"), local_hostname=f"bench.{DOMAIN}", timeout=120) as client:
        client.sendmail(f"a@{AUTHOR_DOMAIN}", [f"u0@{DOMAIN}"], raw)


@contextmanager
def _spending(root: int) -> Iterator[Spent]:
    """Complete when the context ends."""
    tree = process_tree(root)
    begun_s, begun = cpu_s(root), _memory_mb(tree)
    spent = Spent()
    is_over = threading.Event()

    def look() -> None:
        while not is_over.wait(LOOK_S):
            own_mb, files_mb = _memory_mb(tree)
            spent.own_mb = max(spent.own_mb, own_mb - begun[0])
            spent.files_mb = max(spent.files_mb, files_mb - begun[1])

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield spent
    finally:
        is_over.set()
        looking.join()
        spent.cpu_s = cpu_s(root) - begun_s


def _memory_mb(pids: list[int]) -> tuple[float, float]:
    """Their own; and that of files, which the system takes back when it needs it."""
    own_kb = files_kb = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                own_kb += int(line.split()[1])
            elif line.startswith("RssFile:"):
                files_kb += int(line.split()[1])
    return own_kb / 1024, files_kb / 1024


if __name__ == "__main__":
    main()
