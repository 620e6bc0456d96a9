"""A process that works on the queue of a store until it is killed: `queue_worker PATH PORT OWNER STEP`.

All mail goes to the port, that for `other.test` in attempts of its own; leases are short, so that what a killed one
held is soon another's. STEP: where it ends itself (doomed.Step); then one attempt is made at a time."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from mailstack.clients.smtp.tls import client_contexts
from mailstack.clients.smtp.transport import SmtpTransport
from mailstack.model.delivery import NextHop, TlsMode
from mailstack.model.instant import Instant
from mailstack.services.outbound.queue import QueueLimits, QueueRunner
from mailstack.services.outbound.route import Relay, Route, RouteTable
from tests.support.doomed import DoomedTransport, Step, doom
from tests.support.engines import open_store
from tests.support.leash import leashed
from tests.support.outbound_world import HOSTNAME, OutboundWorld
from tests.support.programs import Program
from tests.support.recording_bus import RecordingBus

LIMITS = QueueLimits(items=16, per_lane=16, lease_s=1, poll_s=0.1)


def now() -> Instant:
    return Instant(time.time_ns() // 1_000_000)


@contextmanager
def running_worker(path: Path, port: int, owner: str, step: Step = Step.NEVER) -> Iterator["subprocess.Popen[bytes]"]:
    command = [sys.executable, "-m", "tests.support.queue_worker", str(path), str(port), owner, step]
    process = Program(leashed(command))
    try:
        yield process
    finally:
        process.kill()
        process.wait()


async def work(path: Path, port: int, owner: str, step: Step) -> None:
    world, bus = OutboundWorld(concurrency=5 if step is Step.NEVER else 1), RecordingBus()
    hop = NextHop(host="127.0.0.1", port=port, tls=TlsMode.NONE)
    routes = [Route(to=to, via=Relay(name=name, hop=hop)) for to, name in (("other.test", "other"), ("*", "sink"))]
    transport = SmtpTransport(world.resolver, ehlo_domain=HOSTNAME, tls=client_contexts(), token=world.token, clock=now)
    service = replace(
        world.service(),
        transport=DoomedTransport(transport, step),
        routes=RouteTable(tuple(routes)),
    )
    store = await open_store(path, clock=now, bus=bus)
    doom(store.queue, step)
    try:
        await QueueRunner(
            queue=store.queue,
            bus=bus,
            clock=now,
            owner=owner,
            generation=lambda: service,
            meters=world.meters,
            limits=LIMITS,
        ).run()
    finally:
        await store.close()


if __name__ == "__main__":
    asyncio.run(work(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], Step(sys.argv[4])))
