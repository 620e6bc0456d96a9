"""Events between nodes by PostgreSQL's NOTIFY, for a database without NATS: one channel, many topics a notification.

Every node hears all topics, for PostgreSQL wakes every listener of a database whatever it listens to; so they go
together, many in one notification, a few times a second. Each is a transaction of its own on a connection of its own,
and no part of a delivery's: all that notify at their COMMIT queue up behind one lock of the whole server.
Not imported unless a spec asks for it: the library is the extra `postgres`.
"""

import asyncio
from collections.abc import Collection, Iterator
from typing import NoReturn

import psycopg
from psycopg import AsyncConnection, Notify
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from mailstack.model.errors import TryAgainLater
from mailstack.store.bus_far import FarBus, Hear

CHANNEL = "mailstack_events"
LISTEN = f"LISTEN {CHANNEL}"
NOTIFY = "SELECT pg_notify(%s, payload) FROM unnest(%s::text[]) AS payload"
MAX_PAYLOAD_OCTETS = 7_999
"""PostgreSQL's own limit is 8,000 with the zero at the end."""
REST_S = 0.05
KEEPALIVES = {"keepalives_idle": "20", "keepalives_interval": "5", "keepalives_count": "3", "tcp_user_timeout": "30000"}
"""A server that is gone without a word is noticed within a minute, unless the URL says otherwise."""


def notify_bus(url: str, *, node: str) -> FarBus:
    """url: of the database; raises nothing for a wrong one, which is told as a line that cannot be opened. node: the
    mark of this machine's processes, which hear of each other without the database."""
    return FarBus("NOTIFY", lambda hear: NotifyLine(url, node=node, hear=hear))


class NotifyLine:
    """Its connection is read by the loop itself while nothing is asked of it: psycopg's own way to wait for
    notifications would keep it from sending meanwhile."""

    rest_s = REST_S

    def __init__(self, url: str, *, node: str, hear: Hear) -> None:
        self._url = url
        self._node = node
        self._hear = hear
        self._connection: AsyncConnection | None = None
        self._reads: int | None = None
        self._lost = asyncio.Event()
        self._reason = ""

    async def open(self) -> None:
        try:
            settings = {**KEEPALIVES, **conninfo_to_dict(self._url, application_name="mailstack events")}
        except psycopg.Error:  # which quotes what it cannot read, and that has a password in it
            raise TryAgainLater("the database: its address cannot be read; correct storage.database") from None
        try:
            conninfo = make_conninfo("", **settings)
            self._connection = await AsyncConnection.connect(conninfo, autocommit=True, prepare_threshold=None)
        except psycopg.Error as fault:
            raise _fault(fault) from fault
        self._connection.add_notify_handler(self._take)
        await self._ask(LISTEN)

    async def listen(self, topics: Collection[str]) -> None:
        """There is one channel for all, and it is open."""

    async def unlisten(self, topics: Collection[str]) -> None: ...

    async def send(self, topics: Collection[str]) -> None:
        await self._ask(NOTIFY, (CHANNEL, list(_payloads(self._node, topics))))

    async def until_lost(self) -> NoReturn:
        await self._lost.wait()
        raise TryAgainLater(f"the database: {self._reason}")

    async def close(self) -> None:
        if self._connection is not None:
            self._stop_reading()
            await self._connection.close()

    async def _ask(self, statement: str, values: tuple[object, ...] = ()) -> None:
        connection = self._connection
        if connection is None:
            raise TryAgainLater("the database: not connected")
        # psycopg waits for the same socket with a reader of its own; a loop has one for each.
        self._stop_reading()
        try:
            await connection.execute(statement, values)
        except psycopg.Error as fault:
            raise _fault(fault) from fault
        self._reads = connection.fileno()
        asyncio.get_running_loop().add_reader(self._reads, self._read, connection)

    def _stop_reading(self) -> None:
        """Once: the number of a socket that libpq has closed may be another's by now."""
        if self._reads is not None:
            asyncio.get_running_loop().remove_reader(self._reads)
            self._reads = None

    def _read(self, connection: AsyncConnection) -> None:
        """The socket has something."""
        try:
            connection.pgconn.consume_input()
            while (found := connection.pgconn.notifies()) is not None:
                self._understand(found.extra.decode())
        except psycopg.Error as fault:
            self._stop_reading()
            self._reason = _said(fault)
            self._lost.set()

    def _take(self, notification: Notify) -> None:
        """One that came while something was asked."""
        self._understand(notification.payload)

    def _understand(self, payload: str) -> None:
        node, *topics = payload.split("\n")
        if node != self._node:
            for topic in topics:
                self._hear(topic)


def _payloads(node: str, topics: Collection[str]) -> Iterator[str]:
    """node, then as many topics as there is room for, a line each."""
    lines, octets = [node], len(node.encode())
    for topic in topics:
        more = 1 + len(topic.encode())
        if octets + more > MAX_PAYLOAD_OCTETS and len(lines) > 1:
            yield "\n".join(lines)
            lines, octets = [node], len(node.encode())
        lines.append(topic)
        octets += more
    if len(lines) > 1:
        yield "\n".join(lines)


def _fault(fault: psycopg.Error) -> TryAgainLater:
    return TryAgainLater(f"the database: {_said(fault)}")


def _said(fault: psycopg.Error) -> str:
    """One line. libpq names host and port, never the password."""
    return " ".join(str(fault).split()) or type(fault).__name__
