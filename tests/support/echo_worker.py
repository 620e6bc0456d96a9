"""A process that answers each "ping" on the bus with "pong": `echo_worker DIRECTORY`. Says "ready" once it listens, and
ends with its standard input."""

import asyncio
import sys
from pathlib import Path

from mailstack.store.bus_local import LocalBus


async def echo(directory: Path) -> None:
    bus = LocalBus(directory)
    await bus.start()
    bus.watch("ping", lambda: bus.publish("pong"))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    await bus.close()


if __name__ == "__main__":
    asyncio.run(echo(Path(sys.argv[1])))
