"""What a new message waits for behind a long queue: accepted → leased → handed to a transport, one after another.

The queue holds nothing, recipients whose time has not come, or recipients that are due and whose servers do not answer:
of one domain or of a thousand. CPU is this program's, settlement included (PostgreSQL's own is not counted); at rest it
is what a runner uses that has nothing it could do, in ms a second. Then one mail to ten thousand recipients, with the
memory that it takes at most beyond what there was. Needs Debian's postgresql.
"""

import asyncio
import logging
import os
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import structlog
import uvloop

from bench.appliance import pss_mb
from bench.engines import on_postgres, on_sqlite
from bench.store import now, used_cpu_s
from mailstack.model.delivery import Delivered, Envelope, NextHop, Outcome, OutgoingMail, Priority
from mailstack.model.instant import DAY_MS, Instant
from mailstack.ports.bus import Bus
from mailstack.ports.resolver import MailExchanger
from mailstack.ports.store import Store
from mailstack.services.outbound.queue import QueueRunner
from mailstack.store.bus_local import LocalBus
from tests.support.memory_transport import OK
from tests.support.outbound_world import OutboundWorld
from tests.support.postgres import fresh_database, running_postgres
from tests.support.running import running

MESSAGES = 200
RAW = b"From: alice@example.com\r\nSubject: hello\r\n\r\n" + 60 * (b"x" * 66 + b"\r\n")
IN_ONE_MAIL = 100
SETTLING_S = 3.0
AT_REST_S = 5.0
UP = "up.test"
MANY = 10_000
LOOK_S = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """What waits. domains: how many it is for. is_due: and none of their servers answers."""

    recipients: int = 0
    domains: int = 1
    is_due: bool = False

    def __str__(self) -> str:
        if not self.recipients:
            return "nothing waits"
        what = f"due, {self.domains:,} domains down" if self.is_due else "for later"
        return f"{self.recipients:,} {what}"


CROWDS = (
    Crowd(),
    Crowd(recipients=10_000, domains=1_000),
    Crowd(recipients=100_000, domains=1_000),
    Crowd(recipients=10_000, is_due=True),
    Crowd(recipients=100_000, is_due=True),
    Crowd(recipients=100_000, domains=1_000, is_due=True),
)


@dataclass(slots=True)
class HalfDeaf:
    """A transport. Only one domain's server answers; the others keep the line open."""

    sent: asyncio.Event = field(default_factory=asyncio.Event)

    async def deliver(self, hop: NextHop, envelope: Envelope, content: bytes) -> Sequence[Outcome]:
        del content
        if hop.host != UP:
            await asyncio.Event().wait()
        self.sent.set()
        return [Delivered(reply=OK, host=hop.host) for _ in envelope.recipients]

    async def close(self) -> None:
        pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    latencies_ms: Sequence[float]
    cpu_ms: float
    rest_ms_per_s: float

    def __str__(self) -> str:
        late = statistics.quantiles(self.latencies_ms, n=20)[-1]
        return (
            f"{statistics.median(self.latencies_ms):>10.2f}{late:>10.2f}{self.cpu_ms:>10.2f}{self.rest_ms_per_s:>10.2f}"
        )


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    print(f"{'':<44}{'p50 ms':>10}{'p95 ms':>10}{'CPU ms':>10}{'at rest':>10}")
    with running_postgres(settings=()) as server, tempfile.TemporaryDirectory(prefix="mailstack-bench-") as folder:
        for number, crowd in enumerate(CROWDS):
            print(f"{'SQLite, ' + str(crowd):<44}{uvloop.run(_measure(Path(folder) / f's{number}', crowd, None))}")
            with fresh_database(server) as url:
                found = uvloop.run(_measure(Path(folder) / f"p{number}", crowd, url))
            print(f"{'PostgreSQL, ' + str(crowd):<44}{found}", flush=True)
        print(f"SQLite, one mail to {MANY:,}: {uvloop.run(_send_many(Path(folder) / 'many', None))}")
        with fresh_database(server) as url:
            print(f"PostgreSQL, one mail to {MANY:,}: {uvloop.run(_send_many(Path(folder) / 'many on postgres', url))}")


async def _measure(folder: Path, crowd: Crowd, url: str | None) -> Waiting:
    async with _opened(folder, url) as (store, bus):
        for at in range(0, crowd.recipients, IN_ONE_MAIL):
            to = [f"user{number}@{number % crowd.domains}.down.test" for number in range(at, at + IN_ONE_MAIL)]
            next_at = Instant(now() - 1 if crowd.is_due else now() + DAY_MS)
            await _enqueue(store, *to, priority=Priority.BULK, next_at=next_at)
        transport = HalfDeaf()
        async with running(_runner(store, bus, transport, crowd).run()):
            await asyncio.sleep(SETTLING_S)
            before_s = used_cpu_s()
            await asyncio.sleep(AT_REST_S)
            rested_s = used_cpu_s()
            latencies = [await _send_one(store, transport) for _ in range(MESSAGES)]
            ended_s = used_cpu_s()
    return Waiting(
        latencies_ms=latencies,
        cpu_ms=(ended_s - rested_s) * 1_000 / MESSAGES,
        rest_ms_per_s=(rested_s - before_s) * 1_000 / AT_REST_S,
    )


async def _send_many(folder: Path, url: str | None) -> str:
    async with _opened(folder, url) as (store, bus):
        await _enqueue(store, f"somebody@{UP}", priority=Priority.BULK, next_at=Instant(now() + DAY_MS))
        before_s, before_mb, begun = used_cpu_s(), _memory_mb(), time.perf_counter()
        recipients = [f"user{number}@{UP}" for number in range(MANY)]
        await _enqueue(store, *recipients, priority=Priority.BULK, next_at=now())
        most_mb = _memory_mb()
        async with running(_runner(store, bus, HalfDeaf(), Crowd()).run()):
            while len(await store.queue.items(limit=2)) > 1:
                await asyncio.sleep(LOOK_S)
                most_mb = max(most_mb, _memory_mb())
        took_s, cpu_s = time.perf_counter() - begun, used_cpu_s() - before_s
    return (
        f"{MANY / took_s:,.0f} recipients/s, {cpu_s / MANY * 1_000:.2f} ms CPU each, {most_mb - before_mb:.0f} MB more"
    )


def _memory_mb() -> float:
    return pss_mb(os.getpid())


@asynccontextmanager
async def _opened(folder: Path, url: str | None) -> AsyncIterator[tuple[Store, Bus]]:
    async with AsyncExitStack() as stack:
        bus = LocalBus(folder / "bus")
        await bus.start()
        stack.push_async_callback(bus.close)
        store = await (on_sqlite(folder, bus) if url is None else on_postgres(url, folder, bus))
        stack.push_async_callback(store.close)
        yield store, bus


def _runner(store: Store, bus: Bus, transport: HalfDeaf, crowd: Crowd) -> QueueRunner:
    world = OutboundWorld()
    names = [UP, *(f"{number}.down.test" for number in range(crowd.domains))]
    world.resolver.exchangers = {name: [MailExchanger(preference=10, host=name)] for name in names}
    world.transport = transport  # type: ignore[assignment]  # likewise a Transport
    service = world.service()
    return QueueRunner(
        queue=store.queue, bus=bus, clock=now, owner="bench", generation=lambda: service, meters=world.meters
    )


async def _send_one(store: Store, transport: HalfDeaf) -> float:
    transport.sent.clear()
    begun = time.perf_counter()
    await _enqueue(store, f"somebody@{UP}", priority=Priority.SUBMISSION, next_at=now())
    await transport.sent.wait()
    return (time.perf_counter() - begun) * 1_000


async def _enqueue(store: Store, *recipients: str, priority: Priority, next_at: Instant) -> None:
    mail = OutgoingMail(
        reverse_path="alice@example.com",
        recipients=recipients,
        raw=RAW,
        queued_at=now(),
        is_8bit=False,
        smtp_utf8=False,
        trace_id="bench",
        priority=priority,
    )
    await store.queue.enqueue([mail], next_at=next_at)


if __name__ == "__main__":
    main()
