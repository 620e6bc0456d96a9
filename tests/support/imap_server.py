"""An ImapServer on a real store and a loopback port, for tests; and, as a program, for load tools:

python -m tests.support.imap_server FOLDER PORT ACCOUNTS   (accounts u0, u1, … with the password pw)
"""

import asyncio
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_bytes
from typing import cast

from mailstack.app.clock import system_clock
from mailstack.model.instant import Clock
from mailstack.model.principal import ALL_ABILITIES, Ability
from mailstack.model.resource import AccountBody, DomainBody, Json, Kind, Operation, Resource, ResourceChange, fields_of
from mailstack.net.admission import Entrance
from mailstack.net.connections import Connections
from mailstack.net.listen import accept_streams
from mailstack.ports.bus import Bus
from mailstack.ports.changes import Changes
from mailstack.ports.store import Store
from mailstack.servers.imap.server import ImapServer
from mailstack.servers.imap.service import ImapLimits, ImapService
from mailstack.servers.sasl import SaslService
from mailstack.services.conduct import Conduct
from mailstack.services.identity.login import Login
from mailstack.services.identity.passwords import HashCost, hash_password
from mailstack.services.mailbox.view import ViewSource
from mailstack.services.mailbox.views import ViewCache
from mailstack.store.bus_local import LocalBus
from mailstack.store.sqlite.open import SqliteStore
from tests.support.engines import open_store
from tests.support.login_delays import no_delays

DOMAIN = "peer.test"
PASSWORD = "pw"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningImap:
    port: int
    store: SqliteStore
    connections: Connections
    entrance: Entrance
    service: ImapService
    imap: ImapServer


@asynccontextmanager
async def running_imap(
    folder: Path,
    *,
    accounts: Sequence[str] = ("u0",),
    limits: ImapLimits | None = None,
    tls: ssl.SSLContext | None = None,
    clock: Clock = system_clock,
    plaintext_is_secure: Callable[[str], bool] = lambda _: True,
    port: int = 0,
    abilities: frozenset[Ability] = ALL_ABILITIES,
    quota_bytes: int | None = None,
    jmap_url: str | None = None,
    end_point: bytes | None = None,
    changes: Callable[[Changes], Changes] = lambda real: real,
    opened: Callable[[Bus], Awaitable[Store]] | None = None,
    conduct: Conduct | None = None,
) -> AsyncIterator[RunningImap]:
    """accounts: local parts, all with PASSWORD, where nothing was applied yet. changes: what stands before the store's
    change log. opened: another store than the one in the folder."""
    bus = LocalBus(folder / "bus")
    await bus.start()
    # Who opens another one uses no more than its ports.
    store = cast(SqliteStore, await (opened(bus) if opened else open_store(folder / "store", clock=clock, bus=bus)))
    await create_accounts(store, accounts, abilities, quota_bytes)
    source = ViewSource(mailboxes=store.mailboxes, messages=store.messages, changes=changes(store.changes))
    service = ImapService(
        hostname="mail.peer.test",
        limits=limits or ImapLimits(),
        tls=tls,
        sasl=sasl_of(store, clock, end_point),
        accounts=store.accounts,
        mailboxes=store.mailboxes,
        messages=store.messages,
        emails=store.emails,
        changes=source.changes,
        search=store.search,
        views=ViewCache(source, clock=clock),
        lessons=store.spam_lessons,
        sharing=store.sharing,
        annotations=store.annotations,
        tree_changes=store.tree_changes,
        bus=bus,
        conduct=conduct or Conduct(clock=clock),
        clock=clock,
        plaintext_is_secure=plaintext_is_secure,
        jmap_url=jmap_url,
    )
    connections = Connections()
    listener = socket.create_server(("127.0.0.1", port))
    entrance = Entrance()
    imap = ImapServer(lambda: service, connections, entrance)
    server = await accept_streams(listener, imap.serve, tls=None)
    try:
        yield RunningImap(
            port=listener.getsockname()[1],
            store=store,
            connections=connections,
            entrance=entrance,
            service=service,
            imap=imap,
        )
    finally:
        server.close()
        await connections.drain(grace_s=2)
        await store.close()
        await bus.close()


def sasl_of(store: Store, clock: Clock, end_point: bytes | None) -> SaslService:
    login = Login(
        store.accounts,
        store.verifiers,
        store.app_passwords,
        no_delays(),
        domains=(DOMAIN,),
        clock=clock,
        cache_key=b"k" * 32,
    )
    return SaslService(login=login, end_point=lambda _: end_point, token=token_bytes)


async def create_accounts(
    store: Store, names: Sequence[str], abilities: frozenset[Ability], quota_bytes: int | None = None
) -> None:
    if await store.state.generation():
        return
    domain = DomainBody(catch_all=None, subaddress_separators="+", alias_of=None, dkim_algorithms=())
    account = AccountBody(name="", addresses=(), roles=(), abilities=tuple(sorted(abilities)), quota_bytes=quota_bytes)
    secrets = {"password": hash_password(PASSWORD, cost=HashCost.LOW)}
    changes = [_create(Kind.DOMAIN, DOMAIN, fields=fields_of(domain))]
    changes += [_create(Kind.ACCOUNT, f"{name}@{DOMAIN}", fields=fields_of(account), secrets=secrets) for name in names]
    await store.state.commit(changes, base=await store.state.generation(), spec_hash="test")


def _create(
    kind: Kind, name: str, *, fields: Mapping[str, Json], secrets: Mapping[str, str] | None = None
) -> ResourceChange:
    resource = Resource(kind=kind, name=name, fields=fields)
    return ResourceChange(operation=Operation.CREATE, resource=resource, secrets=secrets or {})


async def _serve(folder: Path, port: int, accounts: int) -> None:
    async with running_imap(folder, accounts=[f"u{number}" for number in range(accounts)], port=port):
        await asyncio.Event().wait()


if __name__ == "__main__":
    import uvloop

    uvloop.run(_serve(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
