"""Logging in to a relay: the strongest way first, proved by both ends, and nothing shown to strangers."""

import ssl
from base64 import b64decode, b64encode
from collections.abc import Callable

import pytest
import trustme

from mailstack.clients.smtp.login import may_show_password
from mailstack.model.delivery import Credentials, TlsMode
from mailstack.model.scram import MIN_ITERATIONS, ScramVerifier, derive_verifier
from mailstack.net.end_point import end_point_of
from mailstack.wire.sasl.scram import Scram
from mailstack.wire.sasl.steps import Broken, Challenge, Disproved, NeedsVerifier, Proved
from tests.support.outcomes import brief
from tests.support.scripted_smtp import Peer, scripted_server
from tests.support.smtp_sender import Sender

ServerTls = Callable[[str], ssl.SSLContext]
CREDENTIALS = Credentials(username="tim", password="secret-word")
PLAIN_LINE = b"AUTH PLAIN AHRpbQBzZWNyZXQtd29yZA=="
VERIFIER = derive_verifier(b"secret-word", salt=b"a salt of theirs", iterations=MIN_ITERATIONS)


async def scram_exchange(
    peer: Peer, *, end_point: bytes | None = None, is_plus: bool = False, verifier: ScramVerifier = VERIFIER
) -> str:
    """The server's side, up to its verdict, which is the reply that is still to be said."""
    exchange = Scram(nonce="servers+nonce", end_point=end_point, is_plus=is_plus)
    initial = (await peer.hear()).split()[2]
    step = exchange.begin(b64decode(initial))
    if isinstance(step, Broken):
        return f"501 5.5.2 {step.reason}"
    assert isinstance(step, NeedsVerifier)
    first = step.answer(verifier)
    assert isinstance(first, Challenge)
    await peer.say(f"334 {b64encode(first.data).decode()}\n")
    final = exchange.respond(b64decode(await peer.hear()))
    if isinstance(final, Disproved):
        return "535 5.7.8 no"
    assert isinstance(final, Proved)
    await peer.say(f"334 {b64encode(final.final.data).decode()}\n")
    assert await peer.hear() == b""
    return "235 2.7.0 ok"


async def test_scram_goes_before_plain_and_shows_no_password(sender: Sender) -> None:
    async def relay(peer: Peer) -> None:
        await peer.hello("AUTH PLAIN LOGIN SCRAM-SHA-256")
        await peer.say(await scram_exchange(peer) + "\n")
        await peer.take_mail()

    async with scripted_server(relay) as server:
        assert brief(await sender.send(server.port, credentials=CREDENTIALS)) == ["Delivered 250 2.0.0"]
    assert server.heard[1].startswith(b"AUTH SCRAM-SHA-256 ")
    assert b64decode(server.heard[1].split()[2]).startswith(b"n,,n=tim,r=")


async def test_scram_is_bound_to_the_certificate_where_the_server_can(
    sender: Sender, authority: trustme.CA
) -> None:  # RFC 5929 §4
    leaf = authority.issue_cert("mx.test")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf.configure_cert(context)
    end_point = end_point_of(leaf.cert_chain_pems[0].bytes().decode())

    async def relay(peer: Peer) -> None:
        await peer.hello("AUTH SCRAM-SHA-256 SCRAM-SHA-256-PLUS PLAIN")
        await peer.say(await scram_exchange(peer, end_point=end_point, is_plus=True) + "\n")
        await peer.take_mail()

    async with scripted_server(relay, tls=context) as server:
        outcomes = await sender.send(server.port, tls=TlsMode.IMPLICIT, credentials=CREDENTIALS)
    assert brief(outcomes) == ["Delivered 250 2.0.0"]
    assert server.heard[1].startswith(b"AUTH SCRAM-SHA-256-PLUS ")


async def test_a_server_whose_offer_to_bind_was_taken_away_notices(sender: Sender, server_tls: ServerTls) -> None:
    async def relay(peer: Peer) -> None:
        await peer.hello("AUTH SCRAM-SHA-256")
        await peer.say(await scram_exchange(peer, end_point=bytes(32)) + "\n")

    async with scripted_server(relay, tls=server_tls("mx.test")) as server:
        outcomes = await sender.send(server.port, tls=TlsMode.IMPLICIT, credentials=CREDENTIALS)
    assert brief(outcomes) == ["Deferred 451 4.7.8"]  # RFC 5802 §6
    assert b64decode(server.heard[1].split()[2]).startswith(b"y,,")


async def test_what_scram_does_not_prove_plain_may(sender: Sender) -> None:
    async def relay(peer: Peer) -> None:
        await peer.hello("AUTH SCRAM-SHA-256 PLAIN")
        await peer.exchange("535 5.7.8 no verifier", "235 2.7.0 ok")
        await peer.take_mail()

    async with scripted_server(relay) as server:
        assert brief(await sender.send(server.port, credentials=CREDENTIALS)) == ["Delivered 250 2.0.0"]
    assert server.heard[2] == PLAIN_LINE


async def test_a_wrong_password_is_tried_by_two_mechanisms_at_most(sender: Sender) -> None:
    other = derive_verifier(b"another", salt=b"a salt of theirs", iterations=MIN_ITERATIONS)

    async def relay(peer: Peer) -> None:
        await peer.hello("AUTH SCRAM-SHA-256 LOGIN PLAIN")
        await peer.say(await scram_exchange(peer, verifier=other) + "\n")
        await peer.exchange("535 5.7.8 no")
        await peer.hear_out()

    async with scripted_server(relay) as server:
        assert brief(await sender.send(server.port, credentials=CREDENTIALS)) == ["Deferred 451 4.7.8"]
    assert len(server.heard) == 4


@pytest.mark.parametrize(
    "replies",
    [
        ("334 cj1vdGhlcixzPXh4eHgsaT00MDk2",),  # another nonce
        ("334 ?",),
        ("334",),
        ("235 2.7.0 welcome, whoever you are",),
    ],
)
async def test_a_relay_that_does_not_know_the_password_gets_neither_it_nor_mail(
    sender: Sender, replies: tuple[str, ...]
) -> None:
    async def relay(peer: Peer) -> None:
        await peer.hello("AUTH SCRAM-SHA-256 PLAIN")
        for reply in replies:
            await peer.exchange(reply)
        await peer.hear_out()

    async with scripted_server(relay) as server:
        outcomes = await sender.send(server.port, credentials=CREDENTIALS)
    assert not any(line.startswith(b"MAIL") for line in server.heard)
    assert PLAIN_LINE not in server.heard
    assert brief(outcomes) == ["Deferred 451 4.7.8"]


@pytest.mark.parametrize("final", ["334 dj1vdGhlcg==", "235 2.7.0 ok", "334 !!"])
async def test_a_relay_must_prove_that_it_knows_the_password(sender: Sender, final: str) -> None:  # RFC 5802 §3
    async def relay(peer: Peer) -> None:
        await peer.hello("AUTH SCRAM-SHA-256 PLAIN")
        exchange = Scram(nonce="servers+nonce", end_point=None, is_plus=False)
        step = exchange.begin(b64decode((await peer.hear()).split()[2]))
        assert isinstance(step, NeedsVerifier)
        first = step.answer(VERIFIER)
        assert isinstance(first, Challenge)
        await peer.say(f"334 {b64encode(first.data).decode()}\n")
        await peer.exchange(final)
        await peer.hear_out()

    async with scripted_server(relay) as server:
        assert brief(await sender.send(server.port, credentials=CREDENTIALS)) == ["Deferred 451 4.7.8"]
    assert len(server.heard) == 3


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
        await peer.hear_out()

    async with scripted_server(relay) as server:
        outcomes = await sender.send(server.port, credentials=CREDENTIALS)
    assert brief(outcomes) == [f"Deferred 451 {status}"]
    assert "secret-word" not in outcomes[0].reply.text


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
