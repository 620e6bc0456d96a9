"""Wake-ups between the processes of one machine: ports.bus over Unix datagram sockets, all in one folder. A topic that
cannot be delivered at once is dropped: whoever sleeps looks by itself now and then.

A process has one socket for each kind of topic that it has ever watched (`account` of `account/17`), and its name says
which: no delivery wakes the supervisor, nor a worker in which nobody is idle.
"""

import asyncio
import os
import secrets
import socket
import time
from collections.abc import Callable, KeysView
from contextlib import suppress
from pathlib import Path

import structlog

from mailstack.store.watchers import Watchers

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
        self._name = f"{os.getpid()}-{secrets.token_hex(4)}"
        self._watchers = Watchers()
        self._waiting: set[str] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._sender: socket.socket | None = None
        self._heard: dict[str, socket.socket] = {}
        self._folder = -1
        self._peers: dict[str, list[tuple[str, str]]] = {}
        self._listed_at_ns = 0
        self._changed_at_ns = -1

    async def start(self) -> None:
        """Raises OSError when the directory cannot be used."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._loop = asyncio.get_running_loop()
        self._folder = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY)
        self._sender = _socket()
        for topic in self._watchers.topics:
            self._hear(_kind(topic))

    async def close(self) -> None:
        if self._loop is None or self._sender is None:
            return
        self._send()
        self._sender.close()
        self._sender = None
        for kind, heard in self._heard.items():
            self._loop.remove_reader(heard.fileno())
            heard.close()
            self._remove(self._socket_name(kind))
        self._heard.clear()
        os.close(self._folder)

    @property
    def topics(self) -> KeysView[str]:
        """That are watched here."""
        return self._watchers.topics

    def wake(self, topic: str) -> None:
        """Those who watch it here, at once: for whoever knows better than the bus that something changed."""
        self._watchers.wake(topic)

    def publish(self, topic: str) -> None:
        """Topics of one turn of the loop are sent together, each once."""
        if self._loop is None or self._sender is None or self._loop.is_closed():
            return
        if not self._waiting:
            self._loop.call_soon(self._send)
        self._waiting.add(topic)

    def watch(self, topic: str, wake: Callable[[], None]) -> Callable[[], None]:
        if self._sender is not None:
            try:
                self._hear(_kind(topic))
            except OSError as fault:  # of this process alone, wake-ups still come
                log.warning("bus socket cannot be made", path=str(self._directory), error=str(fault))
        return self._watchers.add(topic, wake)

    def _hear(self, kind: str) -> None:
        """From here on, other processes find a socket for such topics. Raises OSError."""
        if kind in self._heard or self._loop is None:
            return
        heard = _socket()
        try:
            heard.bind(self._address(self._socket_name(kind)))
        except OSError:
            heard.close()
            raise
        self._heard[kind] = heard
        self._loop.add_reader(heard.fileno(), self._receive, heard)

    def _send(self) -> None:
        topics, self._waiting = self._waiting, set()
        if self._sender is None:
            return
        peers = self._others() if topics else {}
        for topic in topics:
            for name, address in peers.get(_kind(topic), ()):
                self._send_to(name, address, topic.encode())
            self._watchers.wake(topic)

    def _send_to(self, name: str, address: str, message: bytes) -> None:
        if self._sender is None:
            return
        try:
            self._sender.sendto(message, address)
        except ConnectionRefusedError:
            self._remove(name)  # its process died without closing
        except OSError:
            return  # gone, or its buffer is full

    def _receive(self, heard: socket.socket) -> None:
        topics = set()
        for _ in range(MAX_READS_PER_WAKE):
            try:
                message = heard.recv(MAX_TOPIC_OCTETS)
            except OSError:
                break
            if not message:
                break
            topics.add(message.decode("utf-8", "replace"))
        for topic in topics:
            self._watchers.wake(topic)

    def _others(self) -> dict[str, list[tuple[str, str]]]:
        """Names and addresses by the kind they hear; listed anew only when the folder changed: deliveries ask."""
        try:
            changed_at_ns = os.fstat(self._folder).st_mtime_ns
            if changed_at_ns != self._changed_at_ns or self._listed_at_ns - changed_at_ns < LISTING_SETTLES_NS:
                self._listed_at_ns = time.time_ns()
                self._changed_at_ns = changed_at_ns
                self._peers = self._listed()
        except OSError as fault:
            log.warning("bus folder cannot be read", path=str(self._directory), error=str(fault))
        return self._peers

    def _listed(self) -> dict[str, list[tuple[str, str]]]:
        peers: dict[str, list[tuple[str, str]]] = {}
        for entry in self._directory.iterdir():
            owner, _, kind = entry.stem.partition(".")
            if entry.suffix == SUFFIX and owner != self._name:
                peers.setdefault(kind, []).append((entry.name, self._address(entry.name)))
        return peers

    def _socket_name(self, kind: str) -> str:
        return f"{self._name}.{kind}{SUFFIX}"

    def _address(self, name: str) -> str:
        # A socket's address holds 107 bytes; by way of the open folder any depth fits.
        plain = str(self._directory / name)
        return plain if len(os.fsencode(plain)) <= MAX_ADDRESS_OCTETS else f"/proc/self/fd/{self._folder}/{name}"

    def _remove(self, name: str) -> None:
        with suppress(OSError):
            (self._directory / name).unlink()


def _kind(topic: str) -> str:
    return topic.partition("/")[0]


def _socket() -> socket.socket:
    return socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
