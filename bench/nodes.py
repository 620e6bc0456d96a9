"""`mailstack serve` on PostgreSQL beside SQLite: server CPU of a delivery and of IMAP commands, in turns.

mailstack's processes are counted, not the database's, which is set as it comes: every COMMIT waits for its disk. IMAP
is spoken over TLS, so its share is in both columns. Needs Debian's postgresql.
"""

import asyncio
import os
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from argon2 import PasswordHasher

from bench.appliance import cpu_s, free_base_port
from tests.support.postgres import fresh_database, running_postgres

DOMAIN = "nodes.test"
PASSWORD = "pw"
ACCOUNTS = 20
MESSAGES = 400
CONNECTIONS = 10
COMMANDS = 400
RUNS = 3
START_DEADLINE_S = 120
LIMIT_BYTES = 1 << 24

BODY = b"".join(b"%d words that nobody reads twice, and a few more of them\r\n" % number for number in range(70))
IMAP = {
    "NOOP": b"NOOP",
    "STATUS": b"STATUS Sent (MESSAGES UNSEEN UIDNEXT)",
    "SELECT": b"SELECT INBOX",
    "FETCH one FLAGS": b"UID FETCH 1 FLAGS",
    "FETCH one body": b"UID FETCH 1 BODY.PEEK[]",
    "FETCH 20, list page": b"FETCH 1:20 (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)",
    "STORE one flag": b"UID STORE 1 %cFLAGS (\\Flagged)",
    "SEARCH UNSEEN": b"UID SEARCH UNSEEN",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    pid: int
    smtp: int
    imaps: int


def main() -> None:
    with running_postgres(settings=()) as server, tempfile.TemporaryDirectory(prefix="mailstack-bench-") as temporary:
        folder = Path(temporary)
        with fresh_database(server) as url, _node(folder / "sqlite") as ours, _node(folder / "postgres", url) as theirs:
            taken: dict[str, list[tuple[float, float]]] = {}
            for number in range(RUNS + 1):
                pairs = [asyncio.run(_measure(node)) for node in (ours, theirs)]
                for name in pairs[0] if number else ():  # the first one only warms up
                    taken.setdefault(name, []).append((pairs[0][name], pairs[1][name]))
    print(f"{'CPU ms, medians of ' + str(RUNS):<28}{'SQLite':>10}{'PostgreSQL':>14}{'ratio':>8}")
    for name, figures in taken.items():
        sqlite, postgres = (statistics.median(pair[at] for pair in figures) for at in (0, 1))
        print(f"{name:<28}{sqlite:>10.2f}{postgres:>14.2f}{postgres / max(sqlite, 0.01):>8.2f}")


@contextmanager
def _node(folder: Path, url: str = "") -> Iterator[Node]:
    """url: of the database; none for SQLite."""
    folder.mkdir()
    base = free_base_port()
    node_spec = folder / "mailstack.yaml"
    node_spec.write_text(_spec_text(base, has_database=bool(url)))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(Path(sys.executable).with_name("mailstack")), "serve", str(node_spec)],
            stdout=log,
            stderr=log,
            env={**os.environ, "DATABASE_URL": url},
        )
    try:
        deadline = time.monotonic() + START_DEADLINE_S
        while b'"event":"serving"' not in (folder / "log").read_bytes():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the server did not start: {(folder / 'log').read_text()}")
            time.sleep(0.05)
        yield Node(pid=process.pid, smtp=base + 25, imaps=base + 993)
    finally:
        process.terminate()
        process.wait(60)


def _spec_text(base: int, *, has_database: bool) -> str:
    # As cheap as a spec may have it.
    password = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
    listeners = f"smtp: ['127.0.0.1:{base + 25}'], imaps: ['127.0.0.1:{base + 993}'], managesieve: []"
    lines = [
        "apiVersion: mailstack/v1",
        "server:",
        f"  hostname: mail.{DOMAIN}",
        "  workers: 1",
        "  limits: {connections_per_ip: 1000}",
        f"  listeners: {{{listeners}, imap: [], submission: [], submissions: [], http: [], https: []}}",
        "tls: {issuer: self-signed}",
        "storage: {path: state" + (", database: env/DATABASE_URL}" if has_database else "}"),
        f"domains: {{{DOMAIN}: {{}}}}",
        "accounts:",
        *(f"  u{number}@{DOMAIN}: {{password: '{password}'}}" for number in range(ACCOUNTS)),
    ]
    return "\n".join(lines) + "\n"


async def _measure(node: Node) -> dict[str, float]:
    """CPU in ms for each operation."""
    taken = {"delivery, 4 KB": await _cpu_ms(node, MESSAGES, lambda: _deliver(node.smtp))}
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    reader, writer = await asyncio.open_connection("127.0.0.1", node.imaps, ssl=context, limit=LIMIT_BYTES)
    await reader.readline()
    command = _Commands(reader, writer)
    await command(b"LOGIN u0@%s %s" % (DOMAIN.encode(), PASSWORD.encode()))
    await command(b"SELECT INBOX")
    for name, text in IMAP.items():
        taken[name] = await _cpu_ms(node, COMMANDS, lambda text=text: command.repeat(text))  # type: ignore[misc]
    writer.close()
    return taken


async def _cpu_ms(node: Node, count: int, work: Callable[[], Awaitable[object]]) -> float:
    before = cpu_s(node.pid)
    await work()
    return (cpu_s(node.pid) - before) * 1000 / count


class _Commands:
    """Of IMAP, one after another. Raises where one is not answered with OK."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._number = 0

    async def __call__(self, text: bytes) -> None:
        self._number += 1
        tag = b"a%d " % self._number
        self._writer.write(tag + text + b"\r\n")
        while not (line := await self._reader.readline()).startswith(tag):
            if not line:
                raise RuntimeError("the server hung up")
        if not line.startswith(tag + b"OK"):
            raise RuntimeError(f"{text!r}: {line!r}")

    async def repeat(self, text: bytes) -> None:
        for number in range(COMMANDS):
            await self(text % b"+-"[number % 2] if b"%c" in text else text)


async def _deliver(port: int) -> None:
    async def connection(first: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)

        async def say(text: bytes, code: bytes) -> None:
            writer.write(text)
            while (line := await reader.readline())[3:4] == b"-":
                pass
            if not line.startswith(code):
                raise RuntimeError(f"{text[:60]!r}: {line!r}")

        await say(b"", b"220")
        await say(b"EHLO client.example\r\n", b"250")
        for number in range(first, MESSAGES, CONNECTIONS):
            await say(b"MAIL FROM:<bob@client.example>\r\n", b"250")
            await say(b"RCPT TO:<u%d@%s>\r\n" % (number % ACCOUNTS, DOMAIN.encode()), b"250")
            await say(b"DATA\r\n", b"354")
            header = b"From: bob@client.example\r\nSubject: number %d\r\nMessage-ID: <%d@client.example>\r\n\r\n"
            await say(header % (number, time.time_ns()) + BODY + b".\r\n", b"250")
        await say(b"QUIT\r\n", b"221")
        writer.close()

    async with asyncio.TaskGroup() as group:
        for first in range(CONNECTIONS):
            group.create_task(connection(first))


if __name__ == "__main__":
    main()
