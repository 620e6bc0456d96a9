"""Sending, whole: submission, the queue, DNS and SMTP over loopback, a sink that checks the signatures."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

import dkim
from mailstack.clients.smtp.session import Timeouts
from mailstack.clients.smtp.tls import client_contexts
from mailstack.clients.smtp.transport import SmtpTransport
from mailstack.mailauth.dkim import keys
from mailstack.net.resolver import DnsResolver
from mailstack.ports.store import Store
from mailstack.services.inbound.deliver import Delivery
from mailstack.services.outbound.queue import QueueRunner
from mailstack.services.outbound.service import OutboundService
from mailstack.services.outbound.submit import Origin, Submission
from tests.support.dns_server import dns_server
from tests.support.engines import open_store
from tests.support.fake_clock import FakeClock
from tests.support.outbound_world import ALICE, HOSTNAME, OutboundWorld
from tests.support.running import running, until

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


@dataclass
class Sink:
    received: list[tuple[str, list[str], bytes]] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address.startswith("nobody@"):
            return "550 5.1.1 no such user"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802  # its name
        assert envelope.original_content is not None
        self.received.append((envelope.mail_from or "", list(envelope.rcpt_tos), envelope.original_content))
        return "250 2.0.0 ok"


@dataclass
class Sending:
    """A submission and a runner over one store; directory and mailboxes in memory."""

    world: OutboundWorld
    store: Store
    sink: Sink
    service: OutboundService
    records: dict[str, bytes]

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
        )

    async def until_empty(self) -> None:
        async def is_empty() -> bool:
            return not await self.store.queue.items()

        await until(is_empty)


@pytest.fixture
async def sending(tmp_path: Path) -> AsyncIterator[Sending]:
    world, sink = OutboundWorld(clock=FakeClock()), Sink()
    pairs = {algorithm: keys.generate(algorithm) for algorithm in keys.ALGORITHMS}
    world.signing_keys["example.com"] = [
        keys.load(domain="example.com", selector=name, private_pem=pair.private_pem) for name, pair in pairs.items()
    ]
    async with contextlib.AsyncExitStack() as stack:
        names = await stack.enter_async_context(dns_server(NAMES))
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: SMTP(sink, loop=loop, hostname="mx.them.test"), "127.0.0.1", 0)
        await stack.enter_async_context(server)
        store = await open_store(tmp_path / "store", clock=world.clock, bus=world.bus)
        stack.push_async_callback(store.close)
        resolver = DnsResolver(clock=world.clock, nameservers=(names.endpoint,))
        service = OutboundService(
            hostname=HOSTNAME,
            postmaster=None,
            accounts=world.accounts,
            delivery=Delivery(mailboxes=world.messages.mailboxes, messages=world.messages, queue=store.queue),
            routes=world.routes,
            transport=SmtpTransport(
                resolver,
                ehlo_domain=HOSTNAME,
                tls=client_contexts(),
                timeouts=Timeouts(connect_s=2, quit_s=1),
                may_be_exchanger=lambda _address: True,
            ),
            resolver=resolver,
            token=world.token,
            exchanger_port=server.sockets[0].getsockname()[1],
        )
        records = {name: keys.record(name, pair.public_key).encode() for name, pair in pairs.items()}
        yield Sending(world, store, sink, service, records)


async def test_a_submitted_mail_reaches_the_sink_with_two_valid_signatures(sending: Sending) -> None:
    await sending.submission.submit(ALICE, "alice@example.com", ["b@them.test", "c@them.test"], MESSAGE, ORIGIN)
    async with running(sending.runner().run()):
        await sending.until_empty()
    ((reverse_path, recipients, content),) = sending.sink.received
    assert (reverse_path, recipients) == ("alice@example.com", ["b@them.test", "c@them.test"])
    assert content.endswith(MESSAGE)

    def dns(name: bytes, timeout: int = 5) -> bytes:
        return sending.records[name.decode().partition(".")[0]]

    assert [dkim.DKIM(content).verify(idx=index, dnsfunc=dns) for index in range(2)] == [True, True]


@pytest.mark.parametrize(
    ("recipient", "status"), [("nobody@them.test", b"5.1.1"), ("x@null.test", b"5.1.10"), ("x@gone.test", b"5.1.2")]
)
async def test_what_cannot_be_delivered_comes_back_to_its_sender(
    sending: Sending, recipient: str, status: bytes
) -> None:
    await sending.submission.submit(ALICE, "alice@example.com", [recipient], MESSAGE, ORIGIN)
    async with running(sending.runner().run()):
        await sending.until_empty()
    (notice,) = sending.world.messages.raws(ALICE.account_id)
    assert b"Final-Recipient: rfc822; " + recipient.encode() in notice
    assert b"\r\nStatus: " + status + b"\r\n" in notice
    assert not sending.sink.received


async def test_two_hundred_mails_leave_once_each(sending: Sending) -> None:
    for number in range(200):
        raw = MESSAGE.replace(b"dots", b"mail %d" % number)
        await sending.submission.submit(ALICE, "alice@example.com", [f"u{number}@them.test"], raw, ORIGIN)
    first, second = sending.runner("r1"), sending.runner("r2")
    async with running(first.run()), running(second.run()):
        await sending.until_empty()
    assert sorted(recipients[0] for _, recipients, _ in sending.sink.received) == sorted(
        f"u{number}@them.test" for number in range(200)
    )
