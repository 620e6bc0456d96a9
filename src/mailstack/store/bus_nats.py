"""Events between nodes by NATS: one subject a topic, `PREFIX.account.0123…`, with the node's mark as the whole message.

NATS core only: no streams, nothing is kept by the server. Reconnecting is store.bus_far's, so that there is one way of
it. Not imported unless a spec asks for it: the library is the extra `nats`.
"""

import asyncio
import ssl
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NoReturn
from urllib.parse import quote, unquote, urlsplit

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error, NoServersError

from mailstack.model.errors import TryAgainLater
from mailstack.store.bus_far import FarBus, Hear

REST_S = 0.01
CONNECT_S = 5
CLOSE_S = 5
PING_S = 10
SILENT_PINGS = 2
"""A server that answers neither of them is gone, whatever TCP still believes."""
WAITING_MESSAGES = 64
"""Of one topic, in this process; a wake-up more of it would say nothing new."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NatsServers:
    """urls: of one cluster, nats:// or tls://. prefix: of all subjects of this installation. username and password, or
    token: what the servers ask for. tls: for tls:// and for servers that require it; None: as the system trusts."""

    urls: tuple[str, ...]
    prefix: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    tls: ssl.SSLContext | None = None

    def __str__(self) -> str:
        return "NATS at " + ", ".join(urlsplit(url).netloc for url in self.urls)


def nats_bus(servers: NatsServers, *, node: str) -> FarBus:
    """node: the mark of this machine's processes, which hear of each other without NATS."""
    return FarBus(str(servers), lambda hear: NatsLine(servers, node=node, hear=hear))


class NatsLine:
    rest_s = REST_S

    def __init__(self, servers: NatsServers, *, node: str, hear: Hear) -> None:
        self._servers = servers
        self._mark = node.encode()
        self._hear = hear
        self._client = Client()
        self._subscriptions: dict[str, Subscription] = {}
        self._lost = asyncio.Event()
        self._reason = "the connection ended"

    async def open(self) -> None:
        try:
            await self._client.connect(
                servers=list(self._servers.urls),
                name="mailstack",
                allow_reconnect=False,
                max_reconnect_attempts=1,
                reconnect_time_wait=0,
                connect_timeout=CONNECT_S,
                ping_interval=PING_S,
                max_outstanding_pings=SILENT_PINGS,
                no_echo=True,
                user=self._servers.username,
                password=self._servers.password,
                token=self._servers.token,
                tls=self._servers.tls,
                error_cb=self._note,
                closed_cb=self._end,
            )
        except (Error, OSError) as fault:
            raise self._fault(fault) from fault

    async def listen(self, topics: Collection[str]) -> None:
        try:
            for topic in topics:
                self._subscriptions[topic] = await self._client.subscribe(
                    self._subject(topic), cb=self._take, pending_msgs_limit=WAITING_MESSAGES
                )
        except (Error, OSError) as fault:
            raise self._fault(fault) from fault

    async def unlisten(self, topics: Collection[str]) -> None:
        try:
            for topic in topics:
                await self._subscriptions.pop(topic).unsubscribe()
        except (Error, OSError) as fault:
            raise self._fault(fault) from fault

    async def send(self, topics: Collection[str]) -> None:
        try:
            for topic in topics:
                await self._client.publish(self._subject(topic), self._mark)
        except (Error, OSError) as fault:
            raise self._fault(fault) from fault

    async def until_lost(self) -> NoReturn:
        await self._lost.wait()
        raise TryAgainLater(f"{self._servers}: {self._reason}")

    async def close(self) -> None:
        # In a task of its own: the library swallows a cancellation here and there, and ours, which may come while it
        # waits for a server that is gone, must end what is around this.
        closing = asyncio.get_running_loop().create_task(self._closed())
        try:
            await asyncio.wait([closing], timeout=CLOSE_S)
        finally:
            closing.cancel()

    async def _closed(self) -> None:
        with suppress(Error, OSError, AssertionError):  # the last one: it was never connected
            await self._client.close()

    async def _take(self, message: Msg) -> None:
        if message.data != self._mark:
            self._hear(self._topic(message.subject))

    async def _note(self, fault: Exception) -> None:
        self._reason = str(fault) or type(fault).__name__

    async def _end(self) -> None:
        self._lost.set()

    def _fault(self, fault: Exception) -> TryAgainLater:
        # "No servers available" says less than why each of them is not.
        said = self._reason if isinstance(fault, NoServersError) else str(fault)
        return TryAgainLater(f"{self._servers}: {said or type(fault).__name__}")

    def _subject(self, topic: str) -> str:
        # A subject has no blanks and no wildcards, and dots part its levels.
        levels = quote(topic).replace(".", "%2E")
        return f"{self._servers.prefix}.{levels.replace('/', '.')}"

    def _topic(self, subject: str) -> str:
        return unquote(subject[len(self._servers.prefix) + 1 :].replace(".", "/"))
