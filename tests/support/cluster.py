"""Several real `mailstack serve` with one spec, PostgreSQL, S3 and NATS; each node in a network of its own.

A node reaches the three only through its fronts, so that it can be cut off from any of them.
"""

import asyncio
import imaplib
import json
import os
import signal
import smtplib
import subprocess
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from argon2 import PasswordHasher

from mailstack.app.clock import system_clock
from mailstack.app.silence import Silence
from mailstack.app.store_address import BucketAt, StoreAddress
from mailstack.app.stores import open_store
from mailstack.model.principal import Account
from mailstack.model.upkeep import Flaw
from mailstack.ports.store import Store
from tests.support.clock_ahead import clock_ahead
from tests.support.fronts import Front, Mood, running_fronts
from tests.support.leash import leashed
from tests.support.moto import new_bucket, running_moto
from tests.support.namespaces import Namespace, need_namespaces, new_namespace
from tests.support.nats import NatsServer, running_nats
from tests.support.over_sockets import CLIENT_S, ImapOver, SmtpOver
from tests.support.ports import free_port
from tests.support.postgres import PostgresServer, running_postgres
from tests.support.programs import Program
from tests.support.sandbox import MAILSTACK, stop, wait_for
from tests.support.sink import Sink, running_sink

Result = TypeVar("Result")
START_S = 120.0
ACCOUNTS = 4
CONNECTIONS = 20
"""Of one address."""
OF_ACCOUNT = 10
"""Fewer, so that a burst of logins is not one of strangers first."""
OUTSIDE = "friend@elsewhere.example"
PASSWORD = "correct horse"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8_192, parallelism=1)
SMTP, IMAPS, SUBMISSIONS = 25, 993, 465
POSTGRES, S3, NATS, RELAY = 5432, 9000, 4222, 2525
# What a crash of the server may not lose is lost only when a machine dies, which no test here does.
DURABLE = ("fsync=off", "max_connections=100")
SPEC = """\
server:
  hostname: mail.example.com
  workers: {workers}
  limits: {{connections_per_ip: {of_address}, connections_per_account: {of_account}}}
  listeners:
    {{smtp: ["127.0.0.1:25"], imaps: ["127.0.0.1:993"], submissions: ["127.0.0.1:465"],
    submission: [], managesieve: [], imap: [], http: [], https: []}}
storage:
  path: state
  database: env/DATABASE_URL
  blobs: {{s3: {{bucket: mail, endpoint: "http://127.0.0.1:9000", access_key: env/S3_KEY, secret_key: env/S3_SECRET}}}}
  {events}
tls: {{issuer: self-signed}}
domains: {{example.com: {{}}}}
accounts:
{accounts}
aliases: {{leaving@example.com: [u0@example.com, {outside}]}}
relays: {{sink: {{host: 127.0.0.1, port: 2525, tls: none}}}}
routes: [{{via: sink}}]
"""


@dataclass(kw_only=True)
class Node:
    """fronts: by the port that the node knows the service by. has_nats: else events go by NOTIFY."""

    folder: Path
    namespace: Namespace
    fronts: Mapping[int, Front]
    environment: Mapping[str, str]
    has_nats: bool
    workers: int
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def spec(self) -> Path:
        return self.folder / "mailstack.yaml"

    @property
    def log(self) -> str:
        return (self.folder / "serve.log").read_text()

    @property
    def generation(self) -> int:
        """0 while it does not serve."""
        status = self.folder / "state" / "run" / "status.json"
        return int(json.loads(status.read_text())["generation"]) if status.exists() else 0

    def spec_text(self, *more: str) -> str:
        """The same on all nodes. more: accounts besides u0 to u3, by their local parts."""
        names = (*(f"u{number}" for number in range(ACCOUNTS)), *more)
        accounts = "\n".join(f"  {name}@example.com: {{password: env/PASSWORD}}" for name in names)
        events = f"events: nats://127.0.0.1:{NATS}" if self.has_nats else ""
        return SPEC.format(
            accounts=accounts,
            outside=OUTSIDE,
            of_address=CONNECTIONS,
            of_account=OF_ACCOUNT,
            events=events,
            workers=self.workers,
        )

    def apply(self, *more: str) -> "subprocess.Popen[bytes]":
        """Another spec than the node's own file, which is read again only when it is saved."""
        spec = self.folder / "mailstack.next"  # no name that makes the server read its own
        spec.write_text(self.spec_text(*more))
        return self.run_here([*MAILSTACK, "apply", "--yes", "--no-dns", str(spec)])

    def start(self) -> None:
        """Without waiting for it."""
        (self.folder / "state" / "run" / "status.json").unlink(missing_ok=True)
        with (self.folder / "serve.log").open("ab") as log:
            self.process = self.run_here([*MAILSTACK, "serve", str(self.spec), "--log-format", "json"], log.fileno())

    def run_here(self, command: Sequence[str], stderr: int = subprocess.PIPE) -> "subprocess.Popen[bytes]":
        return Program(
            leashed(self.namespace.inside(command), "TERM"),
            stdout=subprocess.PIPE if stderr == subprocess.PIPE else subprocess.DEVNULL,
            stderr=stderr,
            env={**os.environ, **self.environment},
            start_new_session=True,
        )

    def wait_until_serving(self) -> None:
        assert self.process is not None
        process = self.process
        wait_for(lambda: self.generation or process.poll() is not None, timeout_s=START_S, what="serving")
        assert process.poll() is None, self.log

    def kill(self) -> None:
        """All of its processes, without a word."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process = None

    def stop(self) -> None:
        if self.process is not None:
            stop(self.process)
            self.process = None

    def become(self, mood: Mood, *ports: int) -> None:
        """ports: none for all."""
        for port in ports or tuple(self.fronts):
            self.fronts[port].become(mood)

    def smtp(self) -> smtplib.SMTP:
        return SmtpOver(self.namespace.connect(SMTP, timeout_s=CLIENT_S))

    @contextmanager
    def imap(self, account: str) -> Iterator[imaplib.IMAP4]:
        """Logged in."""
        client = ImapOver(self.namespace.connect(IMAPS, timeout_s=CLIENT_S))
        try:
            client.login(account, PASSWORD)
            yield client
        finally:
            with suppress(OSError):  # it is closed already
                client.shutdown()


@dataclass(frozen=True, kw_only=True)
class Cluster:
    nodes: Sequence[Node]
    postgres: PostgresServer
    nats: NatsServer
    sink: Sink
    storage: StoreAddress


@contextmanager
def running_cluster(
    folder: Path, *, clocks_ahead_s: Sequence[int] = (0, 0), has_nats: bool = True, workers: int = 2
) -> Iterator[Cluster]:
    """All serving; a node for each of the clocks. workers: of each."""
    need_namespaces()
    with ExitStack() as stack:
        postgres = stack.enter_context(running_postgres(settings=DURABLE))
        nats = stack.enter_context(running_nats(folder))
        moto = stack.enter_context(running_moto(folder))
        new_bucket(moto, "mail")
        sink = stack.enter_context(running_sink(free_port()))
        fronts = stack.enter_context(running_fronts())
        upstreams = {POSTGRES: postgres.port, S3: int(moto.rpartition(":")[2]), NATS: nats.port, RELAY: sink.port}
        database = postgres.make_database()
        environment = {
            "DATABASE_URL": f"postgresql://mailstack@127.0.0.1:{POSTGRES}/{database}",
            "S3_KEY": "AKIA-TEST",
            "S3_SECRET": "hush-hush",
            "PASSWORD": CHEAP.hash(PASSWORD),
        }
        made = []
        for number, ahead_s in enumerate(clocks_ahead_s):
            namespace = stack.enter_context(new_namespace())
            own = environment | clock_ahead(folder / f"clock{number}", ahead_s)
            place = folder / f"node{number}"
            place.mkdir()
            node = Node(
                folder=place,
                namespace=namespace,
                fronts={port: fronts.open(namespace.listener(port), upstream) for port, upstream in upstreams.items()},
                environment=own,
                has_nats=has_nats,
                workers=workers,
            )
            node.spec.write_text(node.spec_text())
            stack.callback(node.stop)
            made.append(node)
            node.start()
        for node in made:
            node.wait_until_serving()
        bucket = BucketAt(
            bucket="mail",
            endpoint=moto,
            region="us-east-1",
            access_key="AKIA-TEST",
            secret_key="hush-hush",
            prefix="",
            ca="",
        )
        storage = StoreAddress(folder=folder / "seen", database=postgres.url(database), bucket=bucket)
        yield Cluster(nodes=made, postgres=postgres, nats=nats, sink=sink, storage=storage)


async def flaws(store: Store) -> list[Flaw]:
    """What the store itself finds wrong with all accounts, once nobody writes any more; every message is read."""
    found: list[Flaw] = []
    for number in range(ACCOUNTS):
        account = await store.accounts.find(f"u{number}@example.com")
        assert isinstance(account, Account)
        found += await store.upkeep.verify(account.account_id, reads_messages=True, progress=_unseen)
    return found


async def waiting(store: Store) -> list[str]:
    """Recipients of our own that something in the queue is for."""
    own = {f"u{number}@example.com" for number in range(ACCOUNTS)}
    return [item.recipient for item in await store.queue.items() if item.recipient in own]


def look_into(cluster: Cluster, look: Callable[[Store], Awaitable[Result]]) -> Result:
    """At the store, beside the nodes."""

    async def run() -> Result:
        store = await open_store(cluster.storage, clock=system_clock, bus=Silence())
        try:
            return await look(store)
        finally:
            await store.close()

    return asyncio.run(run())


def _unseen(_done: int, _of: int) -> None:
    pass
