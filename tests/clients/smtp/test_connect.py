"""TLS and AUTH towards the next server: what is protected, what is verified, and when nothing is sent."""

import ssl
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import trustme

from mailstack.clients.smtp.connect import is_elsewhere, may_show_password
from mailstack.clients.smtp.tls import TlsContexts
from mailstack.model.delivery import Credentials, NextHop, TlsMode
from tests.support.memory_resolver import MemoryResolver
from tests.support.outcomes import brief
from tests.support.scripted_smtp import Conversation, Peer, scripted_server
from tests.support.smtp_sender import Sender

ServerTls = Callable[[str], ssl.SSLContext]
CREDENTIALS = Credentials(username="tim", password="secret-word")
PLAIN_LINE = b"AUTH PLAIN AHRpbQBzZWNyZXQtd29yZA=="


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
        await peer.reader.read()

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
        assert brief(await sender.send(server.port, tls=TlsMode.STARTTLS)) == ["Deferred 451 4.7.4"]
    assert server.heard == [b"EHLO us.test"]


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


async def test_auth_plain_over_tls(sender: Sender, server_tls: ServerTls) -> None:
    async def relay(peer: Peer) -> None:
        await peer.hello("AUTH LOGIN PLAIN")
        await peer.exchange("235 2.7.0 ok")
        await peer.take_mail()

    async with scripted_server(relay, tls=server_tls("mx.test")) as server:
        outcomes = await sender.send(server.port, tls=TlsMode.IMPLICIT, credentials=CREDENTIALS)
    assert brief(outcomes) == ["Delivered 250 2.0.0"]
    assert server.heard[1] == PLAIN_LINE


async def test_auth_login_where_there_is_nothing_else(sender: Sender) -> None:
    async def relay(peer: Peer) -> None:
        await peer.hello("AUTH LOGIN")
        await peer.exchange("334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6", "235 ok")
        await peer.take_mail()

    async with scripted_server(relay) as server:  # loopback: nobody listens in between
        outcomes = await sender.send(server.port, credentials=CREDENTIALS)
    assert brief(outcomes) == ["Delivered 250 2.0.0"]
    assert server.heard[1:4] == [b"AUTH LOGIN", b"dGlt", b"c2VjcmV0LXdvcmQ="]


@pytest.mark.parametrize(
    ("extensions", "replies", "status"),
    [
        (("AUTH PLAIN",), ("535 5.7.8 no",), "4.7.8"),
        (("AUTH LOGIN",), ("334 x", "535 5.7.8 no"), "4.7.8"),
        (("AUTH CRAM-MD5",), (), "4.7.4"),
        ((), (), "4.7.4"),
    ],
)
async def test_mail_waits_while_the_relay_does_not_know_us(
    sender: Sender, extensions: tuple[str, ...], replies: tuple[str, ...], status: str
) -> None:
    async def relay(peer: Peer) -> None:
        await peer.hello(*extensions)
        await peer.exchange(*replies)
        await peer.reader.read()

    async with scripted_server(relay) as server:
        outcomes = await sender.send(server.port, credentials=CREDENTIALS)
    assert brief(outcomes) == [f"Deferred 451 {status}"]
    assert "secret-word" not in outcomes[0].reply.text


@pytest.mark.parametrize("reply", ["530 5.7.0 authentication required", "538 5.7.11 encryption required"])
async def test_mail_waits_while_the_relay_wants_a_login(sender: Sender, reply: str) -> None:  # RFC 4954 §6
    async def relay(peer: Peer) -> None:
        await peer.hello()
        await peer.exchange(reply, "221 bye")

    async with scripted_server(relay) as server:
        assert brief(await sender.send(server.port)) == ["Deferred 451 4.7.0"]


@pytest.mark.parametrize(
    ("has_tls", "mode", "peer_host", "is_sent"),
    [
        (True, TlsMode.IMPLICIT, "192.0.2.1", True),
        (True, TlsMode.STARTTLS, "192.0.2.1", True),
        (True, TlsMode.OPPORTUNISTIC, "192.0.2.1", False),  # any certificate, so anybody
        (False, TlsMode.STARTTLS, "192.0.2.1", False),
        (False, TlsMode.NONE, "192.0.2.1", False),
        (False, TlsMode.NONE, "::1", True),
    ],
)
def test_a_password_goes_to_verified_servers_only(has_tls: bool, mode: TlsMode, peer_host: str, is_sent: bool) -> None:
    assert may_show_password(has_tls=has_tls, mode=mode, peer_host=peer_host) is is_sent


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
        hop = NextHop(host="mx.test", port=server.port, tls=TlsMode.NONE, is_exchanger=True)
        for host in ("mx.test", "127.0.0.1"):
            outcomes = await sender.transport.deliver(
                replace(hop, host=host),
                reverse_path="a@us.test",
                recipients=["b@them.test"],
                content=b"x",
                is_8bit=False,
                smtp_utf8=False,
            )
            assert brief(outcomes) == ["Deferred 451 4.4.4"]
            assert outcomes[0].host == ""
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
