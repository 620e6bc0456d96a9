"""TLS and AUTH towards the next server: what is protected, what is verified, and when nothing is sent."""

import ssl
from collections.abc import Callable

import pytest
import trustme

from mailstack.clients.smtp.tls import TlsContexts
from mailstack.model.delivery import Credentials, TlsMode
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


def test_no_context_speaks_old_tls(contexts: TlsContexts) -> None:  # RFC 8996
    assert contexts.verified.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert contexts.any_certificate.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert contexts.verified.check_hostname
    assert contexts.verified.verify_mode is ssl.CERT_REQUIRED
