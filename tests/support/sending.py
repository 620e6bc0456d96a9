"""A submission and a runner over a real store: DNS and SMTP over loopback, a sink at the end; directory and mailboxes
in memory, the clock in the test's hands."""

import asyncio
import contextlib
import functools
import itertools
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from mailstack.clients.smtp.session import Timeouts
from mailstack.clients.smtp.tls import client_contexts
from mailstack.clients.smtp.transport import SmtpTransport
from mailstack.mailauth.dkim import keys
from mailstack.model.ids import QueueItemId
from mailstack.model.instant import Instant
from mailstack.net.resolver import DnsResolver, ResolverLimits
from mailstack.ports.store import Store
from mailstack.services.inbound.deliver import Delivery
from mailstack.services.outbound.queue import QueueLimits, QueueRunner
from mailstack.services.outbound.service import OutboundService
from mailstack.services.outbound.submit import Origin, Submission
from tests.support.dns_server import DnsServer, dns_server
from tests.support.engines import open_store
from tests.support.fake_clock import FakeClock
from tests.support.outbound_world import HOSTNAME, OutboundWorld
from tests.support.running import DEADLINE_S, running, until
from tests.support.smtp_sender import PATIENT

MESSAGE = (
    b"From: Alice <alice@example.com>\r\nTo: b@them.test\r\nSubject: dots\r\n\r\n"
    b".\r\n..\r\n.two  spaces \r\n\r\nend\r\n\r\n\r\n"
)
ORIGIN = Origin(ehlo_domain="laptop", peer_host="192.0.2.7", protocol="ESMTPSA", trace_id="t1", smtp_utf8=False)
NAMES = {
    "them.test": {"MX": ["10 dead.them.test.", "20 mx.them.test."]},
    "dead.them.test": {"A": ["127.0.0.2"]},
    "mx.them.test": {"CNAME": ["real.them.test."]},
    "real.them.test": {"A": ["127.0.0.1"]},
    "null.test": {"MX": ["0 ."]},
}

PATIENT_WITH_DNS = ResolverLimits(deadline_s=30, server_timeout_s=10)


@dataclass
class Sink:
    """replies: to RCPT, by local part; everything else is taken. final: to the content."""

    received: list[tuple[str, list[str], bytes]] = field(default_factory=list)
    replies: dict[str, str] = field(default_factory=lambda: {"nobody": "550 5.1.1 no such user"})
    final: str = "250 2.0.0 ok"

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        reply = self.replies.get(address.partition("@")[0])
        if reply is not None:
            return reply
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802  # its name
        assert envelope.original_content is not None
        if self.final.startswith("2"):
            self.received.append((envelope.mail_from or "", list(envelope.rcpt_tos), envelope.original_content))
        return self.final


@dataclass
class Sending:
    """service: that of the generation; another one counts from the next attempt on."""

    world: OutboundWorld
    store: Store
    names: DnsServer
    sink: Sink
    service: OutboundService
    records: dict[str, bytes]
    _owners: "itertools.count[int]" = field(default_factory=itertools.count)

    @property
    def submission(self) -> Submission:
        return replace(self.world.submission(), delivery=self.service.delivery)

    def runner(self, owner: str = "r1") -> QueueRunner:
        return QueueRunner(
            queue=self.store.queue,
            bus=self.world.bus,
            clock=self.world.clock,
            owner=owner,
            generation=lambda: self.service,
            meters=self.world.meters,
            limits=QueueLimits(settle_retry_s=0.1),
        )

    def wait_for_others(self, *, timeouts: Timeouts = PATIENT, limits: ResolverLimits = PATIENT_WITH_DNS) -> None:
        """So long from the next attempt on: timeouts with servers, limits with name servers."""
        world = self.world
        resolver = DnsResolver(clock=world.clock, nameservers=(self.names.endpoint,), limits=limits)
        transport = SmtpTransport(
            resolver,
            ehlo_domain=HOSTNAME,
            tls=client_contexts(),
            token=world.token,
            clock=world.clock,
            timeouts=timeouts,
            may_be_exchanger=lambda _address: True,
        )
        self.service = replace(self.service, resolver=resolver, transport=transport)

    async def until_empty(self) -> None:
        async def is_empty() -> bool:
            return not await self.store.queue.items()

        await until(is_empty)

    async def work(self, *, workers: int = 1) -> None:
        """All that is due now is attempted, by workers that end after it."""

        async def is_done() -> bool:
            now = self.world.clock()
            waiting = await self.store.queue.page(after=QueueItemId(0), now=now, limit=1_000)
            return all(entry.due_at > now and not entry.is_leased for entry in waiting)

        runners = [self.runner(f"w{next(self._owners)}") for _ in range(workers)]
        async with contextlib.AsyncExitStack() as stack:
            for runner in runners:
                await stack.enter_async_context(running(runner.run()))
            await until(is_done)
            for runner in runners:
                assert await runner.drain(grace_s=DEADLINE_S) == 0

    async def until_time(self, end: Instant, *, workers: int = 1) -> None:
        """Time passes, and everything that falls due on the way is attempted when it does."""
        clock = self.world.clock
        while (due := await self.store.queue.next_due()) is not None and due <= end:
            clock.now = max(due, clock.now)
            await self.work(workers=workers)
        clock.now = end


@functools.cache
def _key_pairs() -> Mapping[str, keys.KeyPair]:
    """RSA's take long to make."""
    return {algorithm: keys.generate(algorithm) for algorithm in keys.ALGORITHMS}


@contextlib.asynccontextmanager
async def sending_world(folder: Path) -> AsyncIterator[Sending]:
    world, sink = OutboundWorld(clock=FakeClock()), Sink()
    pairs = _key_pairs()
    world.signing_keys["example.com"] = [
        keys.load(domain="example.com", selector=name, private_pem=pair.private_pem) for name, pair in pairs.items()
    ]
    async with contextlib.AsyncExitStack() as stack:
        names = await stack.enter_async_context(dns_server(NAMES))
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: SMTP(sink, loop=loop, hostname="mx.them.test"), "127.0.0.1", 0)
        await stack.enter_async_context(server)
        store = await open_store(folder, clock=world.clock, bus=world.bus)
        stack.push_async_callback(store.close)
        service = replace(
            world.service(),
            delivery=Delivery(mailboxes=world.messages.mailboxes, messages=world.messages, queue=store.queue),
            exchanger_port=server.sockets[0].getsockname()[1],
        )
        records = {name: keys.record(name, pair.public_key).encode() for name, pair in pairs.items()}
        found = Sending(world=world, store=store, names=names, sink=sink, service=service, records=records)
        found.wait_for_others()
        yield found
