"""What a sender reads when their mail is given up since TLS was not as it had to be: whose rule it is, at which host,
and what is amiss. From a real connection to the notice. RFC 3463 §3.8, RFC 7672 §2, RFC 8461 §5."""

import ssl
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import trustme

from mailstack.clients.smtp.tls import client_contexts
from mailstack.clients.smtp.transport import SmtpTransport
from mailstack.model.delivery import Settlement
from mailstack.model.instant import DAY_MS, Instant
from mailstack.model.tls_policy import LeastTls, TlsaRecord, TlsFailure
from mailstack.ports.resolver import MailExchanger
from mailstack.services.outbound.destination import ToDomain
from mailstack.services.outbound.settle import settlement
from tests.support.outbound_world import HOSTNAME, OutboundWorld, attempted
from tests.support.scripted_smtp import Conversation, Peer, scripted_server
from tests.support.smtp_sender import PATIENT

HOST = "mx1.them.test"
CONTENT = b"Subject: hi\r\n\r\nhi\r\n"
Prepare = Callable[[OutboundWorld, int], None]


def signed(world: OutboundWorld, port: int) -> None:
    """With a record of a key that no server here has."""
    name = f"_{port}._tcp.{HOST}"
    world.resolver.secure |= {"them.test", HOST, name}
    world.resolver.tlsa = {name: (TlsaRecord(3, 1, 1, bytes(32)),)}


def unusable(world: OutboundWorld, port: int) -> None:
    signed(world, port)
    world.resolver.tlsa = {name: (TlsaRecord(3, 1, 1, b"cut"),) for name in world.resolver.tlsa}


def forged(world: OutboundWorld, port: int) -> None:
    signed(world, port)
    world.resolver.failing.add(f"_{port}._tcp.{HOST}")


def enforced(world: OutboundWorld, _port: int, *, mx: str = HOST) -> None:
    world.resolver.txt = {"_mta-sts.them.test": ("v=STSv1; id=1",)}
    world.policy_host.texts["them.test"] = f"version: STSv1\nmode: enforce\nmx: {mx}\nmax_age: 604800\n".encode()


def enforced_elsewhere(world: OutboundWorld, port: int) -> None:
    enforced(world, port, mx="mx9.them.test")


def unsaid(_world: OutboundWorld, _port: int) -> None: ...


def server(authority: trustme.CA, kind: str) -> Conversation:
    """kind: what its certificate is for, "" for a server without TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(kind or "unused.test").configure_cert(context)

    async def mx(peer: Peer) -> None:
        await peer.hello("STARTTLS" if kind else "HELP")
        if kind:
            await peer.start_tls(context)
        assert b"MAIL" not in await peer.hear_out()

    return mx


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def transport(world: OutboundWorld, authority: trustme.CA, tmp_path: Path) -> SmtpTransport:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return SmtpTransport(
        world.resolver,
        ehlo_domain=HOSTNAME,
        tls=client_contexts(ca_file=str(tmp_path / "ca.pem")),
        token=world.token,
        clock=world.clock,
        timeouts=PATIENT,
        may_be_exchanger=lambda _address: True,
    )


async def given_up(
    world: OutboundWorld,
    transport: SmtpTransport,
    way: ToDomain,
    conversation: Conversation,
    prepare: Prepare,
    content: bytes = CONTENT,
) -> Settlement:
    """After an attempt five days later."""
    world.resolver.exchangers = {"them.test": [MailExchanger(preference=10, host=HOST)]}
    world.resolver.hosts = {HOST: ("127.0.0.1",)}
    item = await world.queued("b@them.test")
    async with scripted_server(conversation) as running:
        prepare(world, running.port)
        service = replace(world.service(), transport=transport, exchanger_port=running.port)
        parts = [part async for part in attempted(service, way, [item], content)]
    ((_, outcome),) = parts[0]
    return settlement(service, item, outcome, content, Instant(item.queued_at + 5 * DAY_MS))


@pytest.mark.parametrize(
    ("prepare", "kind", "status", "failure", "text"),
    [
        (
            signed,
            HOST,
            "5.7.5",
            TlsFailure.VALIDATION_FAILURE,
            "mx1.them.test: no TLSA record names the server's certificate, but DANE requires verified TLS",
        ),
        (
            signed,
            "",
            "5.7.10",
            TlsFailure.STARTTLS_NOT_SUPPORTED,
            "mx1.them.test does not offer STARTTLS, but DANE requires verified TLS",
        ),
        (
            unusable,
            "",
            "5.7.10",
            TlsFailure.STARTTLS_NOT_SUPPORTED,
            "mx1.them.test does not offer STARTTLS, but DANE requires TLS",
        ),
        (
            forged,
            HOST,
            "5.7.5",
            TlsFailure.DNSSEC_INVALID,
            "mx1.them.test: DNS does not answer for its TLSA records, or they are forged (DANE): ",
        ),
        (
            enforced,
            "mx.elsewhere.test",
            "5.7.5",
            TlsFailure.CERTIFICATE_HOST_MISMATCH,
            "mx1.them.test: TLS handshake: certificate not trusted: Hostname mismatch, certificate is not valid for"
            " 'mx1.them.test', but the MTA-STS policy of them.test requires verified TLS",
        ),
        (
            enforced,
            "",
            "5.7.10",
            TlsFailure.STARTTLS_NOT_SUPPORTED,
            "mx1.them.test does not offer STARTTLS, but the MTA-STS policy of them.test requires verified TLS",
        ),
        (
            enforced_elsewhere,
            HOST,
            "5.7.0",
            TlsFailure.VALIDATION_FAILURE,
            "mx1.them.test is not in the MTA-STS policy of them.test",
        ),
    ],
)
async def test_what_their_policy_kept_back(
    world: OutboundWorld,
    transport: SmtpTransport,
    authority: trustme.CA,
    prepare: Prepare,
    kind: str,
    status: str,
    failure: TlsFailure,
    text: str,
) -> None:
    found = await given_up(world, transport, ToDomain("them.test"), server(authority, kind), prepare)
    assert found.outcome.tls is not None
    assert (found.outcome.tls.least, found.outcome.tls.failure) == (LeastTls.OPPORTUNISTIC, failure)
    assert_told(found, status, text)


def assert_told(found: Settlement, status: str, text: str) -> None:
    (notice,) = found.notices
    why = f"given up after too many days; the last attempt ended in: 451 4{status[1:]} {text}"
    raw = bytes(notice.raw).decode()
    assert f"    reason: 554 {status} {why}" in raw
    assert f"Status: {status}\r\n" in raw


@pytest.mark.parametrize("content", [CONTENT, b"TLS-Required: No\r\n" + CONTENT])
@pytest.mark.parametrize(
    ("prepare", "kind", "least", "status", "text"),
    [
        (unsaid, "", "required", "5.7.10", "mx1.them.test does not offer STARTTLS, but this server requires TLS"),
        (
            unsaid,
            "mx.elsewhere.test",
            "verified",
            "5.7.5",
            "mx1.them.test: TLS handshake: certificate not trusted: Hostname mismatch, certificate is not valid for"
            " 'mx1.them.test', but this server requires verified TLS",
        ),
    ],
)
async def test_what_our_least_kept_back_whatever_its_sender_says(
    world: OutboundWorld,
    transport: SmtpTransport,
    authority: trustme.CA,
    content: bytes,
    prepare: Prepare,
    kind: str,
    least: str,
    status: str,
    text: str,
) -> None:
    way = ToDomain("them.test", LeastTls(least))
    found = await given_up(world, transport, way, server(authority, kind), prepare, content)
    assert found.outcome.tls is not None
    assert (found.outcome.tls.policy, found.outcome.tls.least) == ("opportunistic", least)
    assert_told(found, status, text)
