"""A ManageSieveServer on a real store and a loopback port, for tests."""

import socket
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from mailstack.app.clock import system_clock
from mailstack.model.principal import ALL_ABILITIES, Ability
from mailstack.net.admission import Entrance
from mailstack.net.connections import Connections
from mailstack.net.listen import accept_streams
from mailstack.ports.store import Store
from mailstack.servers.managesieve.server import ManageSieveServer
from mailstack.servers.managesieve.service import ManageSieveLimits, ManageSieveService
from mailstack.services.conduct import Conduct
from mailstack.services.scripts import AccountScripts
from mailstack.sieve.ext.enotify import NOTIFY_SCHEMES
from mailstack.sieve.extensions import EXTENSIONS
from mailstack.store.bus_local import LocalBus
from mailstack.store.sqlite.open import SqliteStore
from tests.support.dialogue import Client, connect
from tests.support.engines import open_store
from tests.support.imap_server import create_accounts, sasl_of


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningManageSieve:
    port: int
    store: SqliteStore
    connections: Connections
    entrance: Entrance
    service: ManageSieveService
    server: ManageSieveServer


@asynccontextmanager
async def running_managesieve(
    folder: Path,
    *,
    accounts: Sequence[str] = ("u0",),
    limits: ManageSieveLimits | None = None,
    tls: ssl.SSLContext | None = None,
    plaintext_is_secure: Callable[[str], bool] = lambda _: True,
    abilities: frozenset[Ability] = ALL_ABILITIES,
    end_point: bytes | None = None,
    conduct: Conduct | None = None,
    scripts: Callable[[Store], AccountScripts] = lambda store: AccountScripts(
        store.scripts, store.accounts, EXTENSIONS
    ),
) -> AsyncIterator[RunningManageSieve]:
    """accounts: local parts, all with imap_server.PASSWORD."""
    bus = LocalBus(folder / "bus")
    await bus.start()
    # In a folder it is this one.
    store = cast(SqliteStore, await open_store(folder / "store", clock=system_clock, bus=bus))
    await create_accounts(store, accounts, abilities)
    service = ManageSieveService(
        hostname="mail.peer.test",
        limits=limits or ManageSieveLimits(),
        tls=tls,
        sasl=sasl_of(store, system_clock, end_point),
        accounts=store.accounts,
        scripts=scripts(store),
        notify_schemes=NOTIFY_SCHEMES,
        conduct=conduct or Conduct(clock=system_clock),
        plaintext_is_secure=plaintext_is_secure,
    )
    connections, entrance = Connections(), Entrance()
    server = ManageSieveServer(lambda: service, connections, entrance)
    listener = socket.create_server(("127.0.0.1", 0))
    accepting = await accept_streams(listener, server.serve, tls=None)
    try:
        yield RunningManageSieve(
            port=listener.getsockname()[1],
            store=store,
            connections=connections,
            entrance=entrance,
            service=service,
            server=server,
        )
    finally:
        accepting.close()
        await connections.drain(grace_s=2)
        await store.close()
        await bus.close()


@asynccontextmanager
async def managesieve_client(port: int) -> AsyncIterator[Client]:
    """Past the greeting."""
    client = await connect("127.0.0.1", port)
    try:
        await capabilities(client)
        yield client
    finally:
        await client.close()


async def capabilities(client: Client) -> list[str]:
    """The lines of them that the server says next; takes the OK after them."""
    lines = [await client.line()]
    while not lines[-1].startswith("OK"):
        assert lines[-1].startswith('"'), lines
        lines.append(await client.line())
    return lines[:-1]


async def log_in(client: Client, account: str = "u0") -> None:
    message = b64encode(f"\0{account}\0pw".encode()).decode()
    await client.play(f'C: AUTHENTICATE "PLAIN" "{message}"\nS: OK "Logged in"')
