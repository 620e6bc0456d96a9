"""Submission → two DKIM signatures → queue → sink: 4 KB messages, 10 connections, every message to an outside address.

Server CPU per message counts. The sink and the client share this process; a message that is lost, doubled or without
its two signatures ends the run.
"""

import asyncio
import base64
import random
import statistics
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from bench.appliance import DOMAIN, PASSWORD, Running, cpu_s, sandbox

MESSAGES = 1_000
CONNECTIONS = 10
RUNS = 3
SIZE_BYTES = 4_096
DEADLINE_S = 120
SETTLING_S = 0.5
WORDS = ("lorem", "ipsum", "dolor", "sit", "amet", "consectetur")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    cpu_ms: float
    accepted_per_second: float
    sent_per_second: float


@dataclass
class Sink:
    """seen: messages by number; unsigned: those that did not have two signatures."""

    seen: Counter[int] = field(default_factory=Counter)
    unsigned: int = 0
    has_all: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 sink ESMTP\r\n")
        while (line := await reader.readline()) and not line.upper().startswith(b"QUIT"):
            match line[:4].upper():
                case b"EHLO":
                    writer.write(b"250-sink\r\n250-PIPELINING\r\n250-SIZE 100000000\r\n250 8BITMIME\r\n")
                case b"DATA":
                    writer.write(b"354 go\r\n")
                    self._take(await reader.readuntil(b"\r\n.\r\n"))
                    writer.write(b"250 2.0.0 taken\r\n")
                case _:
                    writer.write(b"250 2.0.0 ok\r\n")
        writer.write(b"221 2.0.0 bye\r\n")
        writer.close()

    def _take(self, content: bytes) -> None:
        header, _, _ = content.partition(b"\r\n\r\n")
        number = header.partition(b"X-Bench-Id: ")[2].partition(b"\r\n")[0]
        self.seen[int(number)] += 1
        if len(self.seen) == MESSAGES:
            self.has_all.set()
        self.unsigned += header.count(b"DKIM-Signature: ") != 2


def main() -> None:
    asyncio.run(_measure())


async def _measure() -> None:
    sink = Sink()
    server = await asyncio.start_server(sink.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with sandbox(outbound=f"127.0.0.1:{port}") as running:
        await _run(running, sink)
        runs = [await _run(running, sink) for _ in range(RUNS)]
    server.close()
    cpu = sorted(run.cpu_ms for run in runs)
    accepted, sent = (
        statistics.median(values)
        for values in ([run.accepted_per_second for run in runs], [run.sent_per_second for run in runs])
    )
    print(
        f"mailstack, submission → sink  {cpu[0]:.2f} / {statistics.median(cpu):.2f} / {cpu[-1]:.2f} ms CPU a message,"
        f" {accepted:,.0f} accepted/s, {sent:,.0f} sent/s, none lost"
    )


async def _run(running: Running, sink: Sink) -> Sending:
    sink.seen.clear()
    sink.has_all.clear()
    sink.unsigned = 0
    numbers = iter(range(MESSAGES))
    before, begun = cpu_s(running.pid), time.perf_counter()
    await asyncio.gather(*(_submit(running.port("submission"), user, numbers) for user in range(CONNECTIONS)))
    accepted = time.perf_counter()
    async with asyncio.timeout(DEADLINE_S):
        await sink.has_all.wait()
    ended = time.perf_counter()
    await asyncio.sleep(SETTLING_S)  # the last settlements count too, and what comes twice comes now
    if sink.seen.total() != MESSAGES or sink.unsigned:
        raise RuntimeError(f"{sink.seen.total()} arrived of {MESSAGES}, {sink.unsigned} without two signatures")
    return Sending(
        cpu_ms=(cpu_s(running.pid) - before) * 1_000 / MESSAGES,
        accepted_per_second=MESSAGES / (accepted - begun),
        sent_per_second=MESSAGES / (ended - begun),
    )


async def _submit(port: int, user: int, numbers: Iterator[int]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    login = f"u{user}@{DOMAIN}"
    token = base64.b64encode(f"\0{login}\0{PASSWORD}".encode())

    async def ask(line: bytes) -> None:
        writer.write(line)
        while (reply := await reader.readline())[3:4] == b"-":
            pass
        if reply[:1] not in (b"2", b"3"):
            raise RuntimeError(f"{line[:60]!r}: {reply!r}")

    await ask(b"")
    await ask(b"EHLO bench.test\r\n")
    await ask(b"AUTH PLAIN " + token + b"\r\n")
    for number in numbers:
        await ask(f"MAIL FROM:<{login}>\r\n".encode())
        await ask(b"RCPT TO:<somebody@outside.test>\r\n")
        await ask(b"DATA\r\n")
        await ask(_message(login, number) + b".\r\n")
    await ask(b"QUIT\r\n")
    writer.close()


def _message(login: str, number: int) -> bytes:
    chance = random.Random(number)
    header = (
        f"X-Bench-Id: {number}\r\nFrom: Bench <{login}>\r\nTo: somebody@outside.test\r\nSubject: message {number}\r\n"
        f"Date: Mon, 23 Nov 2026 10:00:00 +0000\r\nMessage-ID: <{number}.{chance.random()}@{DOMAIN}>\r\n"
        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nUser-Agent: bench\r\n\r\n"
    )
    lines = [" ".join(chance.choice(WORDS) for _ in range(10)) for _ in range((SIZE_BYTES - len(header)) // 60)]
    return (header + "\r\n".join(lines) + "\r\n").encode()


if __name__ == "__main__":
    main()
