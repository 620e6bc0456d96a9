"""DANE, whole: zones that BIND signed, an Unbound that checks them, a server with TLS, and what of the mail gets there.

{secure, insecure, bogus} × {the record is of the server's key, of another}. RFC 7672 §2, §3.
"""

import asyncio
import contextlib
import hashlib
import ssl
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from mailstack.clients.smtp.tls import client_contexts
from mailstack.clients.smtp.transport import SmtpTransport
from mailstack.model.delivery import OutgoingMail
from mailstack.net.resolver import DnsResolver
from mailstack.services.outbound.destination import ToDomain
from tests.support.certificates import certificate
from tests.support.outbound_world import HOSTNAME, OutboundWorld, attempted
from tests.support.outcomes import brief
from tests.support.ports import free_port
from tests.support.sending import PATIENT_WITH_DNS
from tests.support.signed_dns import forge, sign, validating_resolver
from tests.support.smtp_sender import PATIENT

pytestmark = pytest.mark.slow

OWN = certificate("elsewhere.test", days=-1)  # under DANE-EE, neither its name nor its dates count
DIGEST = hashlib.sha256(OWN.public_key).hexdigest()
OTHER = "00" * 32
CUT = "00" * 20  # a digest of SHA-1 as one of SHA-256
DELIVERED = ["Delivered 250 2.0.0"]

MATRIX = [
    ("match.secure.test", DELIVERED),
    ("other.secure.test", ["Deferred 451 4.7.5"]),
    ("match.insecure.test", DELIVERED),
    ("other.insecure.test", DELIVERED),  # what nobody vouches for is not looked at
    ("mixed.secure.test", DELIVERED),  # RFC 7671 §4.1: one record that is malformed, beside one that matches
    ("half.secure.test", ["Deferred 451 4.7.5"]),  # beside one that does not
    ("cut.secure.test", DELIVERED),  # RFC 7672 §2.2: none but malformed ones, which demand TLS all the same
    ("match.bogus.test", ["Deferred 451 4.7.5"]),
    ("other.bogus.test", ["Deferred 451 4.7.5"]),
]


@dataclass
class Sink:
    """received: recipients, and whether they came over TLS."""

    received: list[tuple[str, bool]] = field(default_factory=list)

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802  # its name
        self.received.append((envelope.rcpt_tos[0], server.session is not None and server.session.ssl is not None))
        return "250 2.0.0 ok"


def zone_text(zone: str, port: int, match: str) -> str:
    records = {"match": [match], "other": [OTHER], "mixed": [CUT, match], "half": [CUT, OTHER], "cut": [CUT]}
    hosts = "".join(
        f"{name} MX 10 mx.{name}\nmx.{name} A 127.0.0.1\n"
        + "".join(f"_{port}._tcp.mx.{name} TLSA 3 1 1 {digest}\n" for digest in digests)
        for name, digests in records.items()
    )
    head = f"$ORIGIN {zone}.\n$TTL 60\n@ SOA ns hostmaster 1 3600 600 86400 60\n@ NS ns\nns A 127.0.0.1\n"
    return head + hosts


@contextlib.contextmanager
def resolver_of(directory: Path, port: int) -> Iterator[str]:
    secure, secure_anchor = sign(directory, "secure.test", zone_text("secure.test", port, DIGEST))
    bogus, bogus_anchor = sign(directory, "bogus.test", zone_text("bogus.test", port, OTHER))
    for host, digest in (("match", DIGEST), ("other", "11" * 32)):
        bogus = forge(bogus, "bogus.test", f"_{port}._tcp.mx.{host}.bogus.test", "TLSA", f"3 1 1 {digest}")
    zones = {
        "secure.test": secure,
        "bogus.test": bogus,
        "insecure.test": zone_text("insecure.test", port, DIGEST),
    }
    anchors = {"secure.test": secure_anchor, "bogus.test": bogus_anchor}
    with validating_resolver(directory, zones, anchors) as endpoint:
        yield endpoint


@contextlib.asynccontextmanager
async def sink_with_tls(directory: Path, port: int) -> AsyncIterator[Sink]:
    (directory / "server.pem").write_bytes(OWN.pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "server.pem")
    sink, loop = Sink(), asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(sink, loop=loop, hostname="mx.test", tls_context=context), "127.0.0.1", port
    )
    async with server:
        yield sink


async def send(world: OutboundWorld, endpoint: str, port: int, domain: str) -> list[str]:
    resolver = DnsResolver(clock=world.clock, nameservers=(endpoint,), is_validating=True, limits=PATIENT_WITH_DNS)
    transport = SmtpTransport(
        resolver,
        ehlo_domain=HOSTNAME,
        tls=client_contexts(),
        token=world.token,
        clock=world.clock,
        timeouts=PATIENT,
        may_be_exchanger=lambda _address: True,
    )
    service = replace(world.service(), resolver=resolver, transport=transport, exchanger_port=port)
    mail = OutgoingMail(
        reverse_path="alice@example.com",
        recipients=(f"b@{domain}",),
        raw=b"x",
        queued_at=world.clock.now,
        is_8bit=False,
        smtp_utf8=False,
        trace_id="t",
    )
    await world.queue.enqueue([mail], next_at=world.clock.now)
    items = list(await world.queue.items())
    parts = [part async for part in attempted(service, ToDomain(domain), items, b"Subject: hi\r\n\r\nhi\r\n")]
    return brief([outcome for part in parts for _, outcome in part])


async def test_what_dns_says_of_the_certificate_decides_as_far_as_it_is_vouched_for(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    directory, port = tmp_path_factory.mktemp("dane"), free_port()
    with resolver_of(directory, port) as endpoint:
        async with sink_with_tls(directory, port) as sink:
            found = [(domain, await send(OutboundWorld(), endpoint, port, domain)) for domain, _ in MATRIX]
    assert found == MATRIX
    assert sink.received == [(f"b@{domain}", True) for domain, expected in MATRIX if expected == DELIVERED]
