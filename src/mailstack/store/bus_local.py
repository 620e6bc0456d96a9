"""Wake-ups between the processes of one machine: ports.bus over Unix datagram sockets, one for each process, all in one
folder. A topic that cannot be delivered at once is dropped: whoever sleeps looks by itself now and then.
"""

import asyncio
import os
import secrets
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import structlog

log = structlog.get_logger()

SUFFIX = ".bus"
MAX_TOPIC_OCTETS = 512
MAX_READS_PER_WAKE = 256
MAX_ADDRESS_OCTETS = 100
LISTING_SETTLES_NS = 50_000_000
"""A folder changed so lately may change again within the same tick of its file system's clock."""


class LocalBus:
    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._name = f"{os.getpid()}-{secrets.token_hex(4)}{SUFFIX}"
        self._watchers: dict[str, list[Callable[[], None]]] = {}
        self._waiting: set[str] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._socket: socket.socket | None = None
        self._folder = -1
        self._peers: tuple[tuple[str, str], ...] = ()
        self._listed_at_ns = 0
        self._changed_at_ns = -1

    async def start(self) -> None:
        """Raises OSError when the directory cannot be used."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._loop = asyncio.get_running_loop()
        self._folder = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.bind(self._address(self._name))
        self._loop.add_reader(self._socket.fileno(), self._receive)

    async def close(self) -> None:
        if self._loop is None or self._socket is None:
            return
        self._send()
        self._loop.remove_reader(self._socket.fileno())
        self._socket.close()
        self._socket = None
        self._remove(self._name)
        os.close(self._folder)

    def publish(self, topic: str) -> None:
        """Topics of one turn of the loop are sent together, each once."""
        if self._loop is None or self._socket is None or self._loop.is_closed():
            return
        if not self._waiting:
            self._loop.call_soon(self._send)
        self._waiting.add(topic)

    def watch(self, topic: str, wake: Callable[[], None]) -> Callable[[], None]:
        self._watchers.setdefault(topic, []).append(wake)

        def end() -> None:
            watchers = self._watchers.get(topic, [])
            with suppress(ValueError):
                watchers.remove(wake)
            if not watchers:
                self._watchers.pop(topic, None)

        return end

    def _send(self) -> None:
        topics, self._waiting = self._waiting, set()
        if self._socket is None:
            return
        peers = self._others() if topics else ()
        for topic in topics:
            for name, address in peers:
                self._send_to(name, address, topic.encode())
            self._wake(topic)

    def _send_to(self, name: str, address: str, message: bytes) -> None:
        if self._socket is None:
            return
        try:
            self._socket.sendto(message, address)
        except ConnectionRefusedError:
            self._remove(name)  # its process died without closing
        except OSError:
            return  # gone, or its buffer is full

    def _receive(self) -> None:
        topics = set()
        for _ in range(MAX_READS_PER_WAKE):
            try:
                message = self._socket.recv(MAX_TOPIC_OCTETS) if self._socket else b""
            except OSError:
                break
            if not message:
                break
            topics.add(message.decode("utf-8", "replace"))
        for topic in topics:
            self._wake(topic)

    def _wake(self, topic: str) -> None:
        for wake in tuple(self._watchers.get(topic, ())):
            try:
                wake()
            except Exception:
                log.exception("a watcher failed", topic=topic)

    def _others(self) -> tuple[tuple[str, str], ...]:
        """Names and addresses; listed anew only when the folder has changed, for every delivery asks."""
        try:
            changed_at_ns = os.fstat(self._folder).st_mtime_ns
            if changed_at_ns != self._changed_at_ns or self._listed_at_ns - changed_at_ns < LISTING_SETTLES_NS:
                self._listed_at_ns = time.time_ns()
                self._changed_at_ns = changed_at_ns
                found = (entry.name for entry in self._directory.iterdir() if entry.suffix == SUFFIX)
                self._peers = tuple((name, self._address(name)) for name in found if name != self._name)
        except OSError as fault:
            log.warning("bus folder cannot be read", path=str(self._directory), error=str(fault))
        return self._peers

    def _address(self, name: str) -> str:
        # A socket's address holds 107 bytes; by way of the open folder any depth fits.
        plain = str(self._directory / name)
        return plain if len(os.fsencode(plain)) <= MAX_ADDRESS_OCTETS else f"/proc/self/fd/{self._folder}/{name}"

    def _remove(self, name: str) -> None:
        with suppress(OSError):
            (self._directory / name).unlink()
