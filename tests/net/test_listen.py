"""Accepting connections: one whose server ends leaves nothing in the log."""

import asyncio
import socket
from typing import Any

from mailstack.net.listen import accept_streams
from mailstack.net.stream import Stream
from tests.support.running import DEADLINE_S


async def test_a_connection_that_is_cancelled_in_its_last_act_is_no_fault() -> None:
    faults: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
    serving: asyncio.Queue[asyncio.Task[None]] = asyncio.Queue()

    async def serve(stream: Stream) -> None:
        task = asyncio.current_task()
        assert task is not None
        await serving.put(task)
        try:
            await stream.read(timeout_s=DEADLINE_S)
        finally:
            await stream.close()

    listener = socket.create_server(("127.0.0.1", 0))
    server = await accept_streams(listener, serve, tls=None)
    async with asyncio.timeout(DEADLINE_S):
        _, writer = await asyncio.open_connection(*listener.getsockname()[:2])
        task = await serving.get()
        task.cancel()
        await asyncio.wait([task])
        await asyncio.sleep(0)  # for what is called when it is done
        writer.close()
        await writer.wait_closed()
    server.close()
    assert faults == []
