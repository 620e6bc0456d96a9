"""The line between the supervisor and one worker: messages both ways over a socket pair, and sockets one way.

Not for the network: both ends trust each other. Writing never blocks the loop, however much is under way.
"""

import asyncio
import socket
from collections import deque
from collections.abc import Sequence

from mailstack.app.messages import Message, Prepare, decode, encode

CHUNK_BYTES = 1 << 16
MAX_SOCKETS = 250  # SCM_MAX_FD is 253 on Linux


class Channel:
    """Open within a running loop; `receive` returns None once the other end is gone."""

    def __init__(self, line: socket.socket) -> None:
        line.setblocking(False)
        self._line = line
        self._loop = asyncio.get_running_loop()
        self._unsent: deque[tuple[memoryview, tuple[int, ...]]] = deque()
        self._arrived: asyncio.Queue[tuple[Message, tuple[socket.socket, ...]] | None] = asyncio.Queue()
        self._buffer = bytearray()
        self._sockets: deque[int] = deque()
        self._loop.add_reader(line.fileno(), self._read)

    def send(self, message: Message, sockets: Sequence[socket.socket] = ()) -> None:
        """The other end gets copies of the sockets; ours stay open. After the other end is gone: does nothing."""
        if self._line.fileno() < 0:
            return
        self._unsent.append((memoryview(encode(message)), tuple(each.fileno() for each in sockets)))
        self._write()

    async def receive(self) -> tuple[Message, tuple[socket.socket, ...]] | None:
        arrived = await self._arrived.get()
        if arrived is None:
            self._arrived.put_nowait(None)  # an end stays the end, however often somebody asks
        return arrived

    def close(self) -> None:
        if self._line.fileno() < 0:
            return
        self._loop.remove_reader(self._line.fileno())
        self._loop.remove_writer(self._line.fileno())
        self._line.close()
        self._arrived.put_nowait(None)

    def _write(self) -> None:
        try:
            while self._unsent:
                data, files = self._unsent[0]
                sent = socket.send_fds(self._line, [data], list(files)) if files else self._line.send(data)
                self._unsent.popleft()
                if sent < len(data):
                    # The descriptors went with the first byte.
                    self._unsent.appendleft((data[sent:], ()))
        except BlockingIOError:
            self._loop.add_writer(self._line.fileno(), self._write)
        except OSError:
            self.close()
        else:
            self._loop.remove_writer(self._line.fileno())

    def _read(self) -> None:
        try:
            data, files, _flags, _peer = socket.recv_fds(self._line, CHUNK_BYTES, MAX_SOCKETS, socket.MSG_CMSG_CLOEXEC)
        except BlockingIOError:
            return
        except OSError:
            data, files = b"", []
        if not data:
            self.close()
            return
        self._sockets.extend(files)
        self._buffer += data
        *lines, rest = self._buffer.split(b"\n")
        self._buffer = bytearray(rest)
        for line in lines:
            message = decode(bytes(line))
            count = len(message.opened) if isinstance(message, Prepare) else 0
            taken = tuple(socket.socket(fileno=self._sockets.popleft()) for _ in range(count))
            self._arrived.put_nowait((message, taken))
