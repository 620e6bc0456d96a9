"""TLS and AUTH towards the next server: what is protected, what is verified, and when nothing is sent."""

import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import trustme

from mailstack.clients.smtp.connect import is_elsewhere
from mailstack.clients.smtp.tls import TlsContexts
from mailstack.model.delivery import Credentials, TlsMode
from tests.support.memory_resolver import MemoryResolver
from tests.support.outcomes import brief
from tests.support.scripted_smtp import Conversation, Peer, scripted_server
from tests.support.smtp_sender import Sender

ServerTls = Callable[[str], ssl.SSLContext]
CREDENTIALS = Credentials(username="tim", password="secret-word")


def starttls_server(context: ssl.SSLContext, *extensions: str) -> Conversation:
    async def mx(peer: Peer) -> None:
        await peer.hello("STARTTLS", *extensions)
        await peer.start_tls(context)
        await peer.ehlo("PIPELINING", *extensions)
        await peer.take_mail()

    return mx


async def plain(peer: Peer) -> None:
    await peer.hello()
    await peer.take_mail()


@pytest.mark.parametrize("name", ["mx.test", "somebody.else.test"])
async def test_opportunistic_tls_takes_any_certificate(sender: Sender, server_tls: ServerTls, name: str) -> None:
    async with scripted_server(starttls_server(server_tls(name))) as server:
        assert brief(await sender.send(server.port, tls=TlsMode.OPPORTUNISTIC)) == ["Delivered 250 2.0.0"]
    # RFC 3207 §4.2: EHLO again, after the handshake.
    assert server.heard[:3] == [b"EHLO us.test", b"STARTTLS", b"EHLO us.test"]


async def test_opportunistic_tls_without_an_offer_goes_in_plain(sender: Sender) -> None:
    async with scripted_server(plain) as server:
        assert brief(await sender.send(server.port, tls=TlsMode.OPPORTUNISTIC)) == ["Delivered 250 2.0.0"]


async def test_opportunistic_tls_goes_on_when_starttls_is_refused(sender: Sender) -> None:
    async def mx(peer: Peer) -> None:
        await peer.hello("STARTTLS")
        await peer.exchange("454 4.7.0 not now")
        await peer.take_mail()

    async with scripted_server(mx) as server:
        assert brief(await sender.send(server.port, tls=TlsMode.OPPORTUNISTIC)) == ["Delivered 250 2.0.0"]


async def test_a_failed_handshake_is_followed_by_a_fresh_plain_connection(sender: Sender) -> None:
    async def broken(peer: Peer) -> None:
        await peer.hello("STARTTLS")
        await peer.hear()
        await peer.say("220 go\n")
        await peer.reader.read(100)
        await peer.say(b"\x15\x03\x01\x00\x02\x02\x28")  # alert: handshake failure

    async with scripted_server(broken, plain) as server:
        assert brief(await sender.send(server.port, tls=TlsMode.OPPORTUNISTIC)) == ["Delivered 250 2.0.0"]
    assert len(server.connections) == 2
    assert b"STARTTLS" not in server.heard


@pytest.mark.parametrize("mode", [TlsMode.OPPORTUNISTIC, TlsMode.STARTTLS])
async def test_bytes_injected_behind_starttls_are_never_read(
    sender: Sender, server_tls: ServerTls, mode: TlsMode
) -> None:  # CVE-2011-0411
    async def attacked(peer: Peer) -> None:
        await peer.hello("STARTTLS")
        await peer.hear()
        await peer.say("220 go\n250-evil\n250 AUTH PLAIN\n")
        await peer.hear_out()

    async with scripted_server(attacked) as server:
        outcomes = await sender.send(server.port, tls=mode, credentials=CREDENTIALS)
    assert brief(outcomes) == ["Deferred 451 4.5.0"]
    assert server.heard == [b"EHLO us.test", b"STARTTLS"]


async def test_required_starttls_verifies_the_name(sender: Sender, server_tls: ServerTls) -> None:
    async with scripted_server(starttls_server(server_tls("mx.test"))) as server:
        assert brief(await sender.send(server.port, tls=TlsMode.STARTTLS)) == ["Delivered 250 2.0.0"]
    async with scripted_server(starttls_server(server_tls("other.test"))) as server:
        outcomes = await sender.send(server.port, tls=TlsMode.STARTTLS)
    assert brief(outcomes) == ["Deferred 451 4.7.5"]
    assert "certificate not trusted" in outcomes[0].reply.text
    assert server.heard == [b"EHLO us.test", b"STARTTLS"]


async def test_required_starttls_that_is_not_offered_sends_nothing(sender: Sender) -> None:
    async with scripted_server(plain) as server:
        assert brief(await sender.send(server.port, tls=TlsMode.STARTTLS)) == ["Deferred 451 4.7.10"]
    assert server.heard == [b"EHLO us.test", b"QUIT"]


async def test_implicit_tls_verifies_before_the_greeting(sender: Sender, server_tls: ServerTls) -> None:
    async with scripted_server(plain, tls=server_tls("mx.test")) as server:
        assert brief(await sender.send(server.port, tls=TlsMode.IMPLICIT)) == ["Delivered 250 2.0.0"]
    async with scripted_server(plain, tls=server_tls("other.test")) as server:
        assert brief(await sender.send(server.port, tls=TlsMode.IMPLICIT)) == ["Deferred 451 4.7.5"]


async def test_implicit_tls_to_a_plain_server_defers(sender: Sender) -> None:
    async with scripted_server(plain) as server:
        assert brief(await sender.send(server.port, tls=TlsMode.IMPLICIT)) == ["Deferred 451 4.7.5"]


async def test_an_unknown_authority_is_not_trusted(sender: Sender) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("mx.test").configure_cert(context)
    async with scripted_server(starttls_server(context)) as server:
        assert brief(await sender.send(server.port, tls=TlsMode.STARTTLS)) == ["Deferred 451 4.7.5"]


@pytest.mark.parametrize("reply", ["530 5.7.0 authentication required", "538 5.7.11 encryption required"])
async def test_mail_waits_while_the_relay_wants_a_login(sender: Sender, reply: str) -> None:  # RFC 4954 §6
    async def relay(peer: Peer) -> None:
        await peer.hello()
        await peer.exchange(reply, "221 bye")

    async with scripted_server(relay) as server:
        assert brief(await sender.send(server.port)) == ["Deferred 451 4.7.0"]


async def test_an_expired_certificate_is_not_trusted(sender: Sender, authority: trustme.CA) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    yesterday = datetime.now(UTC) - timedelta(days=1)
    authority.issue_cert("mx.test", not_after=yesterday).configure_cert(context)
    async with scripted_server(starttls_server(context)) as server:
        outcomes = await sender.send(server.port, tls=TlsMode.STARTTLS, credentials=CREDENTIALS)
    assert brief(outcomes) == ["Deferred 451 4.7.5"]
    assert "expired" in outcomes[0].reply.text
    assert server.heard == [b"EHLO us.test", b"STARTTLS"]


@pytest.mark.parametrize(
    ("address", "is_dialled"),
    [
        ("127.0.0.1", False),
        ("127.8.8.8", False),
        ("::1", False),
        ("::ffff:127.0.0.1", False),
        ("0.0.0.0", False),
        ("::", False),
        ("169.254.169.254", False),
        ("fe80::1", False),
        ("224.0.0.1", False),
        ("10.1.2.3", True),
        ("192.0.2.1", True),
        ("2001:db8::1", True),
    ],
)
def test_an_exchanger_is_never_this_machine(address: str, is_dialled: bool) -> None:
    assert is_elsewhere(address) is is_dialled


async def test_exchangers_that_point_to_us_are_not_dialled(sender: Sender) -> None:
    async with scripted_server(plain) as server:
        for host in ("mx.test", "127.0.0.1"):
            outcomes = await sender.send(server.port, host=host, is_exchanger=True)
            assert brief(outcomes) == ["Deferred 451 4.4.4"]
            assert outcomes[0].host == ""
            assert outcomes[0].reply.text == f"{host} has no address that mail can be sent to, only 127.0.0.1"
    assert not server.connections


async def test_ipv4_is_reached_behind_many_addresses_that_lead_nowhere(
    sender: Sender, resolver: MemoryResolver
) -> None:
    resolver.hosts = {"mx.test": (*(f"::ffff:127.0.0.{n}" for n in range(2, 20)), "127.0.0.1")}
    async with scripted_server(plain) as server:
        assert brief(await sender.send(server.port)) == ["Delivered 250 2.0.0"]


def test_no_context_speaks_old_tls(contexts: TlsContexts) -> None:  # RFC 8996
    assert contexts.verified.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert contexts.any_certificate.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert contexts.verified.check_hostname
    assert contexts.verified.verify_mode is ssl.CERT_REQUIRED
