"""A process that answers each "ping" on a bus with "pong": `echo_worker local FOLDER`, `nats URL` or `notify URL`.
Says "ready" once it listens, and ends with its standard input."""

import asyncio
import sys
from pathlib import Path

from mailstack.store.bus_far import FarBus
from mailstack.store.bus_local import LocalBus
from mailstack.store.bus_nats import NatsServers, nats_bus
from mailstack.store.bus_notify import notify_bus


def bus_of(kind: str, where: str) -> LocalBus | FarBus:
    match kind:
        case "local":
            return LocalBus(Path(where))
        case "nats":
            return nats_bus(NatsServers(urls=(where,), prefix="mailstack.test"), node="echo")
        case _:
            return notify_bus(where, node="echo")


async def echo(bus: LocalBus | FarBus) -> None:
    await bus.start()
    bus.watch("ping", lambda: bus.publish("pong"))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    await bus.close()


if __name__ == "__main__":
    asyncio.run(echo(bus_of(sys.argv[1], sys.argv[2])))
