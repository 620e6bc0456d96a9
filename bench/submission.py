"""Submission → two DKIM signatures → queue → sink: 4 KB messages, 10 connections, every message to an outside address.

Server CPU per message counts. Where it is installed, Postfix with OpenDKIM takes turns in the same run and makes the
same two signatures (RSA-2048 and Ed25519), with a filter for each, for it knows one algorithm at a time; it asks for no
password, where ours asks for one a connection. The sink and the client share this process; a message that is lost,
doubled or without its signatures ends the run.
"""

import asyncio
import base64
import random
import statistics
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import uvloop

from bench.appliance import DOMAIN, PASSWORD, cpu_s, postfix_signing, sandbox
from bench.receiving import POSTFIX_SMTP
from mailstack.mailauth.dkim import keys

MESSAGES = 1_000
CONNECTIONS = 10
RUNS = 5
SIZE_BYTES = 4_096
DEADLINE_S = 120
SETTLING_S = 0.5
# As every account has them, and more than they would be for a person.
LIMITS = "defaults: {account: {limits: {recipients_per_hour: 1000000, recipients_per_day: 1000000}}}"
WORDS = ("lorem", "ipsum", "dolor", "sit", "amet", "consectetur")
ALGORITHMS = {"rsa-sha256": "rsa2048", "ed25519-sha256": "ed25519"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    cpu_ms: float
    accepted_per_second: float
    sent_per_second: float


@dataclass(slots=True, kw_only=True)
class Contender:
    """pids: of its process trees."""

    name: str
    pids: Sequence[int]
    port: int
    has_login: bool
    runs: list[Sending] = field(default_factory=list)

    @property
    def cpu_s(self) -> float:
        return sum(map(cpu_s, self.pids))

    @property
    def median_cpu_ms(self) -> float:
        return statistics.median(run.cpu_ms for run in self.runs)

    def __str__(self) -> str:
        cpu = [run.cpu_ms for run in self.runs]
        accepted = statistics.median(run.accepted_per_second for run in self.runs)
        sent = statistics.median(run.sent_per_second for run in self.runs)
        return (
            f"{self.name:30} {min(cpu):.2f} / {self.median_cpu_ms:.2f} / {max(cpu):.2f} ms CPU a message,"
            f" {accepted:,.0f} accepted/s, {sent:,.0f} sent/s, none lost"
        )


@dataclass
class Sink:
    """seen: messages by number; signatures: of all that came."""

    seen: Counter[int] = field(default_factory=Counter)
    signatures: Counter[int] = field(default_factory=Counter)
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

    def clear(self) -> None:
        self.seen.clear()
        self.signatures.clear()
        self.has_all.clear()

    def _take(self, content: bytes) -> None:
        header, _, _ = content.partition(b"\r\n\r\n")
        number = header.partition(b"X-Bench-Id: ")[2].partition(b"\r\n")[0]
        self.seen[int(number)] += 1
        if len(self.seen) == MESSAGES:
            self.has_all.set()
        self.signatures[header.count(b"DKIM-Signature: ")] += 1


def main() -> None:
    uvloop.run(_measure())


async def _measure() -> None:
    sink = Sink()
    async with await asyncio.start_server(sink.serve, "127.0.0.1", 0) as server:
        relay = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with sandbox(outbound=relay, sections=(LIMITS,)) as running:
            contenders = [
                Contender(name="mailstack", pids=[running.pid], port=running.port("submission"), has_login=True)
            ]
            signing = {theirs: keys.generate(ours).private_pem for theirs, ours in ALGORITHMS.items()}
            with postfix_signing(relay, signing) as rival:
                if rival is not None:
                    contenders.append(
                        Contender(name="Postfix, OpenDKIM", pids=rival, port=POSTFIX_SMTP, has_login=False)
                    )
                await _compare(contenders, sink)
    for contender in contenders:
        print(contender)
    if len(contenders) > 1:
        ours, theirs = (contender.median_cpu_ms for contender in contenders)
        print(f"the rival's server CPU is {theirs / ours:.1f} times ours (medians {theirs:.2f}, {ours:.2f} ms)")


async def _compare(contenders: Sequence[Contender], sink: Sink) -> None:
    for _ in range(1 + RUNS):
        for contender in contenders:
            contender.runs.append(await _run(contender, sink))
    for contender in contenders:
        del contender.runs[0]  # caches were cold


async def _run(contender: Contender, sink: Sink) -> Sending:
    sink.clear()
    numbers = iter(range(MESSAGES))
    before, begun = contender.cpu_s, time.perf_counter()
    await asyncio.gather(*(_submit(contender, user, numbers) for user in range(CONNECTIONS)))
    accepted = time.perf_counter()
    async with asyncio.timeout(DEADLINE_S):
        await sink.has_all.wait()
    ended = time.perf_counter()
    await asyncio.sleep(SETTLING_S)  # the last settlements count too, and what comes twice comes now
    if sink.seen.total() != MESSAGES or sink.signatures != {len(ALGORITHMS): MESSAGES}:
        raise RuntimeError(f"{sink.seen.total()} arrived of {MESSAGES}, with signatures: {dict(sink.signatures)}")
    return Sending(
        cpu_ms=(contender.cpu_s - before) * 1_000 / MESSAGES,
        accepted_per_second=MESSAGES / (accepted - begun),
        sent_per_second=MESSAGES / (ended - begun),
    )


async def _submit(contender: Contender, user: int, numbers: Iterator[int]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", contender.port)
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
    if contender.has_login:
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
